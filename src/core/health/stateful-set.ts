import { countIn, objectIn, type ReadObject, textIn, wholeIn } from './fields.ts';
import { current, inProgress, type ObjectHealth } from './object-health.ts';

export function statefulSetHealth({ spec, status }: ReadObject): ObjectHealth {
  const strategy = objectIn(spec, 'updateStrategy');
  // People replace the Pods themselves, whenever they see fit: there is nothing to wait for.
  if (textIn(strategy, 'type') === 'OnDelete') return current('updated on deletion of its Pods');
  const wanted = countIn(spec, 'replicas', 1);
  const replicas = countIn(status, 'replicas', 0);
  const ready = countIn(status, 'readyReplicas', 0);
  if (replicas < wanted) return inProgress(`${replicas} of ${wanted} replicas created`);
  if (ready < wanted) return inProgress(`${ready} of ${wanted} replicas ready`);
  if (replicas > wanted) return inProgress(`${replicas - wanted} old replicas still terminating`);
  const partition = wholeIn(objectIn(strategy, 'rollingUpdate'), 'partition');
  return partition === undefined || partition === -1
    ? wholeSetHealth(status, wanted)
    : partitionHealth(status, wanted - partition);
}

/** Only the replicas from the partition on are to be updated. */
function partitionHealth(status: ReadObject['status'], wanted: number): ObjectHealth {
  const updated = countIn(status, 'updatedReplicas', 0);
  if (updated < wanted) {
    return inProgress(`${updated} of ${wanted} replicas above the partition updated`);
  }
  return current(`${updated} replicas updated, the partition is complete`);
}

function wholeSetHealth(status: ReadObject['status'], wanted: number): ObjectHealth {
  const atRevision = countIn(status, 'currentReplicas', 0);
  if (atRevision < wanted) {
    return inProgress(`${atRevision} of ${wanted} replicas at the current revision`);
  }
  if (textIn(status, 'currentRevision') !== textIn(status, 'updateRevision')) {
    return inProgress('update of its replicas not finished yet');
  }
  return current(`${wanted} of ${wanted} replicas ready`);
}
