import type { EventCheck, MetricSource, RestartCheck } from '../../types/stages.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { Instant } from '../time.ts';

/**
 * What a gate must know and only a look outside tells. A decision says what it wants to know; the
 * controller (or a plan) finds out, in the background, and decides again with the answers.
 */
export type Ask =
  /** The value of a metric, read as the account of the whole StageSet (part B 4.5). */
  | { readonly kind: 'Metric'; readonly source: MetricSource }
  /** Container restarts of matching pods, as the stage's account on its cluster (part B 3.3). */
  | { readonly kind: 'Restarts'; readonly stage: string; readonly check: RestartCheck }
  /** Warning events of matching pods, likewise (part B 3.4). */
  | { readonly kind: 'Events'; readonly stage: string; readonly check: EventCheck };

export type Answer =
  | { readonly kind: 'Value'; readonly value: number; readonly at: Instant }
  /** It may be readable the next time. The message names no secret and nothing of a response. */
  | { readonly kind: 'Unreadable'; readonly message: string; readonly at: Instant }
  /** The API server refuses: who needs which verb on what. */
  | { readonly kind: 'Denied'; readonly message: string; readonly at: Instant };

/** What was found out, the newest answer to each ask; bounded by who keeps it. */
export type Answers = ReadonlyMap<string, Answer>;

/** Equal for asks that want to know the same. */
export function askKey(ask: Ask): string {
  return canonicalJson(ask);
}

/** The newest answer to an ask that is no older than that; undefined where it is still to be asked. */
export function answerSince(answers: Answers, ask: Ask, since: Instant): Answer | undefined {
  const answer = answers.get(askKey(ask));
  return answer === undefined || answer.at < since ? undefined : answer;
}
