import { X509Certificate } from 'node:crypto';
import type { Instant } from '../../core/time.ts';

/** What a client certificate says of its holder. */
export interface CertificateSubject {
  readonly commonName: string;
  readonly organizations: readonly string[];
}

/** Leaf, intermediates and root; longer chains are not followed. */
const longestChain = 5;
const clientAuth = '1.3.6.1.5.5.7.3.2';
const anyUsage = '2.5.29.37.0';

/**
 * The certificates of a PEM bundle. Text between them is passed over, as Go does.
 * @throws Error when there is none, or one that cannot be read
 */
export function parseBundle(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new Error('there is no certificate in the bundle');
  return blocks.map((block) => new X509Certificate(block));
}

/**
 * Whether a certificate is of these authorities, for a client, and valid now: a chain of signatures
 * from it to one of the roots, every certificate in it within its time.
 *
 * @param intermediates what the peer sent along; they are trusted for nothing but the chain
 */
export function isClientOf(
  roots: readonly X509Certificate[],
  leaf: X509Certificate,
  intermediates: readonly X509Certificate[],
  now: Instant,
): boolean {
  return (
    isWithinItsTime(leaf, now) &&
    isForClients(leaf) &&
    hasChain(leaf, roots, intermediates, now, longestChain)
  );
}

function hasChain(
  certificate: X509Certificate,
  roots: readonly X509Certificate[],
  intermediates: readonly X509Certificate[],
  now: Instant,
  left: number,
): boolean {
  if (left <= 1) return false;
  const signs = (issuer: X509Certificate): boolean =>
    issuer.ca && isWithinItsTime(issuer, now) && isSignedBy(certificate, issuer);
  return (
    roots.some(signs) ||
    intermediates.some(
      (issuer) => signs(issuer) && hasChain(issuer, roots, intermediates, now, left - 1),
    )
  );
}

/** Names, key identifiers and key usage, and then the signature itself. */
function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // A key of a kind that OpenSSL cannot verify by.
    return false;
  }
}

function isWithinItsTime(certificate: X509Certificate, now: Instant): boolean {
  // Dates that cannot be read are NaN, and compare as false.
  return Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo);
}

/** A certificate without extended key usage is for any use (RFC 5280 4.2.1.12). */
function isForClients(certificate: X509Certificate): boolean {
  // Undefined where there is none, whatever the types say.
  const usages = certificate.keyUsage as readonly string[] | undefined;
  return usages === undefined || usages.includes(clientAuth) || usages.includes(anyUsage);
}

/**
 * CN and O of a certificate, as `crypto/x509` reads them: the last CN counts.
 * Undefined when the subject has no CN.
 */
export function subjectOf(certificate: X509Certificate): CertificateSubject | undefined {
  const commonNames = valuesOf(certificate.toLegacyObject().subject.CN);
  const commonName = commonNames.at(-1);
  if (commonName === undefined || commonName === '') return undefined;
  return { commonName, organizations: valuesOf(certificate.toLegacyObject().subject.O) };
}

/** Node gives one value as text, and several as a list. */
function valuesOf(attribute: unknown): string[] {
  const values: unknown[] = Array.isArray(attribute) ? attribute : [attribute];
  return values.filter((value) => typeof value === 'string');
}
