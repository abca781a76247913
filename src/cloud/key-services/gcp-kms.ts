import { KeyManagementServiceClient } from '@google-cloud/kms';
import { PassThroughClient } from 'google-auth-library';
import type { SealedDataKey } from '../../types/key-services.ts';
import type { BoundedHttp } from './bounded-http.ts';
import type { CloudCredentials } from './credentials.ts';
import { badEntry, isTreated, serviceFailure } from './failures.ts';
import { bytesOf } from './sealed-bytes.ts';

const service = 'GCP KMS';

/** The endpoint of an operator, for tests and private clouds. */
export interface GcpEndpoints {
  readonly gcpKms?: URL;
}

/**
 * Opens a data key with Google's KMS, by its REST interface. The server is Google's, or the operator's,
 * whatever the file says.
 *
 * @throws TerminalError when the entry or Google refuses, RetryableError when Google is busy or not there.
 */
export async function openWithGcpKms(
  { fields, sealed }: SealedDataKey,
  credentials: CloudCredentials,
  http: BoundedHttp,
  { gcpKms }: GcpEndpoints,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const name = fields.get('resource_id')?.replaceAll(' ', '') ?? '';
  if (!keyName.test(name)) throw badEntry(service, 'resource_id of the entry is no name of a key');
  const ciphertext = bytesOf(service, sealed);
  const token = await credentials.gcp(signal);
  const auth = new BoundedAuth({ http, token, signal });
  const client = new KeyManagementServiceClient({
    fallback: true,
    authClient: auth,
    ...(gcpKms === undefined ? {} : placeOf(gcpKms)),
  });
  try {
    const [{ plaintext }] = await client.decrypt(
      { name, ciphertext },
      { retry: null, timeout: 15_000 },
    );
    if (plaintext instanceof Uint8Array) return plaintext;
    if (typeof plaintext === 'string') return Buffer.from(plaintext, 'base64');
    throw badEntry(service, 'its answer has no plaintext');
  } catch (error) {
    throw treated(auth.failure ?? error, signal);
  } finally {
    await client.close();
  }
}

const keyName =
  /^projects\/[a-z0-9][a-z0-9.:-]{0,127}\/locations\/[a-z0-9-]{1,63}\/keyRings\/[A-Za-z0-9_-]{1,63}\/cryptoKeys\/[A-Za-z0-9_-]{1,63}$/;

interface BoundedAuthOptions {
  readonly http: BoundedHttp;
  readonly token: string;
  readonly signal: AbortSignal;
}

/** Sends the SDK's requests with the token, bounded, and keeps what went wrong on the way. */
class BoundedAuth extends PassThroughClient {
  readonly #options: BoundedAuthOptions;
  /** The SDK wraps errors beyond recognition. */
  failure: unknown;

  constructor(options: BoundedAuthOptions) {
    super();
    this.#options = options;
  }

  override async fetch<T>(
    ...[target, init]: Parameters<PassThroughClient['fetch']>
  ): ReturnType<typeof PassThroughClient.prototype.fetch<T>> {
    const { http, token, signal } = this.#options;
    try {
      const headers = Object.fromEntries(new Headers(init?.headers));
      const answer = await http.send(
        {
          url: new URL(String(target)),
          method: init?.method ?? 'GET',
          headers: { ...headers, authorization: `Bearer ${token}` },
          body: typeof init?.body === 'string' ? init.body : undefined,
        },
        signal,
      );
      const body = answer.status === 204 ? null : new Uint8Array(answer.body);
      const response = new Response(body, { status: answer.status, headers: answer.headers });
      return response as unknown as Awaited<ReturnType<typeof super.fetch<T>>>;
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }
}

function placeOf({ protocol, hostname, port }: URL): {
  apiEndpoint: string;
  port: number;
  protocol: string;
} {
  const secure = protocol === 'https:';
  return {
    apiEndpoint: hostname,
    port: port === '' ? (secure ? 443 : 80) : Number(port),
    protocol: secure ? 'https' : 'http',
  };
}

function treated(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted || isTreated(error) || !(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'number' ? error.code : 0;
  return serviceFailure(service, { status: statusOf(code), words: error.message });
}

/** HTTP statuses of Google's codes (google.rpc.Code), where they are no statuses themselves. */
function statusOf(code: number): number {
  const statuses: Readonly<Record<number, number>> = { 4: 504, 8: 429, 13: 500, 14: 503 };
  return statuses[code] ?? (code >= 100 ? code : 0);
}
