import type { CloudEndpoints } from './cloud/identity.ts';
import type { Config } from './config/config.ts';
import type { RemoteAccess } from './controller/clusters.ts';
import { Guard } from './network/guard.ts';
import type { Metrics } from './server/metrics.ts';

const reachingClusters = {
  refusal: 'no API server is reached at',
  advice: 'Name the cluster',
};

/**
 * How the clusters of `spec.kubeConfig` are reached: past the same guard as artifacts, which checks the
 * address that is connected to, whatever a name resolved to before.
 */
export function remoteAccess(
  { allowedClusterHosts }: Pick<Config, 'allowedClusterHosts'>,
  clouds: CloudEndpoints,
  client?: Metrics['client'],
): RemoteAccess {
  const guard = new Guard({ allowedHosts: allowedClusterHosts, purpose: reachingClusters });
  return {
    connector: (options) => guard.connector(options),
    clouds,
    ...(client === undefined
      ? {}
      : { observe: (host, { method, code }) => client.requestEnded({ method, code, host }) }),
  };
}
