import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server on a free loopback port that behaves as the listener says. */
export interface FileServer {
  readonly port: number;
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string;
  stop(): Promise<void>;
}

export async function startFileServer(listener: RequestListener): Promise<FileServer> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers every request with these bytes. */
export function serving(bytes: Uint8Array): RequestListener {
  return (_, response) => {
    response.writeHead(200, { 'content-length': bytes.byteLength }).end(bytes);
  };
}
