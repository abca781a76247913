import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { TerminalError } from '../core/errors.ts';
import { instant } from '../core/time.ts';
import type { ServingCertificate } from '../types/serving-certificate.ts';
import { bundleOf, certificatesIn, endOf, readCertificate } from './bundle.ts';

/** A serving certificate that has been checked, with its leaf for further questions. */
export interface ServingPair {
  serving: ServingCertificate;
  leaf: X509Certificate;
}

/**
 * A chain and a key as files or Secrets hold them.
 *
 * @throws TerminalError when one of them does not parse or they do not belong together; it never
 *   quotes the key
 */
export function readServingPair(chain: string, privateKey: string): ServingPair {
  const certificates = certificatesIn(chain);
  const parsed = certificates.map(readCertificate);
  const [leaf] = parsed;
  if (leaf === undefined || parsed.includes(undefined)) {
    throw new TerminalError('tls.crt: not a chain of PEM certificates');
  }
  if (!isKeyOf(leaf, privateKey)) {
    throw new TerminalError('tls.key: not the private key of the certificate in tls.crt');
  }
  const ends = parsed.flatMap((each) => (each === undefined ? [] : endOf(each)));
  const notAfter = new Date(instant(Math.min(...ends)));
  return { leaf, serving: { certificateChain: bundleOf(certificates), privateKey, notAfter } };
}

function isKeyOf(certificate: X509Certificate, privateKey: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(privateKey));
  } catch {
    // The parser's own message may quote the key's bytes.
    return false;
  }
}
