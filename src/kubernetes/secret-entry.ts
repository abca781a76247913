import { seconds } from '../core/time.ts';
import type { KubernetesClient } from './client.ts';
import { objectError } from './object-error.ts';
import { isJsonObject } from './shapes.ts';
import type { CallOptions } from './transport.ts';

/** Where a value of a Secret is. */
export interface SecretKey {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}

export type SecretEntry =
  | { readonly kind: 'Content'; readonly content: Buffer }
  /** A clause about the Secret: `which is not there; create it`. */
  | { readonly kind: 'Missing'; readonly problem: string };

/** A server that hangs must not keep whoever needs the value for long. */
const readBound = seconds(10);

/**
 * The value at one key of a Secret, read as whoever the client acts as.
 *
 * @throws what the API server answers: DeniedError where the account may not read it.
 */
export async function readSecretEntry(
  client: Pick<KubernetesClient, 'find'>,
  { namespace, name, key }: SecretKey,
  call: CallOptions,
): Promise<SecretEntry> {
  const reference = { apiVersion: 'v1', kind: 'Secret', namespace, name };
  const found = await client
    .find(reference, { ...call, timeout: readBound })
    .catch((error: unknown) => {
      throw objectError('get', reference, error);
    });
  if (found === undefined) return { kind: 'Missing', problem: 'which is not there; create it' };
  const data = found['data'];
  const encoded = isJsonObject(data) ? data[key] : undefined;
  if (typeof encoded !== 'string') {
    return { kind: 'Missing', problem: `which has no key ${key}; add it` };
  }
  return { kind: 'Content', content: Buffer.from(encoded, 'base64') };
}
