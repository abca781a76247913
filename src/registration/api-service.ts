import { isJsonObject, objectAt } from '../kubernetes/shapes.ts';
import type { JsonObject, KubernetesObject } from '../types/kubernetes.ts';
import type { Comparison } from './decide-registration.ts';

/** The Service that leads to the API replicas. */
export interface ApiServiceTarget {
  namespace: string;
  name: string;
  port: number;
}

const group = 'subresources.stages.metio.wtf';
const version = 'v1';

/** Names the APIService object. */
export const apiServiceReference = {
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  name: `${version}.${group}`,
};

const managedBy = 'app.kubernetes.io/managed-by';
const owner = 'stageset-controller';

/** The APIService as it should be. Without a bundle the API server's own trust decides. */
export function apiServiceFor(target: ApiServiceTarget, caBundle: string): KubernetesObject {
  const { apiVersion, kind, name } = apiServiceReference;
  return {
    apiVersion,
    kind,
    metadata: { name, labels: { [managedBy]: owner } },
    spec: specFor(target, caBundle),
  };
}

/** A merge patch that makes an APIService of ours what it should be. */
export function apiServicePatch(target: ApiServiceTarget, caBundle: string): JsonObject {
  return {
    spec: { caBundle: null, ...specFor(target, caBundle), insecureSkipTLSVerify: null },
  };
}

/** How a found APIService compares with what it should be. */
export function compareApiService(
  found: KubernetesObject | undefined,
  target: ApiServiceTarget,
  caBundle: string,
): Comparison {
  if (found === undefined) return 'Absent';
  if (found.metadata.labels?.[managedBy] !== owner) return 'Foreign';
  const spec = objectAt(found, 'spec');
  const wanted: JsonObject = { caBundle: undefined, ...specFor(target, caBundle) };
  const same = Object.entries(wanted).every(([field, value]) => holds(spec[field], value));
  return same && spec['insecureSkipTLSVerify'] !== true ? 'Current' : 'Outdated';
}

/** Far below the 1000 of CRDs: a bare `kubectl get stagesets` must keep meaning the CRD. */
const priority = 100;

function specFor({ namespace, name, port }: ApiServiceTarget, caBundle: string): JsonObject {
  return {
    group,
    version,
    groupPriorityMinimum: priority,
    versionPriority: priority,
    service: { namespace, name, port },
    ...(caBundle === '' ? {} : { caBundle: Buffer.from(caBundle).toString('base64') }),
  };
}

function holds(found: unknown, wanted: unknown): boolean {
  if (!isJsonObject(wanted)) return found === wanted;
  return (
    isJsonObject(found) &&
    Object.entries(wanted).every(([field, value]) => holds(found[field], value))
  );
}
