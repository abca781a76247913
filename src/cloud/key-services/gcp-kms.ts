import type { KeyManagementServiceClient as GoogleClient } from '@google-cloud/kms';
import type { SealedDataKey } from '../../types/key-services.ts';
import type { Send } from '../transport.ts';
import { type Asking, senderTo } from './asking.ts';
import { badEntry, isTreated, type Refusal, serviceFailure } from './failures.ts';
import { flatHeaders } from './flat-headers.ts';
import { bytesOf } from './sealed-bytes.ts';

const service = 'GCP KMS';

/**
 * Opens a data key with Google's KMS, by its REST interface. The server is Google's, or the operator's,
 * whatever the file says.
 *
 * @throws TerminalError when the entry or Google refuses, RetryableError when Google is busy or not there.
 */
export async function openWithGcpKms(
  { fields, sealed }: SealedDataKey,
  asking: Asking,
): Promise<Uint8Array> {
  const { credentials, signal } = asking;
  const server = asking.endpoints.gcpKms ?? new URL('https://cloudkms.googleapis.com');
  const name = fields.get('resource_id')?.replaceAll(' ', '') ?? '';
  if (!keyName.test(name)) throw badEntry(service, 'resource_id of the entry is no name of a key');
  const ciphertext = bytesOf(service, sealed);
  const { KeyManagementServiceClient } = await import('../sdk/google-kms.ts');
  const { token } = await credentials.gcp(signal);
  const auth = new TokenSender(senderTo(server, asking), token, signal);
  const client = new KeyManagementServiceClient({
    fallback: true,
    authClient: auth.client,
    ...placeOf(server),
  });
  try {
    const [{ plaintext }] = await client.decrypt(
      { name, ciphertext },
      { retry: null, timeout: 15_000 },
    );
    if (plaintext instanceof Uint8Array && plaintext.byteLength > 0) return plaintext;
    throw badEntry(service, 'its answer has no plaintext');
  } catch (error) {
    throw treated(auth.failure ?? error, { status: auth.status, shown: [token] }, signal);
  } finally {
    await client.close();
  }
}

const keyName =
  /^projects\/[a-z0-9][a-z0-9.:-]{0,127}\/locations\/[a-z0-9-]{1,63}\/keyRings\/[A-Za-z0-9_-]{1,63}\/cryptoKeys\/[A-Za-z0-9_-]{1,63}$/;

type Auth = NonNullable<ConstructorParameters<typeof GoogleClient>[0]>['authClient'];

/** How the SDK sends what it asks: with the token, and through our hands. */
class TokenSender {
  readonly universeDomain = 'googleapis.com';
  readonly #send: Send;
  readonly #token: string;
  readonly #signal: AbortSignal;
  /** What went wrong on the way, which the SDK wraps beyond recognition. */
  failure: unknown;
  /** Of the last answer; 0 before it. */
  status = 0;

  constructor(send: Send, token: string, signal: AbortSignal) {
    this.#send = send;
    this.#token = token;
    this.#signal = signal;
  }

  /** The SDK asks for classes of its own copy of Google's library, and uses no more than this. */
  get client(): Auth {
    return this as unknown as Auth;
  }

  async getRequestHeaders(): Promise<Headers> {
    return await Promise.resolve(new Headers());
  }

  async fetch(target: string | URL, init: RequestInit = {}): Promise<Response> {
    const { body, method = 'GET' } = init;
    const headers = Object.fromEntries(new Headers(init.headers));
    headers['authorization'] = `Bearer ${this.#token}`;
    const text = typeof body === 'string' ? body : undefined;
    try {
      const request = { url: new URL(target), method, headers, body: text };
      const answer = await this.#send(request, this.#signal);
      this.status = answer.status;
      return new Response(answer.status === 204 ? null : answer.body, {
        status: answer.status,
        headers: flatHeaders(answer.headers),
      });
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

function treated(
  error: unknown,
  asked: Pick<Refusal, 'status' | 'shown'>,
  signal: AbortSignal,
): unknown {
  if (signal.aborted || isTreated(error) || !(error instanceof Error)) return error;
  return serviceFailure(service, { ...asked, words: error.message });
}
