import { X509Certificate } from 'node:crypto';
import { type Instant, instant } from '../core/time.ts';

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The PEM certificates in a text, one by one, each with a line feed at its end. */
export function certificatesIn(text: string): string[] {
  return (text.match(block) ?? []).map((pem) => `${pem.replaceAll('\r\n', '\n')}\n`);
}

/** One PEM text of these certificates, each once. */
export function bundleOf(certificates: readonly string[]): string {
  return [...new Set(certificates)].join('');
}

/** A PEM certificate, or undefined when it is none. */
export function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

export function endOf(certificate: X509Certificate): Instant {
  return instant(Date.parse(certificate.validTo));
}

/** Whether every certificate of `bundle` is also in `published`. */
export function holdsBundle(published: string, bundle: string): boolean {
  const there = new Set(certificatesIn(published).map(withoutBreaks));
  return certificatesIn(bundle).every((pem) => there.has(withoutBreaks(pem)));
}

function withoutBreaks(pem: string): string {
  return pem.replaceAll(/\s/g, '');
}
