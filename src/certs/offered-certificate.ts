import { RetryableError } from '../core/errors.ts';
import { type Clock, instant, toRfc3339 } from '../core/time.ts';
import type { Logger } from '../types/log.ts';
import type { ServingCertificate } from '../types/serving-certificate.ts';

interface Offer {
  serving: ServingCertificate;
  caBundle: string;
}

export interface OfferedCertificateOptions {
  clock: Clock;
  logger: Logger;
  /** What one is waiting for while there is no certificate. */
  awaiting: string;
}

/**
 * The certificate that a source offers at the moment, and who wants to know of the next one. What
 * is offered stays until something better comes, whatever happens meanwhile.
 */
export class OfferedCertificate {
  readonly #options: OfferedCertificateOptions;
  readonly #listeners = new Set<(renewed: ServingCertificate) => void>();
  #offer: Offer | undefined;

  constructor(options: OfferedCertificateOptions) {
    this.#options = options;
  }

  /** @throws RetryableError while there is none */
  current(): ServingCertificate {
    if (this.#offer === undefined) throw new RetryableError(this.#missing());
    return this.#offer.serving;
  }

  caBundle(): string {
    return this.#offer?.caBundle ?? '';
  }

  onRenewal(listener: (renewed: ServingCertificate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Why what is served cannot be verified; undefined when it can. `trouble` is what keeps it from
   * being renewed. That counts only once it does harm: to take a server away whose certificate still verifies
   * would be the very outage that the certificate's remaining life gives time to avoid.
   */
  ready(trouble: string | undefined): string | undefined {
    if (this.#offer === undefined) return this.#missing(trouble);
    const { notAfter } = this.#offer.serving;
    if (this.#options.clock() < notAfter.getTime()) return undefined;
    const ended = toRfc3339(instant(notAfter.getTime()));
    return `the serving certificate ended at ${ended}${because(trouble)}`;
  }

  /** Takes the certificate and tells the listeners, unless it is the one that is offered already. */
  take(serving: ServingCertificate, caBundle: string): void {
    const before = this.#offer;
    if (
      before?.caBundle === caBundle &&
      before.serving.certificateChain === serving.certificateChain &&
      before.serving.privateKey === serving.privateKey
    ) {
      return;
    }
    this.#offer = { serving, caBundle };
    this.#options.logger.info('serving certificate', { notAfter: serving.notAfter });
    for (const listener of this.#listeners) {
      try {
        listener(serving);
      } catch (error) {
        // One server that cannot take it must not keep it from the others.
        this.#options.logger.error('a renewed serving certificate was not taken', { error });
      }
    }
  }

  #missing(trouble?: string): string {
    return `there is no serving certificate yet: ${trouble ?? this.#options.awaiting}`;
  }
}

function because(trouble: string | undefined): string {
  return trouble === undefined ? '' : `: ${trouble}`;
}
