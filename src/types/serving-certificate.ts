/** What a TLS server of ours presents. */
export interface ServingCertificate {
  /** PEM: the leaf, then the intermediates where there are any. */
  certificateChain: string;
  /** PEM, the leaf's. */
  privateKey: string;
  /** When the leaf, or what it hangs on, ends. */
  notAfter: Date;
}

/** Where a serving certificate comes from, and what callers must trust to verify it. */
export interface CertificateSource {
  /** @throws Error when there is none yet: see `ready` */
  current(): ServingCertificate;
  /**
   * Tells `listener` of every later change of the certificate or of the bundle.
   * @returns what ends that
   */
  onRenewal(listener: (renewed: ServingCertificate) => void): () => void;
  /** PEM certificates to put into every `caBundle`; empty when callers need none of ours. */
  caBundle(): string;
  /** Undefined when what is served can be verified, else why not. */
  ready(): string | undefined;
  /** Ends the looking for renewals; what is served stays as it is. */
  stop(): Promise<void>;
}
