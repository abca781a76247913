import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAuthority } from '../src/certs/authority.ts';
import { issueCertificate } from '../src/certs/issue.ts';
import { instant, minutes } from '../src/core/time.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import type { KubernetesObject } from '../src/types/kubernetes.ts';
import type { TestNamespace } from './test-namespace.ts';
import { untilObjects } from './watching.ts';

/** How a container ended, as a kubelet would say it. */
export interface ContainerEnd {
  readonly exitCode: number;
  readonly reason?: string;
  /** What it left in its termination log. */
  readonly message?: string;
  /** What it wrote. */
  readonly output?: string;
}

/**
 * A node whose kubelet runs nothing: a test says of each pod that it has ended. It serves logs to the
 * API server, which asks it for them as any other kubelet.
 */
export class Kubelet {
  readonly node: string;
  readonly #client: KubernetesClient;
  readonly #server: Server;
  readonly #outputs = new Map<string, string>();

  private constructor(node: string, client: KubernetesClient, server: Server) {
    this.node = node;
    this.#client = client;
    this.#server = server;
    server.on('request', (request, response) => {
      const [path = ''] = (request.url ?? '').split('?');
      const output = this.#outputs.get(path);
      response.writeHead(output === undefined ? 404 : 200, { 'content-type': 'text/plain' });
      const query = new URL(request.url ?? '', 'https://kubelet').searchParams;
      response.end(tail(output ?? '', query.get('tailLines'), query.get('limitBytes')));
    });
  }

  static async start(client: KubernetesClient, node = 'node-1'): Promise<Kubelet> {
    const now = instant(Date.now());
    const validFor = minutes(60);
    const authority = await createAuthority({ commonName: 'kubelets', validFor, now });
    const { certificate, privateKey } = await issueCertificate(authority, {
      commonName: node,
      ipAddresses: ['127.0.0.1'],
      usage: 'server',
      validFor,
      now,
    });
    const server = createServer({ cert: certificate, key: privateKey });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const kubelet = new Kubelet(node, client, server);
    await kubelet.#register((server.address() as AddressInfo).port);
    return kubelet;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<unknown>((resolve) => this.#server.close(resolve));
  }

  /** Waits for the pod that a Job has, and says that it has ended. */
  async end(shop: TestNamespace, job: string, how: ContainerEnd): Promise<void> {
    const query = { apiVersion: 'v1', kind: 'Pod', namespace: shop.name };
    const pod = await untilObjects(
      shop.client,
      { ...query, labelSelector: `batch.kubernetes.io/job-name=${job}` },
      (pods) => [...pods.values()].find(isUnfinished),
    );
    await this.#report(shop, pod, how);
  }

  async #report(shop: TestNamespace, pod: KubernetesObject, how: ContainerEnd): Promise<void> {
    const { exitCode, reason = exitCode === 0 ? 'Completed' : 'Error', message, output } = how;
    const { name } = pod.metadata;
    this.#outputs.set(`/containerLogs/${shop.name}/${name}/migrate`, output ?? '');
    const finishedAt = new Date().toISOString().replace(/\.\d+Z/, 'Z');
    const terminated = {
      exitCode,
      reason,
      startedAt: finishedAt,
      finishedAt,
      ...(message === undefined ? {} : { message }),
    };
    const container = { name: 'migrate', image: 'migrate:1', imageID: '', ready: false };
    const status = {
      phase: exitCode === 0 ? 'Succeeded' : 'Failed',
      startTime: finishedAt,
      containerStatuses: [{ ...container, restartCount: 0, state: { terminated } }],
    };
    await shop.client.patch(
      { apiVersion: 'v1', kind: 'Pod', namespace: shop.name, name },
      { type: 'Merge', body: { status }, subresource: 'status' },
      shop.call,
    );
  }

  async #register(port: number): Promise<void> {
    const call = { signal: AbortSignal.timeout(30_000) };
    const reference = { apiVersion: 'v1', kind: 'Node', name: this.node };
    await this.#client.create(
      { apiVersion: 'v1', kind: 'Node', metadata: { name: this.node } },
      {},
      call,
    );
    const addresses = [{ type: 'InternalIP', address: '127.0.0.1' }];
    const status = { addresses, daemonEndpoints: { kubeletEndpoint: { Port: port } } };
    await this.#client.patch(
      reference,
      { type: 'Merge', body: { status }, subresource: 'status' },
      call,
    );
  }
}

function isUnfinished({ status, metadata }: KubernetesObject): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  const phase = (status as { phase?: string } | undefined)?.phase;
  return phase !== 'Succeeded' && phase !== 'Failed';
}

function tail(output: string, lines: string | null, bytes: string | null): string {
  const all = output.split('\n');
  const last = lines === null ? all : all.slice(-Number(lines));
  const text = last.join('\n');
  return bytes === null ? text : text.slice(0, Number(bytes));
}
