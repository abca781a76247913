import type { PlannedChange } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../types/kubernetes.ts';
import { groupOf, referenceTo } from '../objects/identity.ts';

/** Kinds with which data goes that no release brings back, as `group/kind`. */
const dataKinds: ReadonlySet<string> = new Set([
  '/Namespace',
  '/PersistentVolume',
  '/PersistentVolumeClaim',
  'apiextensions.k8s.io/CustomResourceDefinition',
]);

/** A change of one object, with the warning that data goes with it where it does. */
export function plannedChange(
  verb: PlannedChange['verb'],
  object: KubernetesObject,
  details: Pick<PlannedChange, 'owner' | 'error' | 'fields'> = {},
): PlannedChange {
  const { apiVersion, kind, name, namespace } = referenceTo(object);
  const deletes = verb === 'Prune' || verb === 'Recreate';
  const dataBearing = deletes && dataKinds.has(`${groupOf(apiVersion)}/${kind}`);
  return {
    verb,
    apiVersion,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(dataBearing ? { dataBearing } : {}),
    ...details,
  };
}
