import type { KubernetesClient } from '../kubernetes/client.ts';
import { isJsonObject, stringAt } from '../kubernetes/shapes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { ApiServiceTarget } from './api-service.ts';
import { httpsProbe, type Probe } from './https-probe.ts';

/**
 * Probes the API through its Service as the aggregator reaches it: at its cluster IP, or where an
 * ExternalName leads. No cluster DNS is needed. Needs `get` on the Service.
 */
export function serviceProbe(client: KubernetesClient, target: ApiServiceTarget): Probe {
  const { namespace, name, port } = target;
  const reference = { apiVersion: 'v1', kind: 'Service', namespace, name };
  return async (caBundle, signal) => {
    const found = await service(async () => await client.find(reference, { signal }));
    if (typeof found === 'string') return found;
    const connectTo = addressOf(found);
    if (connectTo === undefined) return `Service ${namespace}/${name} has no address to connect to`;
    return await httpsProbe({ host: `${name}.${namespace}.svc`, port, connectTo })(
      caBundle,
      signal,
    );
  };

  async function service(
    find: () => Promise<KubernetesObject | undefined>,
  ): Promise<KubernetesObject | string> {
    try {
      return (await find()) ?? `Service ${namespace}/${name} does not exist`;
    } catch (error) {
      return error instanceof Error ? error.message : 'the Service could not be read';
    }
  }
}

function addressOf({ spec }: KubernetesObject): string | undefined {
  if (!isJsonObject(spec)) return undefined;
  const ip = stringAt(spec, 'clusterIP') ?? '';
  const external = stringAt(spec, 'externalName') ?? '';
  const address = stringAt(spec, 'type') === 'ExternalName' ? external : ip;
  return address === '' || address === 'None' ? undefined : address;
}
