import { askExpressions } from '../apply/ask-expressions.ts';
import type { ExpressionEvaluator } from '../apply/expression-evaluator.ts';
import { lookAtHealth } from '../apply/look-at-health.ts';
import type { Reader } from '../apply/read-live.ts';
import type { AwaitedHealth } from '../core/health/awaited.ts';
import { subjectsOf } from '../core/health/expressions.ts';
import type { ExpressionWait, Wait } from '../core/run.ts';
import { verifyBoundOf } from '../core/schedule.ts';
import type { Clock, Instant } from '../core/time.ts';
import { afterLook, allCurrent, beginWait } from '../core/waits.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ReadyCheck, Stage, StageSet } from '../types/stages.ts';

/**
 * The wait that begins when all of a stage is applied (part A 6.1): for the applied objects unless
 * `disableWait` says otherwise, for those of `readyChecks.checks`, and for what `readyChecks.exprs` say
 * of the applied ones.
 */
export function beginVerifying(
  { spec, metadata }: StageSet,
  stage: Stage,
  applied: readonly AwaitedHealth[],
  now: Instant,
): Wait {
  const { readyChecks } = stage;
  const checks = (readyChecks?.checks ?? []).map((check) => checkOf(check, metadata.namespace));
  const awaited = readyChecks?.disableWait === true ? [] : applied;
  const subjects = subjectsOf(
    readyChecks?.exprs ?? [],
    applied.map(({ object }) => object),
  );
  const expressions: ExpressionWait | undefined =
    subjects.length === 0 ? undefined : { subjects, verdicts: undefined };
  const bound = verifyBoundOf(spec ?? { stages: [] }, stage.name);
  return beginWait(now, bound, [...awaited, ...checks], expressions);
}

/** In the StageSet's namespace unless it names one; the first look settles whether it has any. */
function checkOf(check: ReadyCheck, ownNamespace: string | undefined): AwaitedHealth {
  const { kind, name } = check;
  const apiVersion = orElse(check.apiVersion, 'v1');
  const namespace = orElse(check.namespace, ownNamespace ?? '');
  return {
    object: { apiVersion, kind, namespace, name },
    ifMissing: { status: 'NotFound', message: 'not found' },
    origin: 'Check',
    status: 'Unknown',
    message: 'not read yet',
  };
}

function orElse(text: string | undefined, otherwise: string): string {
  return text === undefined || text === '' ? otherwise : text;
}

export interface Lookers {
  readonly reader: Reader;
  readonly evaluator: ExpressionEvaluator;
  readonly clock: Clock;
  /** Whether watches tell of every change of these objects. */
  readonly newsOf: (health: readonly AwaitedHealth[]) => 'Watched' | 'Polled';
}

/**
 * The wait after another look: at the objects first, and at the expressions as soon as all of those
 * are current, in the same look (part A 6.1).
 */
export async function lookAgain<Step extends Wait>(
  step: Step,
  { readyChecks }: Stage,
  { reader, evaluator, clock, newsOf }: Lookers,
  call: CallOptions,
): Promise<Step> {
  const began = clock();
  const { health, live } = await lookAtHealth(step.health, reader, began, call);
  const { expressions } = step;
  const news = newsOf(health);
  if (expressions === undefined) return afterLook(step, { health, news, began, ended: clock() });
  const { subjects } = expressions;
  const exprs = readyChecks?.exprs ?? [];
  const verdicts = allCurrent({ health })
    ? await askExpressions(exprs, subjects, live, reader, evaluator, call)
    : undefined;
  const asked = { subjects, verdicts };
  return afterLook(step, { health, expressions: asked, news, began, ended: clock() });
}
