import { Agent } from 'node:https';
import { instant } from '../core/time.ts';
import { type GcpIdentity, gcpIdentityOf } from './annotations.ts';
import { cloudFailed } from './cloud-error.ts';
import type {
  AccessToken,
  CloudEndpoints,
  CloudIdentity,
  CloudServiceAccount,
} from './identity.ts';
import { type Login, LoginCaches } from './login-cache.ts';
import { type Send, transportTo } from './transport.ts';

/** The second one puts the e-mail address into the token, by which GKE knows a user. */
const scopes = [
  'https://www.googleapis.com/auth/cloud-platform',
  'https://www.googleapis.com/auth/userinfo.email',
];

const logins = new LoginCaches<AccessToken>();

/**
 * An access token for GCP, good for five minutes at least: of the workload identity pool that a
 * ServiceAccount is annotated with, and then of its service account where one is named; or of what the
 * process finds around itself. A federated login uses the token of its ServiceAccount and nothing of the
 * process: no variable, file, metadata server or proxy.
 *
 * @throws TerminalError for a missing or malformed annotation; RetryableError when Google does not
 *   answer or refuses; what `mintToken` throws.
 */
export async function gcpAccessToken(
  identity: CloudIdentity,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<AccessToken> {
  const cache = logins.for(endpoints);
  if (identity.kind === 'Ambient') return await cache.get('', signal, ambient);
  const { serviceAccount } = identity;
  const wanted = gcpIdentityOf(serviceAccount);
  const { namespace, name } = serviceAccount;
  const key = JSON.stringify([namespace, name, wanted.audience, wanted.email]);
  return await cache.get(
    key,
    signal,
    async (deadline) => await federate(serviceAccount, wanted, endpoints, deadline),
  );
}

/** Forgets a token that was refused. */
export function forgetGcpToken(endpoints: CloudEndpoints, token: string): void {
  logins.for(endpoints).evict((known) => known.token === token);
}

async function federate(
  account: CloudServiceAccount,
  { audience, email }: GcpIdentity,
  endpoints: CloudEndpoints,
  signal: AbortSignal,
): Promise<Login<AccessToken>> {
  const token = await account.mintToken([audience], signal);
  const sts = new URL('/v1/token', endpoints.gcpSts ?? 'https://sts.googleapis.com');
  const iam = endpoints.gcpIam ?? new URL('https://iamcredentials.googleapis.com');
  const { IdentityPoolClient } = await import('./sdk/google-auth.ts');
  const client = new IdentityPoolClient({
    type: 'external_account',
    audience,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: sts.href,
    subject_token_supplier: { getSubjectToken: async () => await Promise.resolve(token) },
    ...(email === undefined
      ? {}
      : {
          service_account_impersonation_url: new URL(
            `/v1/projects/-/serviceAccounts/${email}:generateAccessToken`,
            iam,
          ).href,
        }),
    scopes,
    // Its logger, which a variable turns on, writes tokens.
    useAuthRequestParameters: false,
    transporterOptions: {
      fetchImplementation: fetchOver(transportTo([sts, iam], endpoints), signal),
      // Never used; without any the library makes one for the proxy that a variable names.
      agent: () => new Agent(),
    },
  });
  shareTransporter(client);
  const { namespace, name } = account;
  try {
    return loginFrom((await client.getAccessToken()).token, client.credentials.expiry_date);
  } catch (error) {
    throw cloudFailed(`GCP did not log in ServiceAccount ${namespace}/${name}`, error, [token]);
  }
}

/** What the process finds by Google's own chain: a file, the settings of gcloud, metadata. */
async function ambient(): Promise<Login<AccessToken>> {
  const { GoogleAuth } = await import('./sdk/google-auth.ts');
  try {
    const client = await new GoogleAuth({ scopes }).getClient();
    return loginFrom((await client.getAccessToken()).token, client.credentials.expiry_date);
  } catch (error) {
    throw cloudFailed('no Google credentials around the controller', error);
  }
}

function loginFrom(token: unknown, expiry: unknown): Login<AccessToken> {
  if (typeof token !== 'string' || token === '') throw new Error('the answer has no access token');
  if (typeof expiry !== 'number' || !Number.isFinite(expiry)) {
    throw new Error('the answer does not say when the token ends');
  }
  const expiresAt = instant(expiry);
  return { credentials: { token, expiresAt }, expiresAt };
}

/** The library gives the exchange of tokens an HTTP client of its own, past the one that it is given. */
function shareTransporter(client: { readonly transporter: unknown }): void {
  const exchanger: unknown = Reflect.get(client, 'stsCredential');
  if (typeof exchanger !== 'object' || exchanger === null || !('transporter' in exchanger)) {
    throw new Error('this version of google-auth-library exchanges tokens in another way');
  }
  exchanger.transporter = client.transporter;
}

/** The library's requests over our transport. */
function fetchOver(send: Send, signal: AbortSignal): typeof fetch {
  return async (input, init) => {
    const request = new Request(input instanceof URL ? input.href : input, {
      method: init?.method ?? 'GET',
      headers: init?.headers ?? {},
      ...(init?.body === undefined ? {} : { body: init.body, duplex: 'half' }),
    });
    const { status, headers, body } = await send(
      {
        method: request.method,
        url: new URL(request.url),
        headers: Object.fromEntries(request.headers),
        ...(request.body === null ? {} : { body: await request.text() }),
      },
      signal,
    );
    const type = headers['content-type'];
    return new Response(bodiless.includes(status) ? null : body, {
      status,
      headers: type === undefined ? {} : { 'content-type': type },
    });
  };
}

const bodiless = [204, 205, 304];
