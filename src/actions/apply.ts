import type { ActionLook, Attempt, Awaited } from '../core/actions/attempt.ts';
import type { AwaitedHealth } from '../core/health/awaited.ts';
import { describeHealth } from '../core/health/summary.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ApplyAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';

type HealthAwaited = Extract<Awaited, { kind: 'Health' }>;

/**
 * Applies the objects of the action's artifact. With `wait` they are waited for until all are healthy;
 * what the answers to the apply say already is taken for the first look.
 */
export async function attemptApply(
  { tools }: Pick<ActionContext, 'tools'>,
  apply: ApplyAction,
  call: CallOptions,
): Promise<Attempt> {
  const { objects } = await tools.render(apply, call);
  const health = await tools.apply(objects, call);
  // What has failed as of now is told by the next look.
  if (apply.wait !== true || allHealthy(health)) return { kind: 'Done' };
  return { kind: 'Await', awaited: { kind: 'Health', health } };
}

/** Reads what was applied again. An object that cannot be read is neither ready nor failed. */
export async function lookAtHealth(
  { tools }: Pick<ActionContext, 'tools'>,
  { health: before }: HealthAwaited,
  call: CallOptions,
): Promise<ActionLook> {
  const health = await tools.look(before, call);
  if (allHealthy(health)) return { kind: 'Done' };
  const message = describeHealth(health);
  if (health.some(({ status }) => status === 'Failed')) return { kind: 'Failed', message };
  return { kind: 'NotYet', message, awaited: { kind: 'Health', health } };
}

function allHealthy(health: readonly AwaitedHealth[]): boolean {
  return health.every(({ status }) => status === 'Current');
}
