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

const keys = ['provider', 'cluster', 'address', 'ca.crt', 'audiences', 'serviceAccountName'];
const cloudProviders = ['aws', 'azure', 'gcp'];
const mostAudiences = 20;
const name = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/**
 * Reads the `data` of the ConfigMap that describes a cluster.
 *
 * @throws TerminalError with reason `InvalidSpec` that names the key.
 */
export function readClusterConfigMap(data: unknown): GenericCluster {
  const values = valuesOf(data);
  refuseOtherProviders(values.get('provider'));
  const given = values.get('address');
  if (given === undefined) throw invalid('address', 'is missing; set it to https://host:port');
  const address = readServerAddress(given);
  if ('problem' in address) throw invalid('address', address.problem);
  const ca = values.get('ca.crt');
  return {
    server: address.url,
    ...(ca === undefined ? {} : { ca }),
    serviceAccountName: accountOf(values.get('serviceAccountName')),
    audiences: audiencesOf(values.get('audiences'), given),
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

function refuseOtherProviders(provider: string | undefined): void {
  if (provider === 'generic') return;
  if (provider === undefined) throw invalid('provider', 'is missing; this build knows generic');
  const problem = cloudProviders.includes(provider)
    ? `is ${provider}, which this build cannot log in with: it has the provider generic only. ` +
      'Use that, or a kubeconfig by secretRef'
    : 'is unknown; this build knows generic';
  throw invalid('provider', problem);
}

/**
 * Flux falls back to the controller's own ServiceAccount here. That would hand a credential of the
 * controller to whatever address a tenant writes down.
 */
function accountOf(account: string | undefined): string {
  if (account === undefined) {
    throw invalid('serviceAccountName', 'is missing; name the ServiceAccount to log in with');
  }
  if (!name.test(account)) throw invalid('serviceAccountName', 'is no name of a ServiceAccount');
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
