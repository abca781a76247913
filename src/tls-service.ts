import type { RequestListener } from 'node:http';
import type { Duration } from './core/time.ts';
import type { ServerPurpose } from './server/listening.ts';
import { type RunningTlsServer, Shutdown, startTlsServer } from './server/tls-server.ts';
import { untilServable } from './serving-certificates.ts';
import type { ListenAddress } from './types/listen-address.ts';
import type { Logger } from './types/log.ts';
import type { CertificateSource } from './types/serving-certificate.ts';

export interface TlsServiceOptions {
  readonly purpose: ServerPurpose;
  readonly address: ListenAddress;
  readonly certificates: CertificateSource;
  readonly logger: Logger;
}

/** Something that is served by TLS from the first certificate on, until it is stopped. */
export class TlsService {
  readonly #options: TlsServiceOptions;
  readonly shutdown = new Shutdown();
  readonly #stop = new AbortController();
  #starting: Promise<RunningTlsServer | undefined> | undefined;
  #trouble: string | undefined;

  constructor(options: TlsServiceOptions) {
    this.#options = options;
    this.#trouble = `the ${options.purpose.name} is not served yet`;
  }

  /** @param app made once there is a certificate; the signal fires when the service is stopped */
  start(app: (signal: AbortSignal) => Promise<RequestListener>): void {
    this.#starting ??= this.#serve(app);
  }

  /** Why it gets no requests; undefined when it serves. */
  notReady(): string | undefined {
    return this.#trouble ?? this.#options.certificates.ready() ?? this.shutdown.check.check();
  }

  /** Goes on answering for the delay, while it says that it is no longer ready, and ends then. */
  async stop(delay: Duration, grace: Duration): Promise<void> {
    this.#stop.abort(new Error('the process is stopping'));
    const server = await this.#starting;
    await server?.stop({ delay, grace });
  }

  /** @returns undefined where the process stops before there is a certificate. */
  async #serve(
    app: (signal: AbortSignal) => Promise<RequestListener>,
  ): Promise<RunningTlsServer | undefined> {
    const { purpose, address, certificates, logger } = this.#options;
    const { signal } = this.#stop;
    try {
      await untilServable(certificates, signal);
      const server = await startTlsServer({
        purpose,
        address,
        listener: await app(signal),
        certificates,
        shutdown: this.shutdown,
        onTrouble: (error) => logger.warn(`the ${purpose.name} had trouble`, { error }),
      });
      this.#trouble = undefined;
      logger.info(`the ${purpose.name} is served`, { ...server.address });
      return server;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#trouble = error instanceof Error ? error.message : 'the cause is unknown';
      logger.error(`the ${purpose.name} cannot be served`, { error });
      return undefined;
    }
  }
}
