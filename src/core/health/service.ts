import { type ReadObject, textIn } from './fields.ts';
import { current, inProgress, type ObjectHealth } from './object-health.ts';

export function serviceHealth({ spec }: ReadObject): ObjectHealth {
  const waits = textIn(spec, 'type') === 'LoadBalancer' && (textIn(spec, 'clusterIP') ?? '') === '';
  return waits ? inProgress('no cluster IP yet') : current('exists');
}
