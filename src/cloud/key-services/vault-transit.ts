import { isJsonObject } from '../../core/validate/json-object.ts';
import { vaultAddress } from '../../core/vault-address.ts';
import type { Answer } from '../../kubernetes/exchange.ts';
import type { SealedDataKey } from '../../types/key-services.ts';
import { transportTo } from '../transport.ts';
import { type Asking, senderTo } from './asking.ts';
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
  readonly #transport: Asking['transport'];
  #endpoints: Promise<Asking['endpoints']> | undefined;

  constructor(settings: VaultSettings, transport: Asking['transport'] = transportTo) {
    this.#settings = settings;
    this.#transport = transport;
  }

  /** @throws TerminalError when the entry or Vault refuses, RetryableError when Vault is not there. */
  async open(sealed: SealedDataKey, signal: AbortSignal): Promise<Uint8Array> {
    const { address, namespace, token } = this.#settings;
    const url = new URL(`${address}/v1/${pathOf(sealed, address)}`);
    const endpoints = await this.#trusting();
    const send = senderTo(url, { endpoints, transport: this.#transport });
    const shown = await token();
    const answer = await send(
      {
        url,
        method: 'PUT',
        headers: {
          'content-type': 'application/json',
          'x-vault-request': 'true',
          'x-vault-token': shown,
          ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
        },
        body: JSON.stringify({ ciphertext: sealed.sealed }),
      },
      signal,
    );
    return keyIn(answer, shown);
  }

  /** The authorities that Vault's certificate may be from; read once. */
  async #trusting(): Promise<Asking['endpoints']> {
    const { caFile } = this.#settings;
    this.#endpoints ??= (caFile === undefined ? Promise.resolve({}) : readCa(caFile)).catch(
      (error: unknown) => {
        this.#endpoints = undefined;
        throw error;
      },
    );
    return await this.#endpoints;
  }
}

async function readCa(file: string): Promise<Asking['endpoints']> {
  return { ca: await readPem(file) };
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

function keyIn({ status, body }: Answer, token: string): Uint8Array {
  const answer = jsonIn(body);
  if (status !== 200) {
    throw serviceFailure(service, { status, words: errorsIn(answer), shown: [token] });
  }
  const data = answer?.['data'];
  const plaintext = isJsonObject(data) ? data['plaintext'] : undefined;
  if (typeof plaintext !== 'string') throw badEntry(service, 'its answer has no plaintext');
  return Buffer.from(plaintext, 'base64');
}

function jsonIn(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body);
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
