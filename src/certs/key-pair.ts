import { createHash, createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

/** Both halves as PEM: PKCS#8 for the private key, SubjectPublicKeyInfo for the public one. */
export interface KeyPair {
  privateKey: string;
  publicKey: string;
}

const generate = promisify(generateKeyPair);

/**
 * A fresh RSA 2048 key pair. RSA, because node-forge can sign with nothing else; made by Node's own
 * generator in the thread pool, so that the event loop stays free.
 */
export async function createKeyPair(): Promise<KeyPair> {
  return generate('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
}

/** SHA-1 of the RSA public key: the key identifier of RFC 5280 4.2.1.2, method 1. 20 bytes. */
export function keyIdentifier(publicKeyOrCertificatePem: string): Buffer {
  const publicKey = createPublicKey(publicKeyOrCertificatePem);
  return createHash('sha1')
    .update(publicKey.export({ type: 'pkcs1', format: 'der' }))
    .digest();
}
