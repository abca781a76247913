import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { boundByAddress } from '../../../src/server/connections.ts';

describe('the connections of a server', () => {
  let server: Server;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    server = createServer();
    boundByAddress(server, 2);
    server.on('connection', (socket) => {
      if (!socket.destroyed) socket.write('served');
    });
    server.listen(0);
    await once(server, 'listening');
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    server.close();
  });

  /** What the server says first from this address; undefined when it closes the connection. */
  async function greeting(localAddress: string): Promise<string | undefined> {
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    sockets.push(socket);
    socket.on('error', () => undefined);
    return await new Promise((resolve) => {
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      socket.once('close', () => resolve(undefined));
    });
  }

  it('are so many from one address and no more, and others still get theirs', async () => {
    expect(await greeting('127.0.0.1')).to.equal('served');
    expect(await greeting('127.0.0.1')).to.equal('served');
    expect(await greeting('127.0.0.1')).to.equal(undefined);
    expect(await greeting('127.0.0.2')).to.equal('served');
  });

  it('may be opened again once others are closed', async () => {
    await greeting('127.0.0.1');
    await greeting('127.0.0.1');
    const closed = new Promise<void>((resolve) => {
      sockets[0]?.once('close', () => resolve());
    });
    sockets[0]?.destroy();
    await closed;
    // The server hears of the end a moment after the client.
    let again = await greeting('127.0.0.1');
    for (let tries = 0; again === undefined && tries < 50; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      again = await greeting('127.0.0.1');
    }
    expect(again).to.equal('served');
  });
});
