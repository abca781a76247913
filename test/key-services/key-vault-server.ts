import {
  constants,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import { type Asked, json, type Reply, ServiceServer } from './service-server.ts';

export const azureToken = 'eyJ0eXAiOiJKV1QifQ.dGhlIHRlc3QncyBhenVyZSB0b2tlbg.c2ln';
export const azureVaultUrl = 'https://shop.vault.azure.net';
export const azureKeyVersion = '0123456789abcdef0123456789abcdef';

/** An Azure Key Vault with one RSA key `app`: it challenges who brings no token. */
export class KeyVaultServer {
  readonly server: ServiceServer;
  readonly #key: KeyObject;

  private constructor(server: ServiceServer, key: KeyObject) {
    this.server = server;
    this.#key = key;
  }

  static async start(): Promise<KeyVaultServer> {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const server = await ServiceServer.start((asked) => answer(asked, privateKey));
    return new KeyVaultServer(server, publicKey);
  }

  get url(): string {
    return this.server.url;
  }

  /** As SOPS asks a vault to: RSA-OAEP with SHA-256, base64url without padding. */
  seal(dataKey: Uint8Array): string {
    return publicEncrypt({ key: this.#key, ...oaep }, dataKey).toString('base64url');
  }
}

const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };

export function challenge(resource = 'https://vault.azure.net'): Reply {
  const authority = 'https://login.windows.net/00000000-0000-0000-0000-000000000001';
  return json(
    401,
    { error: { code: 'Unauthorized', message: 'AKV10000: Request is missing a Bearer token.' } },
    { 'www-authenticate': `Bearer authorization="${authority}", resource="${resource}"` },
  );
}

function answer({ method, path, query, headers, body }: Asked, key: KeyObject): Reply {
  if (headers.authorization === undefined) {
    if (body !== '')
      return json(400, { error: { code: 'BadParameter', message: 'a body too early' } });
    return challenge();
  }
  if (headers.authorization !== `Bearer ${azureToken}`) return challenge();
  if (!/^(\d\.\d|\d{4}-\d\d-\d\d)(-preview(\.\d)?)?$/.test(query.get('api-version') ?? '')) {
    return json(400, { error: { code: 'BadParameter', message: 'api-version' } });
  }
  if (method !== 'POST' || path !== `/keys/app/${azureKeyVersion}/decrypt`) {
    return json(404, { error: { code: 'KeyNotFound', message: `no key at ${path}` } });
  }
  const { alg, value } = JSON.parse(body) as Record<string, string>;
  if (alg !== 'RSA-OAEP-256' || !/^[A-Za-z0-9_-]+$/.test(value ?? '')) {
    return json(400, { error: { code: 'BadParameter', message: 'alg or value' } });
  }
  try {
    const plain = privateDecrypt({ key, ...oaep }, Buffer.from(value ?? '', 'base64url'));
    const kid = `${azureVaultUrl}${path.replace(/\/decrypt$/, '')}`;
    return json(200, { kid, value: plain.toString('base64url') });
  } catch {
    return json(400, { error: { code: 'BadParameter', message: 'The parameter is incorrect.' } });
  }
}
