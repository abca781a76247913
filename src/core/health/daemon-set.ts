import { countIn, type ReadObject, wholeIn } from './fields.ts';
import { current, inProgress, type ObjectHealth } from './object-health.ts';

export function daemonSetHealth({ object, status }: ReadObject): ObjectHealth {
  // Without both, its controller has not looked at it, and the counts of zero mean nothing.
  const seen =
    object.metadata.generation !== undefined && wholeIn(status, 'observedGeneration') !== undefined;
  const wanted = wholeIn(status, 'desiredNumberScheduled');
  if (!seen || wanted === undefined || wanted === -1) {
    return inProgress('not observed by its controller yet');
  }
  const counts = [
    ['currentNumberScheduled', 'scheduled'],
    ['updatedNumberScheduled', 'updated'],
    ['numberAvailable', 'available'],
    ['numberReady', 'ready'],
  ] as const;
  for (const [field, what] of counts) {
    const count = countIn(status, field, 0);
    if (count < wanted) return inProgress(`${count} of ${wanted} Pods ${what}`);
  }
  return current(`${wanted} of ${wanted} Pods ready`);
}
