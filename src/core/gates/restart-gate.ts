import type { RestartCheck, RestartGate } from '../../types/stages.ts';
import type { Answers } from './asks.ts';
import { type Ask, askKey } from './asks.ts';
import type { RestartTally } from './promotion-memory.ts';
import { isPassed, type PromotionQuestion } from './promotion-question.ts';

/** A check of a gate that is over its limit. */
export interface Breach {
  readonly check: string;
  readonly count: number;
  readonly limit: number;
  readonly onFailure: 'Hold' | 'Rollback';
}

/** The checks of the gate; none where it is not asked, or passed by hand. */
export function restartChecks(question: PromotionQuestion): readonly RestartCheck[] {
  if (isPassed('RestartGate', question)) return [];
  return question.promotion?.restartGate?.checks ?? [];
}

export function restartAsk({ stage }: PromotionQuestion, check: RestartCheck): Ask {
  return { kind: 'Restarts', stage, check };
}

/**
 * The tally of a check after its pods were counted. The first count ever is the baseline. Where it
 * falls below that, pods of then are gone: what the others do from now on is not hidden behind them,
 * while pods that do not restart never add to it.
 */
export function counted(
  before: RestartTally | undefined,
  { name }: RestartCheck,
  observed: number,
): RestartTally {
  return { check: name, baseline: Math.min(before?.baseline ?? observed, observed), observed };
}

/** The first check with more restarts since the baseline than it allows (part B 3.3). */
export function restartBreach(
  tallies: readonly RestartTally[],
  question: PromotionQuestion,
): Breach | undefined {
  for (const check of restartChecks(question)) {
    const tally = tallies.find(({ check: name }) => name === check.name);
    if (tally?.observed === undefined) continue;
    const excess = Math.max(0, tally.observed - tally.baseline);
    const limit = check.maxRestarts ?? 0;
    if (excess <= limit) continue;
    return {
      check: check.name,
      count: excess,
      limit,
      onFailure: onFailureOf(question.promotion?.restartGate, check),
    };
  }
  return undefined;
}

/**
 * The tallies after a promotion: all restarts up to now are forgiven, those too that were last seen
 * before a person passed the gate without a new count.
 */
export function forgiven(
  tallies: readonly RestartTally[],
  {
    promotion,
    stage,
    answers,
  }: Pick<PromotionQuestion, 'promotion' | 'stage'> & {
    readonly answers: Answers;
  },
): RestartTally[] {
  return (promotion?.restartGate?.checks ?? []).flatMap((check) => {
    const tally = tallies.find(({ check: name }) => name === check.name);
    const answer = answers.get(askKey({ kind: 'Restarts', stage, check }));
    const newest = answer?.kind === 'Value' ? answer.value : (tally?.observed ?? tally?.baseline);
    return newest === undefined
      ? []
      : [{ check: check.name, baseline: newest, observed: undefined }];
  });
}

export function onFailureOf(
  gate: Pick<RestartGate, 'onFailure'> | undefined,
  check: { readonly onFailure?: 'Hold' | 'Rollback' },
): 'Hold' | 'Rollback' {
  return check.onFailure ?? gate?.onFailure ?? 'Hold';
}
