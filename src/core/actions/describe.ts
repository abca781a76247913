import { describeObject } from '../objects/identity.ts';
import { toRfc3339 } from '../time.ts';
import type { Acting, ActionWait } from './acting.ts';
import type { Awaited } from './attempt.ts';
import { operationOfHook } from './attempts.ts';

/** What an action is at, on one line. */
export function describeActing({ hook, action, attempt, phase, trouble }: Acting): string {
  const what = `${operationOfHook(hook)} ${action}`;
  const tries = attempt === 1 ? '' : `, attempt ${attempt}`;
  switch (phase.kind) {
    case 'Due':
      return `${what}${tries}${trouble === undefined ? '' : ` (before: ${trouble})`}`;
    case 'Awaiting':
      return `${what}${tries}, waiting for ${describeAwaited(phase)}`;
    case 'Ended':
    case 'CleaningUp':
      return `${what}${tries}, over`;
  }
}

function describeAwaited({ awaited, found }: ActionWait): string {
  const last = found === undefined ? '' : `: ${found}`;
  return `${thing(awaited)}${last}`;
}

function thing(awaited: Awaited): string {
  switch (awaited.kind) {
    case 'Time':
      return toRfc3339(awaited.until);
    case 'Expression':
      return describeReference(awaited.target);
    case 'Jobs':
      return awaited.jobs.map(describeReference).join(', ');
    case 'Health':
      return `${awaited.health.length} object(s) to be healthy`;
  }
}

function describeReference(object: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}): string {
  const { apiVersion, kind, namespace, name } = object;
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return describeObject({ apiVersion, kind, metadata });
}
