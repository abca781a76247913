import { randomBytes } from 'node:crypto';
import forge from 'node-forge';
import { after, type Duration, type Instant, instant, minutes } from '../core/time.ts';

/** Distinguished name in the order in which Kubernetes writes it: organizations (groups), then CN. */
interface DistinguishedName {
  commonName: string;
  organizations: readonly string[];
}

/** An X.509 v3 certificate before it is signed. */
export interface CertificateRequest {
  subject: DistinguishedName;
  issuer: DistinguishedName;
  /** SubjectPublicKeyInfo, PEM. */
  publicKey: string;
  notBefore: Instant;
  notAfter: Instant;
  extensions: object[];
}

// A client whose clock is a little behind must not refuse a certificate made this moment.
const clockSkew = minutes(60);

/** From an hour before `now` until `validFor` after it. */
export function validity(
  now: Instant,
  validFor: Duration,
): { notBefore: Instant; notAfter: Instant } {
  return { notBefore: instant(now - clockSkew), notAfter: instant(now + validFor) };
}

/** When a certificate of {@link signCertificate} was made: an hour after it says it is valid from. */
export function issuedAt(validFrom: Instant): Instant {
  return after(validFrom, clockSkew);
}

/** The certificate as PEM, signed by SHA-256 with RSA. `signingKey` is a PEM private key. */
export function signCertificate(request: CertificateRequest, signingKey: string): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(request.publicKey);
  certificate.serialNumber = serialNumber();
  certificate.validity.notBefore = wholeSeconds(request.notBefore);
  certificate.validity.notAfter = wholeSeconds(request.notAfter);
  certificate.setSubject(attributes(request.subject));
  certificate.setIssuer(attributes(request.issuer));
  certificate.setExtensions(request.extensions);
  certificate.sign(forge.pki.privateKeyFromPem(signingKey), forge.md.sha256.create());
  // node-forge ends lines as RFC 1421 does; everything in Kubernetes writes line feeds alone, and a
  // caBundle is compared byte by byte.
  return forge.pki.certificateToPem(certificate).replaceAll('\r\n', '\n');
}

/**
 * 16 bytes as hex, 126 of their bits random. The top bit is clear, so that the number is positive;
 * the next one is set, so that DER needs no shorter form (Go refuses a padded integer).
 */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0);
  return bytes.toString('hex');
}

function attributes(name: DistinguishedName): forge.pki.CertificateField[] {
  return [
    ...name.organizations.map((value) => attribute('organizationName', value)),
    attribute('commonName', name.commonName),
  ];
}

/** UTF-8 for every value: the default, PrintableString, forbids `@` and `_` in a user's name. */
function attribute(name: string, value: string): forge.pki.CertificateField {
  const tag: number = forge.asn1.Type.UTF8;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- @types/node-forge asks for a Class where node-forge reads a Type.
  return { name, value, valueTagClass: tag };
}

function wholeSeconds(at: Instant): Date {
  return new Date(at - (at % 1000));
}
