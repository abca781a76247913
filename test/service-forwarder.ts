import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { pause } from '../src/kubernetes/wait.ts';

/** One process behind a Service. */
export interface Backend {
  readonly port: number;
  /** `/readyz`, as the kubelet asks it. */
  readonly readyUrl: string;
}

/** Milliseconds between two questions whether a backend is ready. */
const probeInterval = 100;

/**
 * The port of a Service with several backends, since the throwaway cluster has no nodes and so neither
 * kubelet nor kube-proxy. A new connection goes to the next backend that is ready, and stays there
 * whatever becomes of its readiness. A backend is ready while `/readyz` says so; one that refuses a
 * connection is not until it says so again, as the kubelet takes one whose container has ended.
 */
export class ServiceForwarder {
  readonly #server: Server;
  readonly #stop = new AbortController();
  readonly #backends = new Map<Backend, 'Ready' | 'NotReady'>();
  readonly #sockets = new Map<Socket, Backend | undefined>();
  readonly #probing: Promise<void>;
  #turn = 0;

  private constructor() {
    this.#server = createServer((socket) => this.#forward(socket));
    this.#probing = this.#probe();
  }

  static async start(port: number): Promise<ServiceForwarder> {
    const forwarder = new ServiceForwarder();
    forwarder.#server.listen(port, '127.0.0.1');
    await once(forwarder.#server, 'listening');
    return forwarder;
  }

  add(backend: Backend): void {
    this.#backends.set(backend, 'NotReady');
  }

  remove(backend: Backend): void {
    this.#backends.delete(backend);
  }

  /** Open connections to a backend. */
  connections(backend: Backend): number {
    return [...this.#sockets.values()].filter((one) => one === backend).length;
  }

  isReady(backend: Backend): boolean {
    return this.#backends.get(backend) === 'Ready';
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the forwarder stops'));
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
    await Promise.all([closed, this.#probing]);
  }

  #forward(socket: Socket): void {
    const ready = [...this.#backends].filter(([, state]) => state === 'Ready');
    this.#turn += 1;
    const backend = ready[this.#turn % ready.length]?.[0];
    this.#sockets.set(socket, backend);
    socket.once('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    if (backend === undefined) {
      socket.destroy();
      return;
    }
    const onward = connect(backend.port, '127.0.0.1');
    onward.once('connect', () => {
      socket.pipe(onward);
      onward.pipe(socket);
    });
    onward.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') this.#setReady(backend, 'NotReady');
      socket.destroy();
    });
    onward.once('close', () => socket.destroy());
    socket.once('close', () => onward.destroy());
  }

  #setReady(backend: Backend, state: 'Ready' | 'NotReady'): void {
    if (this.#backends.has(backend)) this.#backends.set(backend, state);
  }

  async #probe(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await Promise.all(
        [...this.#backends.keys()].map(async (backend) => {
          const bounded = AbortSignal.any([signal, AbortSignal.timeout(1000)]);
          const answer = await fetch(backend.readyUrl, { signal: bounded }).catch(() => undefined);
          this.#setReady(backend, answer?.ok === true ? 'Ready' : 'NotReady');
        }),
      );
      await pause(probeInterval, signal).catch(() => undefined);
    }
  }
}
