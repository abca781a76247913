import {
  type CloudClusterName,
  type CloudProvider,
  cloudProviders,
  clusterForms,
  readCloudCluster,
} from './cloud-cluster.ts';
import { clusterInvalid } from './cluster-error.ts';
import { readServerAddress } from './server-address.ts';

/**
 * A cluster that takes tokens of the local cluster's ServiceAccounts: what a ConfigMap with the
 * provider `generic` says (part A 9.3, as Flux reads it).
 */
export interface GenericCluster {
  readonly server: URL;
  /** PEM; undefined trusts the usual authorities. */
  readonly ca?: string;
  /** ServiceAccount, in the namespace of the ConfigMap, whose token is presented. */
  readonly serviceAccountName: string;
  /** At least one; the address where none is named. */
  readonly audiences: readonly string[];
}

/** A managed cluster of a cloud, which takes the cloud's own tokens. */
export interface CloudCluster {
  readonly name: CloudClusterName;
  /** Where it is; undefined has the cloud asked. */
  readonly server?: URL;
  /** PEM; undefined has the cloud asked. */
  readonly ca?: string;
  /** ServiceAccount, in the namespace of the ConfigMap, that logs in; undefined for the controller. */
  readonly serviceAccountName?: string;
}

/** What a ConfigMap describes. */
export type DescribedCluster =
  | ({ readonly kind: 'Generic' } & GenericCluster)
  | ({ readonly kind: 'Cloud' } & CloudCluster);

const keys = ['provider', 'cluster', 'address', 'ca.crt', 'audiences', 'serviceAccountName'];
const mostAudiences = 20;
const name = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/**
 * Reads the `data` of the ConfigMap that describes a cluster.
 *
 * @throws TerminalError with reason `InvalidSpec` that names the key.
 */
export function readClusterConfigMap(data: unknown): DescribedCluster {
  const values = valuesOf(data);
  const provider = providerOf(values.get('provider'));
  if (provider !== 'generic') return { kind: 'Cloud', ...cloudCluster(provider, values) };
  const given = values.get('address');
  const server = addressOf(given);
  if (server === undefined || given === undefined) {
    throw invalid('address', 'is missing; set it to https://host:port');
  }
  const account = accountOf(values.get('serviceAccountName'));
  // Flux falls back to the controller's own ServiceAccount here. That would hand a credential of the
  // controller to whatever address a tenant writes down.
  if (account === undefined) {
    throw invalid('serviceAccountName', 'is missing; name the ServiceAccount to log in with');
  }
  const ca = values.get('ca.crt');
  return {
    kind: 'Generic',
    server,
    ...(ca === undefined ? {} : { ca }),
    serviceAccountName: account,
    audiences: audiencesOf(values.get('audiences'), given),
  };
}

function cloudCluster(provider: CloudProvider, values: ReadonlyMap<string, string>): CloudCluster {
  const form = clusterForms[provider];
  const given = values.get('cluster');
  if (given === undefined) throw invalid('cluster', `is missing; set it to ${form}`);
  const cluster = readCloudCluster(provider, given);
  if (cluster === undefined) throw invalid('cluster', `is not of the form ${form}`);
  if (values.has('audiences')) {
    throw invalid(
      'audiences',
      `is for the provider generic; ${provider} has one of its own: remove it`,
    );
  }
  const server = addressOf(values.get('address'));
  const ca = values.get('ca.crt');
  const account = accountOf(values.get('serviceAccountName'));
  return {
    name: cluster,
    ...(server === undefined ? {} : { server }),
    ...(ca === undefined ? {} : { ca }),
    ...(account === undefined ? {} : { serviceAccountName: account }),
  };
}

function valuesOf(data: unknown): Map<string, string> {
  const values = new Map<string, string>();
  if (typeof data !== 'object' || data === null) return values;
  for (const [key, value] of Object.entries(data)) {
    if (!keys.includes(key) || typeof value !== 'string') continue;
    if (value.trim() !== '') values.set(key, value.trim());
  }
  return values;
}

function providerOf(given: string | undefined): CloudProvider | 'generic' {
  const known = ['generic', ...cloudProviders] as const;
  const provider = known.find((each) => each === given);
  if (provider !== undefined) return provider;
  const problem = given === undefined ? 'is missing' : 'is unknown';
  throw invalid('provider', `${problem}; it is one of ${known.join(', ')}`);
}

function addressOf(given: string | undefined): URL | undefined {
  if (given === undefined) return undefined;
  const address = readServerAddress(given);
  if ('problem' in address) throw invalid('address', address.problem);
  return address.url;
}

function accountOf(account: string | undefined): string | undefined {
  if (account !== undefined && !name.test(account)) {
    throw invalid('serviceAccountName', 'is no name of a ServiceAccount');
  }
  return account;
}

function audiencesOf(text: string | undefined, address: string): string[] {
  const lines = (text ?? '').split('\n').map((line) => line.trim());
  const audiences = lines.filter((line) => line !== '');
  if (audiences.length > mostAudiences) {
    throw invalid('audiences', `are more than ${mostAudiences}`);
  }
  return audiences.length === 0 ? [address] : audiences;
}

function invalid(key: string, problem: string): Error {
  return clusterInvalid(`its key ${key} ${problem}`);
}
