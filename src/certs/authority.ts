import { createPrivateKey, X509Certificate } from 'node:crypto';
import { TerminalError } from '../core/errors.ts';
import { type Duration, type Instant, instant } from '../core/time.ts';
import { signCertificate, validity } from './build.ts';
import { createKeyPair, keyIdentifier } from './key-pair.ts';
import { checkCommonName } from './names.ts';

/** A certificate and its private key (PKCS#8), both PEM, as a `kubernetes.io/tls` Secret holds them. */
export interface KeyAndCertificate {
  certificate: string;
  privateKey: string;
}

/** A self-signed RSA authority that may sign leaf certificates only (path length 0). */
export interface Authority extends KeyAndCertificate {
  commonName: string;
  notAfter: Instant;
}

export interface AuthorityRequest {
  commonName: string;
  validFor: Duration;
  now: Instant;
}

/**
 * A new authority with a key of its own, valid from an hour before `now`.
 *
 * @throws TerminalError when the common name is empty or too long
 */
export async function createAuthority(request: AuthorityRequest): Promise<Authority> {
  checkCommonName(request.commonName);
  const keys = await createKeyPair();
  const subject = { commonName: request.commonName, organizations: [] };
  const certificate = signCertificate(
    {
      subject,
      issuer: subject,
      publicKey: keys.publicKey,
      ...validity(request.now, request.validFor),
      extensions: [
        { name: 'basicConstraints', critical: true, cA: true, pathLenConstraint: 0 },
        { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true },
        { name: 'subjectKeyIdentifier' },
        {
          name: 'authorityKeyIdentifier',
          keyIdentifier: keyIdentifier(keys.publicKey).toString('binary'),
        },
      ],
    },
    keys.privateKey,
  );
  return loadAuthority({ certificate, privateKey: keys.privateKey });
}

/**
 * The authority that a Secret or file holds, for issuing more certificates by it. Only an authority
 * of {@link createAuthority} is taken: its subject is rebuilt from the common name.
 *
 * @throws TerminalError when the PEM does not parse, is no such authority, or the key is another's
 */
export function loadAuthority(stored: KeyAndCertificate): Authority {
  const certificate = parseCertificate(stored.certificate);
  const commonName = /^CN=(.+)$/.exec(certificate.subject)?.[1];
  if (
    !certificate.ca ||
    commonName === undefined ||
    certificate.publicKey.asymmetricKeyType !== 'rsa'
  ) {
    throw new TerminalError(
      `certificate of "${certificate.subject}": not an RSA authority with a common name only; let a new one be made`,
    );
  }
  if (!isKeyOf(certificate, stored.privateKey)) {
    throw new TerminalError(`authority "${commonName}": the private key is not the certificate's`);
  }
  return { ...stored, commonName, notAfter: instant(Date.parse(certificate.validTo)) };
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new TerminalError('certificate of the authority: not a PEM X.509 certificate', { cause });
  }
}

function isKeyOf(certificate: X509Certificate, privateKey: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(privateKey));
  } catch {
    // The parser's own message may quote the key's bytes; "not its key" is all a caller may learn.
    return false;
  }
}
