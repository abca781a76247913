import { ServiceKey } from './seal.ts';
import { type Asked, json, type Reply, ServiceServer } from './service-server.ts';

export const vaultToken = 'hvs.TestTokenOfTheController0123456789';

/** Vault with one transit engine `transit` that has one key `app`. */
export class VaultServer {
  readonly server: ServiceServer;
  readonly #key: ServiceKey;

  private constructor(server: ServiceServer, key: ServiceKey) {
    this.server = server;
    this.#key = key;
  }

  static async start(): Promise<VaultServer> {
    const key = new ServiceKey();
    return new VaultServer(await ServiceServer.start((asked) => answer(asked, key)), key);
  }

  get url(): string {
    return this.server.url;
  }

  seal(dataKey: Uint8Array): string {
    return `vault:v1:${this.#key.seal(dataKey).toString('base64')}`;
  }
}

function answer(asked: Asked, key: ServiceKey): Reply {
  if (asked.headers['x-vault-token'] !== vaultToken) return refused(403, 'permission denied');
  if (asked.headers['x-vault-request'] !== 'true') return refused(412, 'no X-Vault-Request');
  const [, version, engine, action, name] = asked.path.split('/');
  if (version !== 'v1' || engine !== 'transit') return refused(404, 'no handler for route');
  if (asked.method !== 'PUT' && asked.method !== 'POST')
    return refused(405, 'unsupported operation');
  if (name !== 'app') return refused(400, 'encryption key not found');
  const input = JSON.parse(asked.body) as Record<string, string>;
  if (action === 'encrypt') {
    const plain = Buffer.from(input['plaintext'] ?? '', 'base64');
    const ciphertext = `vault:v1:${key.seal(plain).toString('base64')}`;
    return json(200, { request_id: 'r', lease_id: '', data: { ciphertext, key_version: 1 } });
  }
  if (action !== 'decrypt') return refused(404, 'no handler for route');
  const sealed = /^vault:v1:(.*)$/.exec(input['ciphertext'] ?? '')?.[1];
  const plain = sealed === undefined ? undefined : key.open(Buffer.from(sealed, 'base64'));
  if (plain === undefined) return refused(400, 'invalid ciphertext: no prefix');
  return json(200, {
    request_id: 'r',
    lease_id: '',
    data: { plaintext: plain.toString('base64') },
  });
}

function refused(status: number, ...errors: string[]): Reply {
  return json(status, { errors });
}
