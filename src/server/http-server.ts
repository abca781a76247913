import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { TerminalError } from '../core/errors.ts';
import type { Duration } from '../core/time.ts';
import type { ListenAddress } from '../types/listen-address.ts';

/** What a server is for, in words for errors, and the flag that says where it listens. */
export interface ServerPurpose {
  /** As in `<name> server`: `metrics`. */
  readonly name: string;
  /** With its dashes. */
  readonly flag: string;
}

/** A server that answers. */
export interface RunningServer {
  /** Where it listens in fact; the port is never 0. */
  readonly address: Required<ListenAddress>;
  /**
   * Takes no more connections, lets answers under way end, and cuts what is left after `grace`.
   * Resolves when no connection is left; calling it again waits for the same end.
   */
  stop(grace: Duration): Promise<void>;
}

/** Bounds for whoever connects, in milliseconds and counts. Nothing served here takes a body. */
const limits = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  /** Longer than the usual 30 s between two scrapes, so that they keep their connection. */
  keepAliveTimeout: 75_000,
  connectionsCheckingInterval: 5_000,
  maxHeaderSize: 16 * 1024,
};
const mostConnections = 256;

/**
 * Starts an HTTP/1.1 server and waits until it listens.
 * @param onTrouble told when a connection could not be accepted; the server goes on.
 * @throws TerminalError when it cannot listen; it names the address, the cause and the flag.
 */
export async function startHttpServer(
  purpose: ServerPurpose,
  address: ListenAddress,
  listener: RequestListener,
  onTrouble: (error: Error) => void,
): Promise<RunningServer> {
  const drain = new Drain(listener);
  const server = createServer(limits, (request, response) => drain.serve(request, response));
  server.maxConnections = mostConnections;
  server.listen(address);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw cannotListen(purpose, address, error);
  }
  // Without a listener the event would end the process, out of file descriptors for one.
  server.on('error', onTrouble);
  let stopped: Promise<void> | undefined;
  return {
    address: boundTo(server, address),
    stop: (grace) => (stopped ??= drain.stop(server, grace)),
  };
}

/** Knows the answers under way, so that their connections can be ended with them. */
class Drain {
  readonly #listener: RequestListener;
  readonly #underWay = new Set<ServerResponse>();
  #stopping = false;

  constructor(listener: RequestListener) {
    this.#listener = listener;
  }

  readonly serve: RequestListener = (request, response) => {
    this.#underWay.add(response);
    response.once('close', () => this.#underWay.delete(response));
    if (this.#stopping) response.shouldKeepAlive = false;
    this.#listener(request, response);
  };

  async stop(server: Server, grace: Duration): Promise<void> {
    this.#stopping = true;
    const closed = once(server, 'close');
    server.close();
    // Else a client that keeps its connection would hold the server open until it lets go.
    for (const response of this.#underWay) response.shouldKeepAlive = false;
    server.closeIdleConnections();
    const cut = setTimeout(() => server.closeAllConnections(), grace);
    try {
      await closed;
    } finally {
      clearTimeout(cut);
    }
  }
}

function boundTo(server: Server, asked: ListenAddress): Required<ListenAddress> {
  const bound = server.address();
  return typeof bound === 'object' && bound !== null
    ? { host: bound.address, port: bound.port }
    : { host: asked.host ?? '::', port: asked.port };
}

function cannotListen(
  purpose: ServerPurpose,
  address: ListenAddress,
  cause: unknown,
): TerminalError {
  const where = `${address.host ?? 'every interface'}, port ${address.port}`;
  return new TerminalError(
    `The ${purpose.name} server cannot listen on ${where}: ${whyNot(cause)}; ` +
      `change ${purpose.flag} or free the address`,
    { cause },
  );
}

function whyNot(cause: unknown): string {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return 'another program listens there (EADDRINUSE)';
    case 'EACCES':
      return 'ports below 1024 need a privilege that the process lacks (EACCES)';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address (EADDRNOTAVAIL)';
    case 'ENOTFOUND':
      return 'the host name has no address (ENOTFOUND)';
    default:
      return cause instanceof Error ? cause.message : 'the cause is unknown';
  }
}

function codeOf(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
}
