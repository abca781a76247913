import type { StageSet } from '../types/stages.ts';

/**
 * The newer of two copies of one StageSet. resourceVersions of one resource are integers that grow
 * (KEP-5504); only we write the status, so the newest status that we wrote stands even where the
 * other copy has a newer spec.
 */
export function newest(ours: StageSet | undefined, observed: StageSet): StageSet {
  if (ours === undefined || ours.metadata.uid !== observed.metadata.uid) return observed;
  if (!isNewer(observed, ours)) return ours;
  return ours.status === undefined ? observed : { ...observed, status: ours.status };
}

function isNewer(one: StageSet, other: StageSet): boolean {
  const left = one.metadata.resourceVersion ?? '';
  const right = other.metadata.resourceVersion ?? '';
  return left.length === right.length ? left > right : left.length > right.length;
}
