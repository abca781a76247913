import type { StageSet, StageSetSpec } from '../../types/stages.ts';
import type { PinnedArtifact } from '../pinned-artifact.ts';
import { after, type Instant, minutes } from '../time.ts';
import { desiredVersion, rollbackTo } from './desired-version.ts';
import {
  type VersionAnswer,
  type VersionAnswers,
  type VersionAsk,
  versionAskKey,
} from './version-asks.ts';
import { versionRoute } from './version-text.ts';

/** The version that a StageSet is to get, as far as it is known (part B 2.1). */
export type WantedVersion =
  /** The spec has no versions. */
  | { readonly kind: 'None' }
  | {
      readonly kind: 'Known';
      readonly version: string;
      /** Where it had to be found out: how, and when it was. */
      readonly found?: { readonly ask: VersionAsk; readonly at: Instant };
    }
  /** It has to be found out, or found out again. */
  | { readonly kind: 'Ask'; readonly ask: VersionAsk }
  /** It cannot be told: a reason of the Ready condition, and when to look again. */
  | {
      readonly kind: 'Refused';
      readonly reason: string;
      readonly message: string;
      readonly until: Instant;
      /** When that was found out. */
      readonly at: Instant;
    };

interface VersionQuestion {
  readonly stageSet: StageSet;
  readonly spec: StageSetSpec;
  readonly pinned: readonly PinnedArtifact[];
  readonly versions: VersionAnswers;
  readonly now: Instant;
}

/** What cannot be used is looked at again so often (part B 10). */
const again = minutes(1);

export function wantedVersion(question: VersionQuestion): WantedVersion {
  const { spec, stageSet, pinned, versions, now } = question;
  if (spec.version === undefined) return { kind: 'None' };
  const route = versionRoute(spec.version, spec.stages);
  if (route.kind === 'Version') return known(route.version, stageSet);
  if (route.kind === 'Invalid') {
    return { ...route, kind: 'Refused', until: after(now, again), at: now };
  }
  const stage = spec.stages[route.stage];
  const from = stage === undefined ? {} : { stage };
  const ask: VersionAsk = { kind: 'Version', version: spec.version, ...from, pinned };
  const answer = versions.get(versionAskKey(ask));
  if (answer?.kind === 'Version') {
    return { ...known(answer.version, stageSet), found: { ask, at: answer.at } };
  }
  const refusal = refusalBy(answer, 'InvalidVersion');
  // An answer from a time to come was found out before the clock was set back.
  if (refusal === undefined || refusal.until <= now || refusal.at > now)
    return { kind: 'Ask', ask };
  return refusal;
}

function known(source: string, stageSet: StageSet): Extract<WantedVersion, { kind: 'Known' }> {
  const { version } = desiredVersion({ source, rollbackTo: rollbackTo(stageSet) });
  return { kind: 'Known', version };
}

/** Why an answer is of no use, and when to ask again; undefined for one that is, and for none. */
export function refusalBy(
  answer: VersionAnswer | undefined,
  unreadable: string,
): Extract<WantedVersion, { kind: 'Refused' }> | undefined {
  if (answer?.kind !== 'Refused' && answer?.kind !== 'Unreadable') return undefined;
  const reason = answer.kind === 'Refused' ? answer.reason : unreadable;
  const { message, at } = answer;
  return { kind: 'Refused', reason, message, until: after(at, again), at };
}
