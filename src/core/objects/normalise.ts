import { Buffer } from 'node:buffer';
import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import { TerminalError } from '../errors.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { withoutPlaceholderBundle } from './conversion-webhook.ts';
import { describeObject, groupOf, referenceTo } from './identity.ts';

/**
 * An object as it is applied (part A 4.6): without what only a server may say, and with the defaults
 * that server-side apply needs to tell list items apart. RBAC roles are left exactly as written.
 *
 * @throws TerminalError for a Secret whose stringData is not text; it names the key, never the value.
 */
export function normalise(object: KubernetesObject): KubernetesObject {
  const { apiVersion, kind } = object;
  if (apiVersion === 'rbac.authorization.k8s.io/v1' && /^(?:Cluster)?Role$/.test(kind))
    return object;
  const cleaned = withoutServerFields(object);
  if (kind === 'CustomResourceDefinition') return withoutPlaceholderBundle(cleaned);
  if (apiVersion === 'v1' && kind === 'Secret') return withStringData(cleaned);
  if (apiVersion === 'v1' && kind === 'Service')
    return at(cleaned, ['spec', 'ports'], withProtocols);
  const podSpec = podSpecs.get(`${groupOf(apiVersion)}/${kind}`);
  return podSpec === undefined ? cleaned : at(cleaned, podSpec, withContainerProtocols);
}

/** Where the built-in kinds have their pod, by group and kind. */
const podSpecs: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['/Pod', ['spec']],
  ['/PodTemplate', ['template', 'spec']],
  ['/ReplicationController', ['spec', 'template', 'spec']],
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].map(
    (kind) => [`apps/${kind}`, ['spec', 'template', 'spec']] as const,
  ),
  ['batch/Job', ['spec', 'template', 'spec']],
  ['batch/CronJob', ['spec', 'jobTemplate', 'spec', 'template', 'spec']],
]);

const containerFields = ['containers', 'initContainers', 'ephemeralContainers'];

function withoutServerFields(object: KubernetesObject): KubernetesObject {
  const cleaned: KubernetesObject = { ...object, metadata: { ...object.metadata } };
  delete cleaned.metadata.creationTimestamp;
  if (object.kind !== 'CustomResourceDefinition') delete cleaned['status'];
  return cleaned;
}

/** `stringData` moves into `data`, over what is there, as the API server does on every write. */
function withStringData(secret: KubernetesObject): KubernetesObject {
  const { stringData } = secret;
  if (stringData === undefined) return secret;
  const moved = { ...secret };
  delete moved['stringData'];
  if (stringData === null) return moved;
  if (!isJsonObject(stringData)) throw notText(secret, 'stringData');
  const data: JsonObject = isJsonObject(secret['data']) ? { ...secret['data'] } : {};
  for (const [key, value] of Object.entries(stringData)) {
    if (typeof value !== 'string') throw notText(secret, `stringData.${key}`);
    data[key] = Buffer.from(value).toString('base64');
  }
  return { ...moved, data };
}

function notText(secret: KubernetesObject, field: string): TerminalError {
  return new TerminalError(
    `${describeObject(secret)}: ${field} must be text; put the value in quotes`,
    { reason: 'StageFailed', object: referenceTo(secret) },
  );
}

function withContainerProtocols(podSpec: unknown): unknown {
  if (!isJsonObject(podSpec)) return podSpec;
  const changed: JsonObject = { ...podSpec };
  for (const field of containerFields) {
    const containers = podSpec[field];
    if (!Array.isArray(containers)) continue;
    changed[field] = (containers as unknown[]).map((container) =>
      isJsonObject(container) && Array.isArray(container['ports'])
        ? { ...container, ports: withProtocols(container['ports']) }
        : container,
    );
  }
  return changed;
}

/** Ports are told apart by number and protocol, so the default must be written down. */
function withProtocols(ports: unknown): unknown {
  if (!Array.isArray(ports)) return ports;
  return (ports as unknown[]).map((port) => {
    if (!isJsonObject(port)) return port;
    const { protocol } = port;
    const absent = protocol === undefined || protocol === null || protocol === '';
    return absent ? { ...port, protocol: 'TCP' } : port;
  });
}

/** A copy with the value at a path changed; the object itself where the path does not exist. */
function at<T extends JsonObject>(
  object: T,
  [field, ...rest]: readonly string[],
  change: (value: unknown) => unknown,
): T {
  if (field === undefined || object[field] === undefined) return object;
  const value = object[field];
  if (rest.length === 0) return { ...object, [field]: change(value) };
  return isJsonObject(value) ? { ...object, [field]: at(value, rest, change) } : object;
}
