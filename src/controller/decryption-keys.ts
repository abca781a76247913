import { objectFailure } from '../apply/failures.ts';
import { isKeyEntry, type KeyEntries } from '../build/sops/key-entries.ts';
import { TerminalError } from '../core/errors.ts';
import { describeObject } from '../core/objects/identity.ts';
import { isJsonObject } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import type { StageSetSpec } from '../types/stages.ts';
import type { VariableSource } from './variables.ts';

/**
 * The private keys that a StageSet's files are decrypted with (part A 10.1): the entries of its
 * Secret that are keys by their name. Undefined where nothing is to be decrypted.
 *
 * @throws TerminalError for a missing Secret, DeniedError for one that may not be read, and
 * RetryableError, each naming the object and no value.
 */
export async function decryptionKeys(
  decryption: StageSetSpec['decryption'],
  { namespace, client, onSecretValue }: VariableSource,
  call: CallOptions,
): Promise<KeyEntries | undefined> {
  if (decryption === undefined) return undefined;
  const keys = new Map<string, Uint8Array>();
  const { secretRef } = decryption;
  if (secretRef === undefined) return keys;
  const reference: ObjectReference = {
    apiVersion: 'v1',
    kind: 'Secret',
    namespace,
    name: secretRef.name,
  };
  const secret = await client.find(reference, call).catch((error: unknown) => {
    throw objectFailure(reference, error);
  });
  if (secret === undefined) {
    throw new TerminalError(
      `${describeObject(reference)} of decryption does not exist; create it with entries that ` +
        'end in .agekey or .asc',
      { reason: 'StageFailed', object: reference },
    );
  }
  const { data } = secret;
  for (const [name, value] of Object.entries(isJsonObject(data) ? data : {})) {
    if (typeof value !== 'string' || !isKeyEntry(name)) continue;
    const content = Buffer.from(value, 'base64');
    keys.set(name, content);
    onSecretValue?.(content.toString('utf8'));
  }
  return keys;
}
