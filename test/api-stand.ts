import { freePorts } from '../dev/cluster/ports.ts';
import type { ControllerProcess } from '../dev/controller-process.ts';
import type { Playground } from '../dev/playground.ts';
import { untilObjects } from './watching.ts';

const namespace = 'stageset-system';
const apiService = 'v1.subresources.stages.metio.wtf';

/** A process with the aggregated API, reached through the real aggregator. */
export interface ApiStand {
  readonly process: ControllerProcess;
  /** Flags of a further process of the same installation. */
  readonly flags: readonly string[];
}

/**
 * Starts a controller that serves the aggregated API too, behind a Service that leads to this
 * machine, and waits until the API server passes requests on to it.
 */
export async function startApi(
  { client, startController }: Playground,
  roles = 'controller,api',
): Promise<ApiStand> {
  const call = { signal: AbortSignal.timeout(60_000) };
  const [port = 0] = await freePorts(1);
  const name = `api-${port}`;
  const metadata = { name: namespace };
  await client.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata },
    { fieldManager: 'test', force: true },
    call,
  );
  const spec = { type: 'ExternalName', externalName: 'localhost' };
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec };
  await client.create(service, {}, call);
  const flags = [
    `--namespace=${namespace}`,
    '--webhook-cert-mode=self-signed',
    `--api-service-name=${name}`,
    `--api-service-port=${port}`,
    '--log-level=debug',
  ];
  const api = [
    `--roles=${roles}`,
    `--api-bind-address=127.0.0.1:${port}`,
    '--api-shutdown-delay=0s',
  ];
  const process = await startController({ flags: [...flags, ...api] });
  await untilObjects(
    client,
    { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' },
    (seen) => {
      const status = seen.get(apiService)?.['status'];
      return JSON.stringify(status ?? {}).includes('"reason":"Passed"') ? true : undefined;
    },
  );
  return { process, flags };
}
