import { constants } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import type { SecureContextOptions } from 'node:tls';
import type { Duration } from '../core/time.ts';
import type { ListenAddress } from '../types/listen-address.ts';
import { Drain } from './drain.ts';
import type { HealthCheck } from './health.ts';
import { listen, type ServerPurpose } from './listening.ts';

/** PEM: the leaf and its intermediates, and the leaf's key. */
interface KeyPair {
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** Where the serving certificate comes from, and who tells of its renewal. */
export interface ServingCertificates {
  /** @throws Error when there is none yet */
  current(): KeyPair;
  /** @returns what ends the telling */
  onRenewal(listener: (renewed: KeyPair) => void): () => void;
}

type TimeoutName = 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval';

export interface TlsServerOptions {
  readonly purpose: ServerPurpose;
  readonly address: ListenAddress;
  readonly listener: RequestListener;
  readonly certificates: ServingCertificates;
  /** Shared with the health endpoints, so that readiness fails before anything ends. */
  readonly shutdown: Shutdown;
  /** Where other bounds than the usual ones are wanted, in milliseconds. */
  readonly timeouts?: Partial<Pick<typeof limits, TimeoutName>>;
  /** Told when a connection could not be accepted or a renewal not be used; the server goes on. */
  readonly onTrouble: (error: Error) => void;
}

/** A server that answers by TLS. */
export interface RunningTlsServer {
  /** Where it listens in fact; the port is never 0. */
  readonly address: Required<ListenAddress>;
  /**
   * Ends without a caller noticing. At once readiness fails and every answer says `Connection:
   * close`, while new connections are still served for `delay`: whoever sends traffic here takes a
   * while to learn. Then no connection is taken any more, answers under way end, and what is left is
   * cut after `grace`. Calling it again waits for the same end.
   */
  stop(ending: { readonly delay: Duration; readonly grace: Duration }): Promise<void>;
}

/** Whether the end has begun, as a readiness check. */
export class Shutdown {
  #begun = false;

  readonly check: HealthCheck = {
    name: 'shutdown',
    check: () => (this.#begun ? 'the process is shutting down' : undefined),
  };

  begin(): void {
    this.#begun = true;
  }
}

/** Bounds for whoever connects: milliseconds, bytes and counts. */
const limits = {
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  /** For the headers and the body together. */
  requestTimeout: 30_000,
  /** Longer than Go's clients keep an idle connection (90 s), so that ours is never the first end. */
  keepAliveTimeout: 120_000,
  connectionsCheckingInterval: 2_000,
  /** A user may be in hundreds of groups, each in a header of its own. */
  maxHeaderSize: 64 * 1024,
} satisfies ServerOptions;
const mostConnections = 512;
/** Without any sign of the client; an answer may be awaited for 55 s, but not left unread for ever. */
const silence = 90_000;

/**
 * Starts an HTTPS server (HTTP/1.1, TLS 1.2 or later) and waits until it listens. It asks every
 * client for a certificate and lets everybody in: who they are is for the listener to find out.
 *
 * @throws TerminalError when it cannot listen; what `certificates.current` throws
 */
export async function startTlsServer(options: TlsServerOptions): Promise<RunningTlsServer> {
  const { purpose, address, listener, certificates, shutdown, timeouts, onTrouble } = options;
  const drain = new Drain(listener);
  const server = createServer(
    {
      ...limits,
      ...timeouts,
      ...secureContext(certificates.current()),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    },
    (request, response) => drain.serve(request, response),
  );
  server.maxConnections = mostConnections;
  server.timeout = silence;
  const bound = await listen(server, purpose, address);
  // Without a listener the event would end the process, out of file descriptors for one.
  server.on('error', onTrouble);
  const endRenewals = certificates.onRenewal((renewed) => {
    try {
      server.setSecureContext(secureContext(renewed));
    } catch (error) {
      onTrouble(error instanceof Error ? error : new Error('the certificate cannot be used'));
    }
  });
  const end = async (delay: Duration, grace: Duration): Promise<void> => {
    shutdown.begin();
    drain.announce();
    await pause(delay);
    await drain.stop(server, grace);
    endRenewals();
  };
  let ended: Promise<void> | undefined;
  return { address: bound, stop: ({ delay, grace }) => (ended ??= end(delay, grace)) };
}

/** All of it each time: a new context inherits nothing from the one before. */
function secureContext({ certificateChain, privateKey }: KeyPair): SecureContextOptions {
  return {
    cert: certificateChain,
    key: privateKey,
    minVersion: 'TLSv1.2',
    // A resumed session would bring the peer's leaf without its chain.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
