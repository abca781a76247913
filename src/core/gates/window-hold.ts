import type { Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { StageSet, StageSetSpec, WindowScope } from '../../types/stages.ts';
import { type Instant, toRfc3339, toWholeSecond } from '../time.ts';
import { overrideNeeds } from './needs.ts';
import { updateNowCommand } from './override.ts';
import {
  type DecidingWindow,
  decideWindows,
  type WindowsDecision,
  type WindowsProblem,
  windowFaultPath,
} from './windows.ts';

/** What is known when the windows of a StageSet are asked, before a run begins (part B 1.4). */
export interface WindowQuestion {
  readonly stageSet: StageSet;
  readonly spec: StageSetSpec;
  /** Whether the revision of some stage is not the one that is applied, or none is. */
  readonly newRevisions: boolean;
  readonly now: Instant;
  /** Since when they hold; undefined where they did not until now. */
  readonly since: Instant | undefined;
  /** Whether a person has opened them for what is pinned now. */
  readonly overridden: boolean;
}

export type WindowVerdict =
  | { readonly kind: 'Open' }
  | {
      readonly kind: 'Held';
      readonly hold: Hold;
      /**
       * For the Ready condition, behind `Deployed; ` where something is: which window, since when,
       * how to pass it, and last when it opens.
       */
      readonly message: string;
      /** When the windows permit it; undefined where no such time is known. */
      readonly until: Instant | undefined;
      /** `Updates`: what is deployed is still to be kept as it is. `All`: nothing is to be done. */
      readonly scope: WindowScope;
    };

/**
 * Whether the windows let a run begin. Under `Updates` they hold new revisions only: a changed spec
 * is carried out, and drift is corrected.
 */
export function decideWindowGate(question: WindowQuestion): WindowVerdict {
  const { spec, newRevisions, now, overridden } = question;
  const { updateWindows = [], windowScope: scope = 'Updates' } = spec;
  if (overridden || updateWindows.length === 0) return { kind: 'Open' };
  if (scope === 'Updates' && !newRevisions) return { kind: 'Open' };
  const decision = decideWindows(updateWindows, now);
  if (decision.kind === 'Problem') return heldByFault(question, decision, scope);
  return decision.allowed ? { kind: 'Open' } : held(question, decision, scope);
}

function held(
  question: WindowQuestion,
  decision: WindowsDecision,
  scope: WindowScope,
): WindowVerdict {
  const { stageSet, now, since = now } = question;
  const { nextChange } = decision;
  const which = `held by update window${whichWindow(question, decision)}`;
  const all = scope === 'All' ? '; windowScope All holds the correction of drift, too' : '';
  const opens =
    nextChange === undefined
      ? 'no time is known at which it opens: change spec.updateWindows'
      : `it opens at ${toRfc3339(toWholeSecond(nextChange))}`;
  const command = updateNowCommand(stageSet);
  return {
    kind: 'Held',
    hold: {
      gate: 'UpdateWindow',
      reason: `Delivery is ${which}${all}; ${opens}`,
      since: toRfc3339(since),
      ...(nextChange === undefined ? {} : { until: toRfc3339(toWholeSecond(nextChange)) }),
      // Where no time will release it, somebody has to change the windows, or to pass them.
      releasedBy: nextChange === undefined ? 'Repair' : 'Time',
      needs: overrideNeeds,
      command,
    },
    message:
      `delivery ${which} since ${toRfc3339(since)}${all}; to pass it now: ${command}, ` +
      `or stagesets/advance with gate UpdateWindow and override; ${opens}`,
    until: nextChange,
    scope,
  };
}

/** Follows on "held by update window". */
function whichWindow({ spec }: WindowQuestion, { by, nextChange }: WindowsDecision): string {
  if (by !== undefined) return ` ${named(by)}`;
  const next =
    nextChange === undefined ? undefined : decideWindows(spec.updateWindows ?? [], nextChange);
  const opening = next?.kind === 'Decided' ? next.by : undefined;
  return opening === undefined
    ? 's, of which no Allow is active'
    : ` ${named(opening)}, not active yet`;
}

function named({ index, description }: DecidingWindow): string {
  return `spec.updateWindows[${index}], ${description}`;
}

/** Such a spec is refused before any gate is asked; should it come here, nothing passes. */
function heldByFault(
  { stageSet, now, since = now }: WindowQuestion,
  problem: WindowsProblem,
  scope: WindowScope,
): WindowVerdict {
  const why = `held by update window: ${windowFaultPath(problem)} ${problem.message}`;
  return {
    kind: 'Held',
    hold: {
      gate: 'UpdateWindow',
      reason: `Delivery is ${why}`,
      since: toRfc3339(since),
      releasedBy: 'Repair',
      needs: overrideNeeds,
      command: updateNowCommand(stageSet),
    },
    message: `delivery ${why}`,
    until: undefined,
    scope,
  };
}
