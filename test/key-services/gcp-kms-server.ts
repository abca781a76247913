import { ServiceKey } from './seal.ts';
import { type Asked, json, type Reply, ServiceServer } from './service-server.ts';

export const gcpToken = 'ya29.TheAccessTokenOfTheTest0123456789';
export const gcpKeyName = 'projects/shop/locations/europe-west1/keyRings/sops/cryptoKeys/app';

/** Google's Cloud KMS, by its REST interface. */
export class GcpKmsServer {
  readonly server: ServiceServer;
  readonly #key: ServiceKey;

  private constructor(server: ServiceServer, key: ServiceKey) {
    this.server = server;
    this.#key = key;
  }

  static async start(): Promise<GcpKmsServer> {
    const key = new ServiceKey();
    return new GcpKmsServer(await ServiceServer.start((asked) => answer(asked, key)), key);
  }

  get url(): string {
    return this.server.url;
  }

  seal(dataKey: Uint8Array): string {
    return this.#key.seal(dataKey, gcpKeyName).toString('base64');
  }
}

function answer({ method, path, headers, body }: Asked, key: ServiceKey): Reply {
  if (headers.authorization !== `Bearer ${gcpToken}`) {
    return failed(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
  }
  const [, name, action] = /^\/v1\/(.+):(encrypt|decrypt)$/.exec(path) ?? [];
  if (method !== 'POST') return failed(404, 'NOT_FOUND', 'no such method');
  if (name !== gcpKeyName) return failed(403, 'PERMISSION_DENIED', `may not use ${name ?? path}`);
  const input = JSON.parse(body) as Record<string, string>;
  if (action === 'encrypt') {
    const sealed = key.seal(Buffer.from(input['plaintext'] ?? '', 'base64'), gcpKeyName);
    return json(200, {
      name: `${gcpKeyName}/cryptoKeyVersions/1`,
      ciphertext: sealed.toString('base64'),
    });
  }
  const plain = key.open(Buffer.from(input['ciphertext'] ?? '', 'base64'), gcpKeyName);
  if (plain === undefined) return failed(400, 'INVALID_ARGUMENT', 'Decryption failed');
  return json(200, { plaintext: plain.toString('base64'), usedPrimary: true });
}

function failed(code: number, status: string, message: string): Reply {
  return json(code, { error: { code, message, status } });
}
