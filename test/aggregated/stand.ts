import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { Agent, request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import type { Playground } from '../../dev/playground.ts';
import {
  type Authority,
  createAuthority,
  type KeyAndCertificate,
  loadAuthority,
} from '../../src/certs/authority.ts';
import { issueCertificate } from '../../src/certs/issue.ts';
import { instant, milliseconds, minutes, seconds } from '../../src/core/time.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { Connection } from '../../src/kubernetes/connection.ts';
import { createLogger } from '../../src/log/logger.ts';
import { type AggregatedOptions, aggregatedApp } from '../../src/server/aggregated/app.ts';
import { ClusterAuthentication } from '../../src/server/aggregated/authentication-config.ts';
import { clusterReviewer, type Reviewer } from '../../src/server/aggregated/reviews.ts';
import {
  type RunningTlsServer,
  Shutdown,
  startTlsServer,
  type TlsServerOptions,
} from '../../src/server/tls-server.ts';
import { contract } from '../../src/types/generated/subresources.stages.metio.wtf.v1.document.ts';
import { group, type Samples, sampleResources } from './sample-resources.ts';

export const groupPath = `/apis/${group}/v1`;
export const shopPath = `${groupPath}/namespaces/default/stagesets/shop`;
/** The Service that kube-apiserver finds us by. */
export const service = { name: 'stageset-api', namespace: 'default' };

/** A request as it goes over the wire; the headers may have a name in several spellings. */
interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders | readonly string[];
  readonly body?: string;
  /** Client certificate; none unless named. */
  readonly as?: KeyAndCertificate;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An aggregated server in this process, beside a real cluster that it asks about everybody. */
export interface AggregatedStand {
  readonly samples: Samples;
  readonly server: RunningTlsServer;
  readonly port: number;
  /** PEM: signs what we serve by. */
  readonly ca: Authority;
  /** How kube-apiserver logs in. */
  readonly proxy: KeyAndCertificate;
  readonly frontProxyCa: Authority;
  readonly clusterCa: Authority;
  /** Reviews that were asked for, by kind. */
  readonly reviews: string[];
  readonly log: string[];
  ask(question: Question): Promise<Reply>;
  /** As kube-apiserver asks for this user, who is in no group unless named. */
  askFor(user: string, question: Question, groups?: readonly string[]): Promise<Reply>;
  stop(): Promise<void>;
}

const identity = 'stageset-api';

export async function startAggregated(
  { cluster }: Playground,
  changes: Partial<AggregatedOptions> = {},
  timeouts: NonNullable<TlsServerOptions['timeouts']> = {},
): Promise<AggregatedStand> {
  await grantServer(cluster);
  const now = instant(Date.now());
  const ca = await createAuthority({ commonName: 'stageset-api-ca', validFor: minutes(60), now });
  const serving = await issueCertificate(ca, {
    commonName: service.name,
    dnsNames: [`${service.name}.${service.namespace}.svc`, 'localhost'],
    usage: 'server',
    validFor: minutes(60),
    now,
  });
  const kubeconfig = await cluster.kubeconfigFor(identity);
  const connection = await Connection.open({ kind: 'File', path: kubeconfig });
  const client = KubernetesClient.connect(connection);
  const log: string[] = [];
  const logger = createLogger('api', {
    level: 'info',
    format: 'json',
    destination: { write: (line) => log.push(line) },
  });
  const authentication = new ClusterAuthentication(client, logger);
  authentication.start();
  await authentication.synced(AbortSignal.timeout(30_000));
  const shutdown = new Shutdown();
  const samples = sampleResources();
  const reviews: string[] = [];
  const review = clusterReviewer(client);
  const noted: Reviewer = async (kind, spec, signal) => {
    reviews.push(kind);
    return await review(kind, spec, signal);
  };
  const app = aggregatedApp({
    served: { group, version: 'v1' },
    resources: samples.resources,
    contract,
    authentication,
    review: noted,
    clock: () => instant(Date.now()),
    logger,
    health: {
      live: [{ name: 'ping', check: () => undefined }],
      ready: [shutdown.check, { name: 'authentication', check: () => authentication.trouble() }],
    },
    version: '0.1.0',
    ...changes,
  });
  const server = await startTlsServer({
    purpose: { name: 'API', flag: '--api-bind-address' },
    address: { host: 'localhost', port: 0 },
    listener: app,
    certificates: {
      current: () => ({ certificateChain: serving.certificate, privateKey: serving.privateKey }),
      onRenewal: () => () => undefined,
    },
    shutdown,
    timeouts,
    onTrouble: (error) => log.push(String(error)),
  });
  const proxy = await pairOf(cluster.frontProxyClient);
  const { host, port } = server.address;
  const ask = async (question: Question): Promise<Reply> =>
    await send({ host, port, ca: ca.certificate }, question);
  return {
    samples,
    server,
    port,
    ca,
    proxy,
    frontProxyCa: loadAuthority(await pairOf(cluster.frontProxyCa)),
    clusterCa: loadAuthority(await pairOf(cluster.ca)),
    reviews,
    log,
    ask,
    askFor: async (user, question, groups = []) => {
      const headers = groups.flatMap((name) => ['X-Remote-Group', name]);
      const others = Object.entries(question.headers ?? {}).flatMap(([name, value]) =>
        typeof value === 'string' ? [name, value] : [],
      );
      return await ask({
        as: proxy,
        ...question,
        headers: ['X-Remote-User', user, ...headers, ...others],
      });
    },
    stop: async () => {
      await server.stop({ delay: milliseconds(0), grace: seconds(5) });
      await authentication.stop();
      await connection.close();
    },
  };
}

/** What the server needs, and no more. */
async function grantServer(cluster: Playground['cluster']): Promise<void> {
  await cluster.kubectl([
    ...['create', 'clusterrolebinding', 'stageset-api-delegator'],
    ...['--clusterrole=system:auth-delegator', `--user=${identity}`],
  ]);
  await cluster.kubectl([
    ...['create', 'rolebinding', 'stageset-api-reader', '--namespace=kube-system'],
    ...['--role=extension-apiserver-authentication-reader', `--user=${identity}`],
  ]);
}

/**
 * Lets users get, list, create and patch what is served here in namespace default.
 * @param verbs of RBAC, comma-separated
 */
export async function grant(
  { cluster }: Playground,
  user: string,
  verbs: string,
  resources: string,
): Promise<void> {
  const rules = [{ apiGroups: [group], resources: resources.split(','), verbs: verbs.split(',') }];
  const metadata = { name: `sample-${user}`, namespace: 'default' };
  const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules };
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  };
  const input = `${JSON.stringify(role)}\n---\n${JSON.stringify(binding)}`;
  const { code, stderr } = await cluster.kubectl(['apply', '-f', '-'], { input });
  if (code !== 0) throw new Error(stderr);
}

