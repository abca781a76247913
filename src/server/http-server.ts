import { createServer, type RequestListener } from 'node:http';
import type { Duration } from '../core/time.ts';
import type { ListenAddress } from '../types/listen-address.ts';
import { Drain } from './drain.ts';
import { listen, type ServerPurpose } from './listening.ts';

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
  const bound = await listen(server, purpose, address);
  // Without a listener the event would end the process, out of file descriptors for one.
  server.on('error', onTrouble);
  let stopped: Promise<void> | undefined;
  return {
    address: bound,
    stop: (grace) => (stopped ??= drain.stop(server, grace)),
  };
}
