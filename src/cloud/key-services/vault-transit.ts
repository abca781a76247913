import { isJsonObject } from '../../core/validate/json-object.ts';
import { vaultAddress } from '../../core/vault-address.ts';
import type { SealedDataKey } from '../../types/key-services.ts';
import { type BoundedAnswer, BoundedHttp } from './bounded-http.ts';
import { badEntry, serviceFailure } from './failures.ts';
import { readPem, type VaultSettings } from './vault-settings.ts';

const service = 'Vault';

/**
 * Opens data keys with the transit engine of the operator's Vault. Anybody can write an address into
 * a file: the token goes to the one address that the operator has given, and a file that names
 * another one is refused before anything is sent.
 */
export class VaultTransit {
  readonly #settings: VaultSettings;
  #http: Promise<BoundedHttp> | undefined;

  constructor(settings: VaultSettings, http?: BoundedHttp) {
    this.#settings = settings;
    this.#http = http && Promise.resolve(http);
  }

  /** @throws TerminalError when the entry or Vault refuses, RetryableError when Vault is not there. */
  async open(sealed: SealedDataKey, signal: AbortSignal): Promise<Uint8Array> {
    const { address, namespace, token } = this.#settings;
    const path = pathOf(sealed, address);
    const answer = await (await this.#connect()).send(
      {
        url: new URL(`${address}/v1/${path}`),
        method: 'PUT',
        headers: {
          'content-type': 'application/json',
          'x-vault-request': 'true',
          'x-vault-token': await token(),
          ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
        },
        body: JSON.stringify({ ciphertext: sealed.sealed }),
      },
      signal,
    );
    return keyIn(answer);
  }

  async close(): Promise<void> {
    await (await this.#http?.catch(() => undefined))?.close();
  }

  async #connect(): Promise<BoundedHttp> {
    this.#http ??= this.#open().catch((error: unknown) => {
      this.#http = undefined;
      throw error;
    });
    return await this.#http;
  }

  async #open(): Promise<BoundedHttp> {
    const { caFile } = this.#settings;
    return new BoundedHttp(caFile === undefined ? {} : { ca: await readPem(caFile) });
  }
}

/** `<engine>/decrypt/<key>`, of which no part leads anywhere else. */
function pathOf({ fields, sealed }: SealedDataKey, address: string): string {
  const given = vaultAddress(fields.get('vault_address') ?? '');
  if (given !== address) {
    throw badEntry(
      service,
      `the file names another vault_address than the controller's VAULT_ADDR ${address}`,
    );
  }
  const engine = fields.get('engine_path') ?? '';
  const key = fields.get('key_name') ?? '';
  const parts = engine.replace(/^\/+|\/+$/g, '').split('/');
  if (parts.length > 16 || !parts.every(isPathPart)) {
    throw badEntry(service, 'engine_path of the entry is no path of an engine');
  }
  if (!isPathPart(key)) throw badEntry(service, 'key_name of the entry is no name of a key');
  if (!/^vault:v\d{1,9}:[A-Za-z0-9+/]{16,4096}={0,2}$/.test(sealed)) {
    throw badEntry(service, 'enc of the entry was not made by the transit engine');
  }
  return `${parts.join('/')}/decrypt/${key}`;
}

function isPathPart(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/.test(text);
}

function keyIn({ status, body }: BoundedAnswer): Uint8Array {
  const answer = jsonIn(body);
  if (status !== 200) throw serviceFailure(service, { status, words: errorsIn(answer) });
  const data = answer?.['data'];
  const plaintext = isJsonObject(data) ? data['plaintext'] : undefined;
  if (typeof plaintext !== 'string') throw badEntry(service, 'its answer has no plaintext');
  return Buffer.from(plaintext, 'base64');
}

function jsonIn(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function errorsIn(answer: Record<string, unknown> | undefined): string {
  const errors: unknown = answer?.['errors'];
  const texts = Array.isArray(errors) ? errors.filter((each) => typeof each === 'string') : [];
  return texts.length === 0 ? 'no reason' : texts.join('; ');
}
