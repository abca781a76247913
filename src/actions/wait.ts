import type { Attempt } from '../core/actions/attempt.ts';
import { compileExpression } from '../core/cel/compile.ts';
import { TerminalError } from '../core/errors.ts';
import type { WaitAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';

/**
 * Begins to wait until an object satisfies an expression (part A 7.3). Nothing is asked of the cluster
 * yet: even the kind of the object may only come to exist.
 *
 * @throws TerminalError for an expression that is none, or has nothing to look at.
 */
export function attemptWait(
  { stageSet }: Pick<ActionContext, 'stageSet'>,
  { target, expr = '' }: WaitAction,
): Attempt {
  const reason = 'InvalidSpec';
  if (expr === '') throw new TerminalError('wait needs a duration, or expr and target', { reason });
  if (target === undefined) {
    throw new TerminalError('wait.expr needs a target to look at', { reason });
  }
  const compiled = compileExpression(expr);
  if (compiled.kind === 'Refused') {
    throw new TerminalError(`wait.expr: ${compiled.message}`, { reason });
  }
  const { apiVersion = '', kind, name, namespace = '' } = target;
  const place = namespace === '' ? stageSet.namespace : namespace;
  const awaited = {
    kind: 'Expression',
    target: { apiVersion, kind, namespace: place, name },
    expression: expr,
  } as const;
  return { kind: 'Await', awaited };
}
