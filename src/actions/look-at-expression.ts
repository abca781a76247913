import type { ActionLook, Awaited } from '../core/actions/attempt.ts';
import { describeObject } from '../core/objects/identity.ts';
import { seconds } from '../core/time.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ActionContext } from './action-context.ts';
import { apiVersionFor } from './target.ts';
import { tellSecretsOf } from './told-secrets.ts';

type AwaitedExpression = Extract<Awaited, { kind: 'Expression' }>;

/** A look that hangs must not be the last one. */
const lookBound = seconds(10);

/**
 * Whether the expression is true of its object now. Whatever keeps that from being known means "not
 * yet" and is what the message says (part A 7.3). A target without API version gets one as soon as its
 * kind is served.
 *
 * @throws the signal's reason when aborted, and nothing else.
 */
export async function lookAtExpression(
  { client, tools, onSecretValue }: Pick<ActionContext, 'client' | 'tools' | 'onSecretValue'>,
  awaited: AwaitedExpression,
  { signal }: CallOptions,
): Promise<ActionLook> {
  const call = { signal, timeout: lookBound };
  const { expression } = awaited;
  let { target } = awaited;
  const notYet = (why: string): ActionLook => ({
    kind: 'NotYet',
    message: `${describeObject(target)}: ${why}`,
    awaited: { ...awaited, target },
  });
  try {
    target = { ...target, apiVersion: await apiVersionFor(target, client, call) };
    const object = await client.find(target, call);
    if (object === undefined) return notYet('does not exist');
    tellSecretsOf(object, onSecretValue);
    if (await tools.evaluate(expression, object, call)) return { kind: 'Done' };
    return notYet('wait.expr is not true yet');
  } catch (error) {
    signal.throwIfAborted();
    return notYet(error instanceof Error ? error.message : String(error));
  }
}
