import type { CloudClusterName } from '../core/clusters/cloud-cluster.ts';
import { instant } from '../core/time.ts';
import { awsCredentials, forgetAwsCredentials } from './aws.ts';
import { closedConfig } from './aws-client.ts';
import { awsEndpoint } from './aws-regions.ts';
import { cloudFailed } from './cloud-error.ts';
import { addressFrom, asText, type ClusterAddress } from './cluster-answers.ts';
import type { AccessToken, AwsCredentials, CloudEndpoints, CloudIdentity } from './identity.ts';
import { type Login, LoginCaches } from './login-cache.ts';
import { transportTo } from './transport.ts';

export type EksName = Extract<CloudClusterName, { provider: 'aws' }>;

interface EksToken extends AccessToken {
  readonly accessKeyId: string;
}

/** EKS takes a token for 15 minutes from its signing on; our clock may be a minute off. */
const lifetime = 14 * 60_000;

/** Seconds; what EKS's own authenticator wants to see in the URL, and nobody looks at. */
const expires = 60;

const tokens = new LoginCaches<EksToken>();

/** Where an EKS cluster is. @throws as `findCluster` does */
export async function findEks(
  { region, name }: EksName,
  identity: CloudIdentity,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<readonly ClusterAddress[]> {
  const credentials = await awsCredentials(identity, region, endpoints, signal);
  const { EKSClient, DescribeClusterCommand } = await import('./sdk/aws-eks.ts');
  const endpoint = endpoints.awsEks ?? awsEndpoint('eks', region);
  const send = transportTo([endpoint], endpoints);
  const client = new EKSClient(closedConfig(region, endpoint, credentials, send, signal));
  try {
    const { cluster } = await client.send(new DescribeClusterCommand({ name }), {
      abortSignal: signal,
    });
    return [addressFrom(asText(cluster?.endpoint), asText(cluster?.certificateAuthority?.data))];
  } catch (error) {
    signal.throwIfAborted();
    throw cloudFailed(`AWS did not describe EKS cluster ${name} in ${region}`, error, [
      credentials.secretAccessKey,
      credentials.sessionToken ?? '',
    ]);
  } finally {
    client.destroy();
  }
}

/**
 * A token for one EKS cluster: a request to STS to say who one is, signed for that cluster and not sent.
 * Whoever has it can ask that, and nothing else.
 */
export async function eksToken(
  cluster: EksName,
  identity: CloudIdentity,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<AccessToken> {
  const { region, name } = cluster;
  const credentials = await awsCredentials(identity, region, endpoints, signal);
  const key = JSON.stringify([region, name, credentials.accessKeyId]);
  return await tokens
    .for(endpoints)
    .get(key, signal, async () => await presigned(cluster, credentials, endpoints));
}

/** Forgets a token, and the credentials that it was signed with. */
export function forgetEksToken(endpoints: CloudEndpoints, token: string): void {
  tokens.for(endpoints).evict((known) => {
    if (known.token !== token) return false;
    forgetAwsCredentials(endpoints, known.accessKeyId);
    return true;
  });
}

async function presigned(
  { region, name }: EksName,
  credentials: AwsCredentials,
  endpoints: CloudEndpoints,
): Promise<Login<EksToken>> {
  const { STSClient } = await import('./sdk/aws-sts.ts');
  const endpoint = endpoints.awsSts ?? awsEndpoint('sts', region);
  const nothing = transportTo([], endpoints);
  const { signal } = new AbortController();
  const client = new STSClient(closedConfig(region, endpoint, credentials, nothing, signal));
  const signedAt = new Date();
  try {
    const signer: unknown = await client.config.signer({
      name: 'sigv4',
      signingName: 'sts',
      signingRegion: region,
      properties: {},
    });
    if (!isPresigner(signer)) throw new Error('this version of the AWS SDK signs in another way');
    const { query } = await signer.presign(
      {
        method: 'GET',
        protocol: endpoint.protocol,
        hostname: endpoint.hostname,
        ...(endpoint.port === '' ? {} : { port: Number(endpoint.port) }),
        path: '/',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
        headers: { host: endpoint.host, 'x-k8s-aws-id': name },
      },
      {
        signingDate: signedAt,
        expiresIn: expires,
        unhoistableHeaders: new Set(['x-k8s-aws-id']),
      },
    );
    const url = new URL('/', endpoint);
    for (const [parameter, value] of Object.entries(query)) {
      url.searchParams.set(parameter, String(value));
    }
    // STS signs what spaces become, and forms make another thing of them than URLs.
    const text = url.href.replaceAll('+', '%20');
    const end = Math.min(
      signedAt.getTime() + lifetime,
      credentials.expiration?.getTime() ?? Infinity,
    );
    const token = `k8s-aws-v1.${Buffer.from(text).toString('base64url')}`;
    const { accessKeyId } = credentials;
    return {
      credentials: { token, expiresAt: instant(end), accessKeyId },
      expiresAt: instant(end),
    };
  } catch (error) {
    throw cloudFailed(`no token for EKS cluster ${name}`, error, [credentials.secretAccessKey]);
  } finally {
    client.destroy();
  }
}

interface Presigner {
  presign(
    request: {
      readonly method: string;
      readonly protocol: string;
      readonly hostname: string;
      readonly port?: number;
      readonly path: string;
      readonly query: Readonly<Record<string, string>>;
      readonly headers: Readonly<Record<string, string>>;
    },
    options: {
      readonly signingDate: Date;
      readonly expiresIn: number;
      readonly unhoistableHeaders: ReadonlySet<string>;
    },
  ): Promise<{ readonly query: Readonly<Record<string, unknown>> }>;
}

/** The SDK's signer can do more than its type says. */
function isPresigner(signer: unknown): signer is Presigner {
  return (
    typeof signer === 'object' &&
    signer !== null &&
    'presign' in signer &&
    typeof signer.presign === 'function'
  );
}
