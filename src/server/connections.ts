import type { Server } from 'node:net';

/**
 * Lets one address have so many connections of a server and no more: whoever opens them to keep others
 * out does not. What is over is closed at once, before any handshake.
 */
export function boundByAddress(server: Server, most: number): void {
  /** As many as there are connections, at most. */
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const address = socket.remoteAddress ?? '';
    const own = open.get(address) ?? 0;
    if (own >= most) {
      socket.destroy();
      return;
    }
    open.set(address, own + 1);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}
