import type { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

const longestChain = 5;

/**
 * The certificates that the peer presented, the leaf first; it has proved to have the leaf's key.
 * Empty without a certificate, or without TLS.
 */
export function peerCertificates(socket: Socket): X509Certificate[] {
  if (!(socket instanceof TLSSocket)) return [];
  const chain: X509Certificate[] = [];
  let next = socket.getPeerX509Certificate();
  while (next !== undefined && chain.length < longestChain) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}
