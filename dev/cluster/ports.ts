import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Ports of 127.0.0.1 that were free a moment ago, all different. Another program may still take one
 * before it is used: be ready to pick again.
 */
export async function freePorts(count: number): Promise<number[]> {
  // All are held at once, so that the kernel cannot give the same one twice.
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map(portOf);
  await Promise.all(servers.map(async (server) => once(server.close(), 'close')));
  return ports;
}

async function listen(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('a listening TCP server has no port');
  }
  return address.port;
}
