import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import type { Fault, FaultRule, SeenRequest } from './faults.ts';
import { isWatch, isWrite } from './faults.ts';

const MAX_SEEN = 10_000;

interface OpenStream {
  seen: SeenRequest;
  socket: Socket;
  silenced: boolean;
}

interface ArmedRule extends FaultRule {
  seen: number;
}

/**
 * A proxy between a client and a real API server that does what networks and servers do at their
 * worst. The client speaks plain HTTP to it; a request that brings its own Authorization header goes
 * on with that alone, any other one with the identity of the kubeconfig given to `start`.
 */
export class FaultProxy {
  /** What has come through, oldest first. */
  readonly requests: SeenRequest[] = [];
  readonly #server: Server;
  readonly #target: URL;
  readonly #own: Agent;
  readonly #anonymous: Agent;
  readonly #rules: ArmedRule[] = [];
  readonly #streams = new Set<OpenStream>();
  readonly #listeners = new Set<(seen: SeenRequest) => void>();

  private constructor(target: URL, own: Agent, anonymous: Agent) {
    this.#target = target;
    this.#own = own;
    this.#anonymous = anonymous;
    this.#server = createServer((request, response) => this.#handle(request, response));
    this.#server.keepAliveTimeout = 120_000;
  }

  /** Starts a proxy to the cluster of this kubeconfig, on a free port of the loopback interface. */
  static async start(kubeconfig: string): Promise<FaultProxy> {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key } = options;
    const keepAlive = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
    const proxy = new FaultProxy(
      new URL(config.getCurrentCluster()?.server ?? ''),
      new Agent({ ...keepAlive, ca, cert, key }),
      new Agent({ ...keepAlive, ca }),
    );
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#address().port}`;
  }

  /** A kubeconfig that leads here. It carries no identity: the proxy adds its own. */
  get kubeconfig(): string {
    const cluster = { server: this.url, 'insecure-skip-tls-verify': true };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'proxied', cluster }],
      users: [{ name: 'proxied', user: {} }],
      contexts: [{ name: 'proxied', context: { cluster: 'proxied', user: 'proxied' } }],
      'current-context': 'proxied',
    });
  }

  /** Arms a fault; the first armed rule that matches a request has it. Returns what disarms it. */
  inject(rule: FaultRule): () => void {
    const armed: ArmedRule = { ...rule, seen: 0 };
    this.#rules.push(armed);
    return () => {
      const place = this.#rules.indexOf(armed);
      if (place >= 0) this.#rules.splice(place, 1);
    };
  }

  /** Cuts the connection before or after the n-th write from now (1 is the next) was carried out. */
  cutWrite(n: number, when: 'Before' | 'After'): () => void {
    const fault: Fault = when === 'Before' ? { kind: 'Reset' } : { kind: 'ResetAfter' };
    return this.inject({ match: isWrite, skip: n - 1, times: 1, fault });
  }

  /** Destroys the connections of all open watches. Returns how many there were. */
  cutWatches(): number {
    const open = [...this.#streams];
    for (const { socket } of open) socket.resetAndDestroy();
    return open.length;
  }

  /** Open watches get nothing any more, but stay open: half-open connections. */
  silenceWatches(): number {
    for (const stream of this.#streams) stream.silenced = true;
    return this.#streams.size;
  }

  get openWatches(): number {
    return this.#streams.size;
  }

  /** The next request that matches. */
  next(match: (seen: SeenRequest) => boolean): Promise<SeenRequest> {
    return new Promise((resolve) => {
      const listener = (seen: SeenRequest): void => {
        if (!match(seen)) return;
        this.#listeners.delete(listener);
        resolve(seen);
      };
      this.#listeners.add(listener);
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#own.destroy();
    this.#anonymous.destroy();
  }

  #address(): AddressInfo {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The proxy is stopped');
    return address;
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/', headers } = request;
    const seen: SeenRequest = { method, url, headers, at: performance.now() };
    this.requests.push(seen);
    if (this.requests.length > MAX_SEEN) this.requests.shift();
    for (const listener of [...this.#listeners]) listener(seen);
    const fault = this.#faultFor(seen);
    switch (fault?.kind) {
      case 'Reset':
        request.socket.resetAndDestroy();
        return;
      case 'Silence':
        request.resume();
        return;
      case 'Answer': {
        request.resume();
        const body = typeof fault.body === 'string' ? fault.body : JSON.stringify(fault.body ?? '');
        response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers });
        response.end(body);
        return;
      }
      case 'Delay':
        this.#forwardLater(request, response, seen, fault.milliseconds);
        return;
      case 'ResetAfter':
      case 'Lines':
      case undefined:
        this.#forward(request, response, seen, fault);
    }
  }

  #faultFor(seen: SeenRequest): Fault | undefined {
    for (const rule of this.#rules) {
      if (!rule.match(seen)) continue;
      rule.seen += 1;
      const skip = rule.skip ?? 0;
      const times = rule.times ?? Number.POSITIVE_INFINITY;
      if (rule.seen > skip && rule.seen <= skip + times) return rule.fault;
    }
    return undefined;
  }

  #forwardLater(
    request: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    milliseconds: number,
  ): void {
    if (isWatch(seen)) {
      setTimeout(() => this.#forward(request, response, seen, undefined), milliseconds);
      return;
    }
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    setTimeout(() => {
      const outgoing = this.#outgoing(request);
      outgoing.on('error', () => request.socket.destroy());
      outgoing.on('response', (incoming) => {
        seen.status = incoming.statusCode;
        response.writeHead(incoming.statusCode ?? 502, incoming.headers);
        incoming.pipe(response);
      });
      outgoing.end(Buffer.concat(chunks));
    }, milliseconds);
  }

  #outgoing(request: IncomingMessage): ClientRequest {
    return httpsRequest({
      agent: request.headers.authorization === undefined ? this.#own : this.#anonymous,
      hostname: this.#target.hostname,
      port: this.#target.port,
      method: request.method,
      path: request.url,
      headers: { ...request.headers, host: this.#target.host },
    });
  }

  #forward(
    request: IncomingMessage,
    response: ServerResponse,
    seen: SeenRequest,
    fault: Fault | undefined,
  ): void {
    const outgoing = this.#outgoing(request);
    outgoing.on('error', () => request.socket.destroy());
    response.on('close', () => outgoing.destroy());
    outgoing.on('response', (incoming) => {
      seen.status = incoming.statusCode;
      if (fault?.kind === 'ResetAfter') {
        // The answer has come, so the API server is done with it; nobody learns of it.
        incoming.resume();
        incoming.on('end', () => request.socket.resetAndDestroy());
        return;
      }
      response.writeHead(incoming.statusCode ?? 502, incoming.headers);
      incoming.on('error', () => request.socket.destroy());
      if (isWatch(seen)) this.#stream(incoming, response, { seen, socket: request.socket, fault });
      else incoming.pipe(response);
    });
    request.pipe(outgoing);
  }

  #stream(
    incoming: IncomingMessage,
    response: ServerResponse,
    of: { seen: SeenRequest; socket: Socket; fault: Fault | undefined },
  ): void {
    const stream: OpenStream = { seen: of.seen, socket: of.socket, silenced: false };
    this.#streams.add(stream);
    response.on('close', () => this.#streams.delete(stream));
    response.flushHeaders();
    const change = of.fault?.kind === 'Lines' ? of.fault.change : undefined;
    let rest = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk: string) => {
      if (stream.silenced) return;
      if (change === undefined) {
        response.write(chunk);
        return;
      }
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.flatMap((whole) => change(whole))) response.write(`${line}\n`);
    });
    incoming.on('end', () => {
      if (!stream.silenced) response.end();
    });
  }
}
