import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CloudAnswer, TestClouds } from './server.ts';
import { jsonAnswer } from './server.ts';

const aksScope = '6dae42f8-4368-4678-94ff-3960e28e3630/.default';

/** Names that a managed cluster gives to those who show a token of its cloud. */
export const userAt = { aws: 'aws:', gcp: 'gcp:', azure: 'azure:' } as const;

/**
 * Has an API server know users by the tokens of three clouds, as managed clusters do: by a webhook that
 * verifies them. The webhook is at the clouds' own address.
 */
export class TokenWebhook {
  /** Flags of kube-apiserver. */
  readonly apiServerArguments: readonly string[];
  readonly #directory: string;

  private constructor(directory: string, file: string) {
    this.#directory = directory;
    this.apiServerArguments = [
      `--authentication-token-webhook-config-file=${file}`,
      '--authentication-token-webhook-version=v1',
      // A token that was revoked must be found out at once.
      '--authentication-token-webhook-cache-ttl=0s',
    ];
  }

  /** @param cluster what AWS calls the cluster */
  static async install(clouds: TestClouds, cluster: string): Promise<TokenWebhook> {
    clouds.webhook = (body) => review(clouds, cluster, body);
    const directory = await mkdtemp(join(tmpdir(), 'stageset-webhook-'));
    const file = join(directory, 'webhook.json');
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        {
          name: 'clouds',
          cluster: {
            server: new URL('/tokens', clouds.origin).href,
            'certificate-authority-data': Buffer.from(clouds.ca).toString('base64'),
          },
        },
      ],
      users: [{ name: 'api-server', user: {} }],
      contexts: [{ name: 'webhook', context: { cluster: 'clouds', user: 'api-server' } }],
      'current-context': 'webhook',
    };
    await writeFile(file, JSON.stringify(config));
    return new TokenWebhook(directory, file);
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true });
  }
}

function review(clouds: TestClouds, cluster: string, body: string): CloudAnswer {
  const { apiVersion, kind, spec } = JSON.parse(body) as {
    apiVersion: string;
    kind: string;
    spec: { token: string };
  };
  const username = userBehind(clouds, cluster, spec.token);
  const status =
    username === undefined ? { authenticated: false } : { authenticated: true, user: { username } };
  return jsonAnswer(200, { apiVersion, kind, status });
}

function userBehind(clouds: TestClouds, cluster: string, token: string): string | undefined {
  const { aws, gcp, azure, origin } = clouds;
  const principal = gcp.principalOf(token);
  if (principal !== undefined) return `${userAt.gcp}${principal}`;
  const grant = azure.grantOf(token);
  if (grant !== undefined) {
    return grant.scope === aksScope ? `${userAt.azure}${grant.clientId}` : undefined;
  }
  try {
    return `${userAt.aws}${aws.roleBehind(token, cluster, origin.host)}`;
  } catch {
    return undefined;
  }
}