async function pairOf(files: {
  certificate: string;
  privateKey: string;
}): Promise<KeyAndCertificate> {
  const [certificate, privateKey] = await Promise.all([
    readFile(files.certificate, 'utf8'),
    readFile(files.privateKey, 'utf8'),
  ]);
  return { certificate, privateKey };
}

async function send(
  { host, port, ca }: { host: string; port: number; ca: string },
  { path, method = 'GET', headers = {}, body, as }: Question,
): Promise<Reply> {
  return await new Promise((resolve, reject) => {
    const sent = httpsRequest(
      {
        host,
        port,
        path,
        method,
        ca,
        servername: 'localhost',
        // A list of names and values is sent in the order and spelling that it has.
        headers: Array.isArray(headers)
          ? withHost(headers as string[], `localhost:${port}`, body)
          : headers,
        agent: new Agent({ keepAlive: false }),
        ...(as === undefined ? {} : { cert: as.certificate, key: as.privateKey }),
      },
      (response) => {
        text(response).then(
          (answer) =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer }),
          reject,
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Node adds nothing to headers that come as a list. */
function withHost(headers: readonly string[], host: string, body: string | undefined): string[] {
  const length = body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body))];
  return ['Host', host, ...length, ...headers];
}

/** A connection as the front proxy, for what no client library sends. */
export async function openSocket({ server, ca, proxy }: AggregatedStand): Promise<TLSSocket> {
  const socket = connect({
    ...server.address,
    servername: 'localhost',
    ca: ca.certificate,
    cert: proxy.certificate,
    key: proxy.privateKey,
  });
  await once(socket, 'secureConnect');
  return socket;
}
