import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A process that has everything around it by which SDKs find credentials: variables, files, metadata
 * servers, proxies. Nothing of it may be touched by a federated login.
 */
export class Poison {
  /** What was asked of the servers that the variables name. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #directory: string;
  readonly #before = new Map<string, string | undefined>();

  private constructor(server: Server, directory: string) {
    this.#server = server;
    this.#directory = directory;
    server.on('request', (request, response) => {
      this.asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
    // Proxies are asked to connect.
    server.on('connect', (request, socket) => {
      this.asked.push(`CONNECT ${request.url ?? ''}`);
      socket.destroy();
    });
  }

  static async spread(): Promise<Poison> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const directory = await mkdtemp(join(tmpdir(), 'stageset-poison-'));
    const poison = new Poison(server, directory);
    await poison.#spread();
    return poison;
  }

  async remove(): Promise<void> {
    for (const [name, value] of this.#before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await Promise.all([closed, rm(this.#directory, { recursive: true })]);
  }

  async #spread(): Promise<void> {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port');
    const host = `127.0.0.1:${address.port}`;
    const url = `http://${host}`;
    const file = async (name: string, text: string): Promise<string> => {
      const path = join(this.#directory, name);
      await writeFile(path, text);
      return path;
    };
    const token = await file('token', 'poisoned-token');
    const awsConfig = `[default]\nregion = mars-1\nendpoint_url = ${url}\n[profile poisoned]
region = mars-1\nendpoint_url = ${url}\nretry_mode = adaptive\nuse_fips_endpoint = true
sts_regional_endpoints = legacy\nuse_dualstack_endpoint = true\n`;
    const keys = 'aws_access_key_id = AKIAPOISONED\naws_secret_access_key = poisoned\n';
    const variables: Record<string, string> = {
      AWS_ACCESS_KEY_ID: 'AKIAPOISONED',
      AWS_SECRET_ACCESS_KEY: 'poisoned-secret-key',
      AWS_SESSION_TOKEN: 'poisoned-session',
      AWS_PROFILE: 'poisoned',
      AWS_REGION: 'mars-1',
      AWS_DEFAULT_REGION: 'mars-1',
      AWS_CONFIG_FILE: await file('config', awsConfig),
      AWS_SHARED_CREDENTIALS_FILE: await file(
        'credentials',
        `[default]\n${keys}[poisoned]\n${keys}`,
      ),
      AWS_ENDPOINT_URL: url,
      AWS_ENDPOINT_URL_STS: url,
      AWS_ENDPOINT_URL_EKS: url,
      AWS_USE_FIPS_ENDPOINT: 'true',
      AWS_USE_DUALSTACK_ENDPOINT: 'true',
      AWS_MAX_ATTEMPTS: '50',
      AWS_ROLE_ARN: 'arn:aws:iam::666666666666:role/poisoned',
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: url,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/container`,
      GOOGLE_APPLICATION_CREDENTIALS: await file('google.json', '{"type":"authorized_user"}'),
      GOOGLE_CLOUD_QUOTA_PROJECT: 'poisoned',
      GOOGLE_CLOUD_UNIVERSE_DOMAIN: 'poisoned.example.com',
      GOOGLE_SDK_NODE_LOGGING: '*',
      GCE_METADATA_HOST: host,
      GCE_METADATA_IP: '127.0.0.1',
      AZURE_TENANT_ID: '66666666-6666-6666-6666-666666666666',
      AZURE_CLIENT_ID: '66666666-6666-6666-6666-666666666666',
      AZURE_CLIENT_SECRET: 'poisoned',
      AZURE_FEDERATED_TOKEN_FILE: token,
      AZURE_AUTHORITY_HOST: `https://${host}`,
      AZURE_REGIONAL_AUTHORITY_NAME: 'AutoDiscoverRegion',
      MSAL_FORCE_REGION: 'westeurope',
      IDENTITY_ENDPOINT: url,
      IDENTITY_HEADER: 'poisoned',
      MSI_ENDPOINT: url,
      HTTP_PROXY: url,
      HTTPS_PROXY: url,
      ALL_PROXY: url,
      http_proxy: url,
      https_proxy: url,
      NODE_USE_ENV_PROXY: '1',
    };
    for (const [name, value] of Object.entries(variables)) {
      this.#before.set(name, process.env[name]);
      process.env[name] = value;
    }
  }
}
