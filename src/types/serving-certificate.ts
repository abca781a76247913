/** What a TLS server presents, both PEM; the chain begins with the leaf. */
export interface ServingCertificate {
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** Where a TLS server takes its certificate from: it may be renewed at any time. */
export interface CertificateSource {
  current(): ServingCertificate;
  /** Tells of each renewal until the returned function is called. */
  onRenewal(listener: (renewed: ServingCertificate) => void): () => void;
}
