import { readFile, stat } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { KubeConfig, loadYaml } from '@kubernetes/client-node';
import { RetryableError, TerminalError } from '../core/errors.ts';
import { isJsonObject, objectAt, objectsAt, stringAt } from './shapes.ts';

/**
 * Where the way to a cluster is described. `Default` is what kubectl does: KUBECONFIG, then
 * ~/.kube/config, then the pod's ServiceAccount.
 */
export type KubeConfigSource =
  | { kind: 'Default' }
  | { kind: 'File'; path: string; context?: string }
  | { kind: 'InCluster' }
  | { kind: 'Text'; text: string; context?: string };

/** A kubeconfig with the files that it was read from and that it points to. */
export interface LoadedKubeConfig {
  config: KubeConfig;
  files: string[];
}

/** What one connection needs from a kubeconfig, read once. */
export interface Credentials {
  /** `https://host:port`, with no path. */
  origin: string;
  /** Path before `/api`, empty for a plain API server. */
  basePath: string;
  namespace: string | undefined;
  proxyUrl: string | undefined;
  headers: Record<string, string>;
  tls: {
    ca?: string | Buffer;
    cert?: string | Buffer;
    key?: string | Buffer;
    servername?: string;
    rejectUnauthorized?: boolean;
  };
}

const IN_CLUSTER_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** An exec credential plugin that hangs must not hang us: client-node sets no bound of its own. */
const CREDENTIALS_DEADLINE = 30_000;

/**
 * Reads a kubeconfig afresh.
 * @throws RetryableError when a file cannot be read or parsed.
 */
export async function loadKubeConfig(source: KubeConfigSource): Promise<LoadedKubeConfig> {
  switch (source.kind) {
    case 'Text':
      return finish(parse(source.text, '.'), [], source.context);
    case 'File':
      return finish(await parseFile(source.path), [source.path], source.context);
    case 'InCluster':
      return inCluster();
    case 'Default':
      return loadDefault();
  }
}

async function loadDefault(): Promise<LoadedKubeConfig> {
  const listed = (process.env['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  const usual = join(homedir(), '.kube', 'config');
  const files = listed.length > 0 ? listed : (await exists(usual)) ? [usual] : [];
  const [first, ...others] = files;
  if (first === undefined) {
    if (await exists(IN_CLUSTER_TOKEN)) return inCluster();
    throw new TerminalError(
      'No cluster is configured: set KUBECONFIG, write ~/.kube/config, or run in a pod with a ServiceAccount token',
    );
  }
  const config = await parseFile(first);
  for (const file of others) config.mergeConfig(await parseFile(file), true);
  return finish(config, files, undefined);
}

function inCluster(): LoadedKubeConfig {
  const config = new KubeConfig();
  config.loadFromCluster();
  return finish(config, [], undefined);
}

function finish(
  config: KubeConfig,
  files: string[],
  context: string | undefined,
): LoadedKubeConfig {
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  const referenced = [
    cluster?.caFile,
    user?.certFile,
    user?.keyFile,
    tokenFileOf(user?.authProvider),
  ];
  return { config, files: [...files, ...referenced.flatMap((path) => path ?? [])] };
}

function tokenFileOf(authProvider: unknown): string | undefined {
  return isJsonObject(authProvider)
    ? stringAt(objectAt(authProvider, 'config'), 'tokenFile')
    : undefined;
}

async function parseFile(path: string): Promise<KubeConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new RetryableError(`The kubeconfig ${path} cannot be read`, { cause });
  }
  return parse(text, dirname(resolve(path)));
}

/**
 * Parses a kubeconfig. client-node ignores `tokenFile`, the name that Kubernetes gives the field,
 * and reads `token-file` while parsing; both become its file authenticator, which reads late.
 */
function parse(text: string, folder: string): KubeConfig {
  const config = new KubeConfig();
  try {
    const document: unknown = loadYaml(text);
    if (!isJsonObject(document)) throw new Error('it is not a YAML mapping');
    for (const entry of objectsAt(document, 'users')) {
      const user = objectAt(entry, 'user');
      const tokenFile = stringAt(user, 'tokenFile') ?? stringAt(user, 'token-file');
      delete user['token-file'];
      if (tokenFile === undefined) continue;
      delete user['token']; // client-go: tokenFile takes precedence over token
      const path = resolve(folder, tokenFile);
      user['auth-provider'] = { name: 'tokenFile', config: { tokenFile: path } };
    }
    config.loadFromString(JSON.stringify(document));
    config.makePathsAbsolute(folder);
  } catch {
    // The parser's own error is left out: it may quote the document, which holds keys and tokens.
    throw new RetryableError(
      'The kubeconfig cannot be parsed: it must be YAML of kind Config with clusters, users and contexts',
    );
  }
  return config;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Server, trust and identity of the current context, with files read, tokens loaded and exec
 * plugins run.
 * @throws TerminalError when the context names no cluster, or a plain-http server without
 *   `insecure-skip-tls-verify`; RetryableError when a credential cannot be had within 30 s.
 */
export async function credentialsOf(loaded: LoadedKubeConfig): Promise<Credentials> {
  const { config } = loaded;
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new TerminalError(
      `The kubeconfig's current context "${config.getCurrentContext()}" names no known cluster`,
    );
  }
  const server = new URL(cluster.server);
  if (server.protocol !== 'https:' && !cluster.skipTLSVerify) {
    throw new TerminalError(
      `The API server address ${cluster.server} is not https: use https, or set insecure-skip-tls-verify for a test server`,
    );
  }
  const options: RequestOptions = {};
  await withDeadline(config.applyToHTTPSOptions(options));
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (typeof value === 'string') headers[name.toLowerCase()] = value.trim();
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const tls: Credentials['tls'] = {};
  if (isMaterial(options.ca)) tls.ca = options.ca;
  if (isMaterial(options.cert)) tls.cert = options.cert;
  if (isMaterial(options.key)) tls.key = options.key;
  if (options.servername !== undefined) tls.servername = options.servername;
  if (options.rejectUnauthorized !== undefined) tls.rejectUnauthorized = options.rejectUnauthorized;
  return {
    origin: server.origin,
    basePath: server.pathname.replace(/\/+$/, ''),
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    proxyUrl: cluster.proxyUrl,
    headers,
    tls,
  };
}

function isMaterial(value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value);
}

async function withDeadline(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new RetryableError(
          `The kubeconfig's credentials were not ready within ${CREDENTIALS_DEADLINE} ms: does its exec plugin hang?`,
        ),
      );
    }, CREDENTIALS_DEADLINE);
  });
  try {
    await Promise.race([work, late]);
  } catch (cause) {
    if (cause instanceof RetryableError) throw cause;
    throw new RetryableError(
      `The kubeconfig's credentials cannot be had: ${cause instanceof Error ? cause.message : 'unknown error'}`,
      { cause },
    );
  } finally {
    clearTimeout(timer);
  }
}
