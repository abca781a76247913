import { type ReadObject, textIn } from './fields.ts';
import { current, inProgress, type ObjectHealth } from './object-health.ts';

export function persistentVolumeClaimHealth({ status }: ReadObject): ObjectHealth {
  const phase = textIn(status, 'phase');
  if (phase === 'Bound') return current('bound');
  return inProgress(`not bound, phase ${phase ?? 'unknown'}`);
}
