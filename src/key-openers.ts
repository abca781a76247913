import { awsCredentials } from './cloud/aws.ts';
import { azureAccessToken } from './cloud/azure.ts';
import { gcpAccessToken } from './cloud/gcp.ts';
import type { CloudEndpoints, CloudIdentity } from './cloud/identity.ts';
import type { CloudCredentials } from './cloud/key-services/credentials.ts';
import { KeyServices } from './cloud/key-services/key-services.ts';
import { vaultToken } from './cloud/key-services/vault-settings.ts';
import { VaultTransit } from './cloud/key-services/vault-transit.ts';
import type { Config, Environment } from './config/config.ts';
import { TerminalError } from './core/errors.ts';
import { AudienceTokens } from './kubernetes/audience-tokens.ts';
import type { KubernetesClient } from './kubernetes/client.ts';
import { serviceAccountUser } from './kubernetes/identity.ts';
import type { AccountName, KeyOpener, KeyOpeners } from './types/key-services.ts';

export interface KeyOpenersOptions {
  readonly config: Pick<Config, 'keyServices'>;
  /** Acts as the controller: it reads accounts, and has tokens made for them. */
  readonly client: KubernetesClient;
  readonly environment: Environment;
  /** Where the clouds are; the same object for all of the process. */
  readonly endpoints: CloudEndpoints;
}

/**
 * Says who asks key services (part A 10.1): the controller itself, or with `--object-level-kms` the
 * ServiceAccount of a StageSet that has one. Its credentials know nothing of the controller's then: there
 * is nothing to fall back to.
 */
export function keyOpeners({
  config,
  client,
  environment,
  endpoints,
}: KeyOpenersOptions): KeyOpeners {
  const { identity, vault: settings } = config.keyServices;
  const vault =
    settings === undefined
      ? undefined
      : new VaultTransit({ ...settings, token: async () => await vaultToken(environment) });
  const services = new KeyServices({ vault, endpoints });
  const tokens = new AudienceTokens(client);
  const openerFor = (name: string, credentials: CloudCredentials): KeyOpener => ({
    identity: name,
    open: async (sealed, signal) => await services.open(sealed, credentials, signal),
  });
  const own = credentialsOf('Controller', endpoints, async () =>
    Promise.resolve({ kind: 'Ambient' }),
  );
  return {
    of: (account) => {
      if (account === undefined || identity === 'Controller') return openerFor('controller', own);
      const identify = federatedIdentity(account, client, tokens);
      const user = serviceAccountUser(account.namespace, account.name);
      return openerFor(user, credentialsOf('ServiceAccount', endpoints, identify));
    },
  };
}

type Identify = (signal: AbortSignal) => Promise<CloudIdentity>;

function credentialsOf(
  kind: CloudCredentials['kind'],
  endpoints: CloudEndpoints,
  identify: Identify,
): CloudCredentials {
  return {
    kind,
    aws: async (region, signal) =>
      await awsCredentials(await identify(signal), region, endpoints, signal),
    gcp: async (signal) => await gcpAccessToken(await identify(signal), endpoints, signal),
    azure: async (scope, signal) =>
      await azureAccessToken(await identify(signal), scope, endpoints, signal),
  };
}

/** Who a ServiceAccount is at the clouds: its annotations as they are when a build first asks. */
function federatedIdentity(
  { namespace, name }: AccountName,
  client: KubernetesClient,
  tokens: AudienceTokens,
): Identify {
  let reading: Promise<CloudIdentity> | undefined;
  const read = async (): Promise<CloudIdentity> => {
    const object = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name };
    // Shared by all who ask, each with a deadline of its own; the client bounds it.
    const { signal } = new AbortController();
    const found = await client.find(object, { signal }, { as: 'Metadata' });
    if (found === undefined) {
      const message = `ServiceAccount ${namespace}/${name} does not exist; create it`;
      throw new TerminalError(message, { reason: 'StageFailed', object });
    }
    const mintToken = async (audiences: readonly string[], signal: AbortSignal): Promise<string> =>
      await tokens.token(namespace, name, audiences, signal);
    const annotations = found.metadata.annotations ?? {};
    return { kind: 'Federated', serviceAccount: { namespace, name, annotations, mintToken } };
  };
  return async () => {
    reading ??= read().catch((error: unknown) => {
      reading = undefined;
      throw error;
    });
    return await reading;
  };
}
