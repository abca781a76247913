import { between, type Instant, instant, seconds } from '../time.ts';
import { objectIn, objectsIn, type ReadObject, textIn } from './fields.ts';
import { current, failed, inProgress, type ObjectHealth } from './object-health.ts';

/** How long a Pod may find no node before that counts as a failure: one may be on its way. */
const scheduleWindow = seconds(15);

export function podHealth(pod: ReadObject, at: Instant): ObjectHealth {
  const phase = textIn(pod.status, 'phase') ?? '';
  switch (phase) {
    case 'Succeeded':
      return current('completed');
    // Its owner decides what that means; a bare Pod has nothing more to wait for (part A 6.3).
    case 'Failed':
      return current('completed, but not successfully');
    case 'Running':
      return runningHealth(pod);
    case 'Pending':
      return pendingHealth(pod, at);
    case '':
      return inProgress('not observed yet');
    default:
      return { status: 'Unknown', message: `phase ${phase} is not a phase of a Pod` };
  }
}

function runningHealth({ status, conditions }: ReadObject): ObjectHealth {
  if (conditions.some(({ type, status: state }) => type === 'Ready' && state === 'True')) {
    return current('ready');
  }
  const crashing = objectsIn(status, 'containerStatuses')
    .filter((container) => {
      const waiting = objectIn(objectIn(container, 'state'), 'waiting');
      return textIn(waiting, 'reason') === 'CrashLoopBackOff';
    })
    .map((container) => textIn(container, 'name') ?? '');
  if (crashing.length > 0) return failed(`crash loop in container ${crashing.join(', ')}`);
  return inProgress('running but not ready');
}

function pendingHealth({ object, conditions }: ReadObject, at: Instant): ObjectHealth {
  const unschedulable = conditions.some(
    ({ type, status, reason }) =>
      type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable',
  );
  if (!unschedulable) return inProgress('pending');
  // A Pod that does not say since when it waits has waited long enough.
  const createdAt = instant(Date.parse(object.metadata.creationTimestamp ?? ''));
  if (between(createdAt, at) < scheduleWindow) return inProgress('no node for it yet');
  return failed('no node can take it');
}
