import {
  type ExpressionResults,
  type ExpressionVerdict,
  type Subject,
  unreadVerdict,
  verdictOf,
} from '../core/health/expressions.ts';
import { healthNeedsRead } from '../core/health/status.ts';
import { identityOf } from '../core/objects/identity.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { ReadyExpression } from '../types/stages.ts';
import type { ExpressionEvaluator } from './expression-evaluator.ts';
import { type LiveObjects, type Reader, readEach, readOwned } from './read-live.ts';

/** Milliseconds that the evaluations of one look may take together, so that no stage keeps a worker. */
const lookBound = 3000;

/**
 * Asks `readyChecks.exprs` about the live copies of their objects (part A 6.4). What the look has read
 * already is not read again.
 */
export async function askExpressions(
  exprs: readonly ReadyExpression[],
  subjects: readonly Subject[],
  known: LiveObjects,
  reader: Reader,
  evaluator: ExpressionEvaluator,
  call: CallOptions,
): Promise<ExpressionVerdict[]> {
  const live = await readSubjects(subjects, known, reader, call);
  const verdicts: ExpressionVerdict[] = [];
  const end = performance.now() + lookBound;
  for (const { object, exprs: indices } of subjects) {
    const found = live.get(identityOf(object));
    for (const index of indices) {
      const expr = exprs[index];
      if (expr === undefined) continue;
      const why = whyNot(found, end);
      verdicts.push(
        found === undefined || found instanceof Error || why !== undefined
          ? unreadVerdict(object, index, expr, why ?? 'not found')
          : verdictOf(object, index, await results(expr, found, evaluator, reader, call.signal)),
      );
    }
  }
  return verdicts;
}

function whyNot(found: KubernetesObject | Error | undefined, end: number): string | undefined {
  if (found instanceof Error) return found.message;
  return performance.now() > end
    ? `the expressions of the stage took longer than ${lookBound / 1000} s together`
    : undefined;
}

async function readSubjects(
  subjects: readonly Subject[],
  known: LiveObjects,
  reader: Reader,
  call: CallOptions,
): Promise<LiveObjects> {
  const objects = subjects.map(({ object }) => object);
  const unread = objects.filter((object) => !known.has(identityOf(object)));
  // An expression may look at all of an object, of which the health needs the metadata only.
  const [told, whole] = [
    unread.filter(healthNeedsRead),
    objects.filter((object) => !healthNeedsRead(object)),
  ];
  return new Map([
    ...known,
    ...(await readOwned(told, reader, call)),
    ...(await readEach(whole, 'Whole', reader.client, call)),
  ]);
}

async function results(
  { failed, current, inProgress }: ReadyExpression,
  object: KubernetesObject,
  evaluator: ExpressionEvaluator,
  { owner }: Reader,
  signal: AbortSignal,
): Promise<ExpressionResults> {
  const answers: { -readonly [Field in keyof ExpressionResults]: ExpressionResults[Field] } = {};
  for (const [field, text = ''] of Object.entries({ failed, current, inProgress })) {
    if (text !== '' && isField(field)) {
      answers[field] = await evaluator.evaluate(text, object, owner.namespace, signal);
    }
  }
  return answers;
}

function isField(name: string): name is keyof ExpressionResults {
  return name === 'failed' || name === 'current' || name === 'inProgress';
}
