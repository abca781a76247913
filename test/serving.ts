import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { connect } from 'node:tls';
import type { CertificateSource } from '../src/types/serving-certificate.ts';

/** A TLS server on 127.0.0.1 that presents what a source offers, renewals included. */
export interface ServingTest {
  readonly port: number;
  stop(): Promise<void>;
}

export async function serveWith(
  source: CertificateSource,
  listener: RequestListener = (_, response) => response.end('ok'),
  port = 0,
): Promise<ServingTest> {
  const { certificateChain, privateKey } = source.current();
  const server = createServer({ cert: certificateChain, key: privateKey }, listener);
  const unsubscribe = source.onRenewal((renewed) =>
    server.setSecureContext({ cert: renewed.certificateChain, key: renewed.privateKey }),
  );
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server),
    stop: async () => {
      unsubscribe();
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/**
 * One verified handshake, as a caller that trusts `ca` (PEM) and asks for `host` makes it.
 *
 * @returns the serial number of the certificate that was presented
 * @throws the verification's error
 */
export async function handshake(port: number, host: string, ca: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', servername: host, ca });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(10_000) });
    return socket.getPeerCertificate().serialNumber;
  } finally {
    socket.destroy();
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
}
