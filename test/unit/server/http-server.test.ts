import { once } from 'node:events';
import {
  Agent,
  get,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { TerminalError } from '../../../src/core/errors.ts';
import { milliseconds, seconds } from '../../../src/core/time.ts';
import type { RunningServer } from '../../../src/server/http-server.ts';
import { ask, serveOnLoopback } from './request.ts';

const hello: RequestListener = (_request, response) => response.end('hello');

describe('HTTP server', () => {
  it('tells the port that the system chose', async () => {
    const server = await serveOnLoopback(hello);
    expect(server.address.host).to.equal('127.0.0.1');
    expect(server.address.port).to.be.greaterThan(0);
    expect((await ask(server, '/')).body).to.equal('hello');
    await server.stop(seconds(1));
  });

  it('says which flag to change when the address is taken', async () => {
    const first = await serveOnLoopback(hello);
    const { port } = first.address;
    const second = serveOnLoopback(hello, port);
    const error = await second.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(TerminalError);
    expect((error as TerminalError).message).to.equal(
      `The metrics server cannot listen on 127.0.0.1, port ${port}: another program listens there ` +
        '(EADDRINUSE); change --metrics-bind-address or free the address',
    );
    await first.stop(seconds(1));
  });

  it('stops at once when only idle connections are left', async () => {
    const server = await serveOnLoopback(hello);
    const agent = new Agent({ keepAlive: true });
    await fetchWith(agent, server);
    const started = performance.now();
    await server.stop(seconds(30));
    expect(performance.now() - started).to.be.lessThan(5_000);
    agent.destroy();
  });

  it('lets an answer under way end, then closes its connection', async () => {
    const { server, arrived } = await startHolding();
    const agent = new Agent({ keepAlive: true });
    const answer = fetchWith(agent, server);
    const response = await arrived;
    const stopped = server.stop(seconds(30));
    response.end('late');
    const { headers, body } = await answer;
    expect(body).to.equal('late');
    expect(headers.connection).to.equal('close');
    await stopped;
    agent.destroy();
  });

  it('cuts an answer that does not end within the grace', async () => {
    const { server, arrived } = await startHolding();
    const agent = new Agent({ keepAlive: true });
    const answer = fetchWith(agent, server).then(
      () => 'answered',
      () => 'cut',
    );
    await arrived;
    await Promise.all([server.stop(milliseconds(20)), server.stop(milliseconds(20))]);
    expect(await answer).to.equal('cut');
    agent.destroy();
  });

  it('takes no connection after it stopped', async () => {
    const server = await serveOnLoopback(hello);
    await server.stop(seconds(1));
    const refused = await ask(server, '/').then(
      () => 'answered',
      (error: unknown) => (error as NodeJS.ErrnoException).code,
    );
    expect(refused).to.equal('ECONNREFUSED');
  });

  it('refuses headers that are too big', async () => {
    const server = await serveOnLoopback(hello);
    const socket = connect(server.address.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nX-Big: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(await text(socket)).to.match(/^HTTP\/1.1 431 /);
    await server.stop(seconds(1));
  });
});

/** A server that answers when the test says so. */
async function startHolding(): Promise<{
  server: RunningServer;
  arrived: Promise<ServerResponse>;
}> {
  let arrive: (response: ServerResponse) => void = () => undefined;
  const arrived = new Promise<ServerResponse>((resolve) => {
    arrive = resolve;
  });
  const server = await serveOnLoopback((_request, response) => arrive(response));
  return { server, arrived };
}

async function fetchWith(
  agent: Agent,
  server: RunningServer,
): Promise<{ headers: IncomingMessage['headers']; body: string }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: server.address.port, agent }, (response) => {
      text(response).then((body) => resolve({ headers: response.headers, body }), reject);
    }).on('error', reject);
  });
}
