import { instant } from '../core/time.ts';
import { awsRoleOf } from './annotations.ts';
import { closedConfig } from './aws-client.ts';
import { awsEndpoint } from './aws-regions.ts';
import { cloudFailed } from './cloud-error.ts';
import type {
  AwsCredentials,
  CloudEndpoints,
  CloudIdentity,
  CloudServiceAccount,
} from './identity.ts';
import { type Login, LoginCaches } from './login-cache.ts';
import { transportTo } from './transport.ts';

const audience = 'sts.amazonaws.com';

const logins = new LoginCaches<AwsCredentials>();

/**
 * Credentials for AWS, good for five minutes at least: those of the role that a ServiceAccount is
 * annotated with, or what the process finds around itself. A federated login uses the token of its
 * ServiceAccount and nothing of the process: no variable, file, metadata server or proxy.
 *
 * @param region of the STS endpoint that is asked
 * @throws TerminalError for a missing or malformed annotation or region; RetryableError when AWS does
 *   not answer or refuses; what `mintToken` throws.
 */
export async function awsCredentials(
  identity: CloudIdentity,
  region: string,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<AwsCredentials> {
  const cache = logins.for(endpoints);
  const endpoint = endpoints.awsSts ?? awsEndpoint('sts', region);
  if (identity.kind === 'Ambient') {
    return await cache.get(JSON.stringify([region]), signal, async () => await ambient(region));
  }
  const { serviceAccount } = identity;
  const role = awsRoleOf(serviceAccount);
  const { namespace, name } = serviceAccount;
  const key = JSON.stringify([region, namespace, name, role]);
  return await cache.get(
    key,
    signal,
    async (deadline) =>
      await assumeRole(serviceAccount, role, { region, endpoint, endpoints }, deadline),
  );
}

/** Forgets credentials that AWS refused. */
export function forgetAwsCredentials(endpoints: CloudEndpoints, accessKeyId: string): void {
  logins.for(endpoints).evict((known) => known.accessKeyId === accessKeyId);
}

interface Sts {
  readonly region: string;
  readonly endpoint: URL;
  readonly endpoints: CloudEndpoints;
}

async function assumeRole(
  account: CloudServiceAccount,
  role: string,
  { region, endpoint, endpoints }: Sts,
  signal: AbortSignal,
): Promise<Login<AwsCredentials>> {
  const { namespace, name } = account;
  const token = await account.mintToken([audience], signal);
  const { STSClient, AssumeRoleWithWebIdentityCommand } = await import('./sdk/aws-sts.ts');
  const send = transportTo([endpoint], endpoints);
  const client = new STSClient(closedConfig(region, endpoint, undefined, send, signal));
  const command = new AssumeRoleWithWebIdentityCommand({
    RoleArn: role,
    RoleSessionName: sessionName(namespace, name),
    WebIdentityToken: token,
  });
  const what = `AWS did not log in ServiceAccount ${namespace}/${name} as its role`;
  try {
    const { Credentials: given } = await client.send(command, { abortSignal: signal });
    const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = given ?? {};
    if (!AccessKeyId || !SecretAccessKey || !SessionToken || !isDate(Expiration)) {
      throw new Error('the answer of STS has no credentials');
    }
    return {
      credentials: {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
        expiration: Expiration,
      },
      expiresAt: instant(Expiration.getTime()),
    };
  } catch (error) {
    throw cloudFailed(what, error, [token]);
  } finally {
    client.destroy();
  }
}

/** What the process finds by the SDK's own chain: variables, shared files, a web identity, metadata. */
async function ambient(region: string): Promise<Login<AwsCredentials>> {
  const { STSClient } = await import('./sdk/aws-sts.ts');
  const client = new STSClient({ region, maxAttempts: 2 });
  try {
    const found = await client.config.credentials();
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = found;
    return {
      credentials: {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === undefined ? {} : { sessionToken }),
        ...(expiration === undefined ? {} : { expiration }),
      },
      expiresAt: expiration === undefined ? undefined : instant(expiration.getTime()),
    };
  } catch (error) {
    throw cloudFailed('no AWS credentials around the controller', error);
  } finally {
    client.destroy();
  }
}

/** At most 64 characters; CloudTrail shows it. */
function sessionName(namespace: string, name: string): string {
  return `${name}.${namespace}.stageset`.replace(/[^\w+=,.@-]/g, '-').slice(0, 64);
}

function isDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}
