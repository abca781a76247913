import { type Answers, type Ask } from '../core/gates/asks.ts';
import {
  type VersionAnswer,
  type VersionAnswers,
  type VersionAsk,
  versionAskKey,
} from '../core/version/version-asks.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import { answersTo, type GateAnswersOptions } from './gate-answers.ts';

/** Answers to what was asked. */
export interface FoundOut {
  readonly gates: Answers;
  readonly versions: VersionAnswers;
}

/** Finds out a version, or the migrations to one; only the end of the call is thrown. */
export type VersionReader = (
  ask: VersionAsk,
  stageSet: StageSet,
  call: CallOptions,
) => Promise<VersionAnswer>;

export interface FindingOptions extends GateAnswersOptions {
  readonly version: VersionReader;
}

/** Finds out all that is asked, whether for gates or for versions; what cannot be read is an answer. */
export async function findOut(
  asks: readonly (Ask | VersionAsk)[],
  stageSet: StageSet,
  options: FindingOptions,
  call: CallOptions,
): Promise<FoundOut> {
  const ofGates = asks.filter((ask): ask is Ask => !isVersionAsk(ask));
  const ofVersions = asks.filter(isVersionAsk).map(async (ask) => {
    return [versionAskKey(ask), await options.version(ask, stageSet, call)] as const;
  });
  const gates = answersTo(ofGates, stageSet, options, call);
  return { gates: await gates, versions: new Map(await Promise.all(ofVersions)) };
}

export function isVersionAsk(ask: Ask | VersionAsk): ask is VersionAsk {
  return ask.kind === 'Version' || ask.kind === 'Ladder';
}
