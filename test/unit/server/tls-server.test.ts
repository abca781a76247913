import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';
import { connect, type PeerCertificate } from 'node:tls';
import { expect } from 'chai';
import { type Authority, createAuthority } from '../../../src/certs/authority.ts';
import { issueCertificate } from '../../../src/certs/issue.ts';
import { instant, milliseconds, minutes, seconds } from '../../../src/core/time.ts';
import { deferred } from '../../../src/kubernetes/wait.ts';
import { peerCertificates } from '../../../src/server/aggregated/peer.ts';
import {
  type RunningTlsServer,
  type ServingCertificates,
  Shutdown,
  startTlsServer,
} from '../../../src/server/tls-server.ts';

type KeyPair = ReturnType<ServingCertificates['current']>;

describe('the TLS server', () => {
  let authority: Authority;
  let first: KeyPair;
  let second: KeyPair;
  let server: RunningTlsServer | undefined;
  let renew: ((pair: KeyPair) => void) | undefined;
  let shutdown: Shutdown;
  let troubles: Error[];

  const issue = async (): Promise<KeyPair> => {
    const { certificate, privateKey } = await issueCertificate(authority, {
      commonName: 'server',
      dnsNames: ['localhost'],
      usage: 'server',
      validFor: minutes(5),
      now: instant(Date.now()),
    });
    return { certificateChain: certificate, privateKey };
  };

  before(async () => {
    const now = instant(Date.now());
    authority = await createAuthority({ commonName: 'ca', validFor: minutes(10), now });
    [first, second] = await Promise.all([issue(), issue()]);
  });

  afterEach(async () => {
    await server?.stop({ delay: milliseconds(0), grace: milliseconds(0) });
    server = undefined;
  });

  const start = async (listener: RequestListener): Promise<RunningTlsServer> => {
    shutdown = new Shutdown();
    troubles = [];
    server = await startTlsServer({
      purpose: { name: 'API', flag: '--api-bind-address' },
      address: { host: 'localhost', port: 0 },
      listener,
      certificates: {
        current: () => first,
        onRenewal: (listen) => {
          renew = listen;
          return () => (renew = undefined);
        },
      },
      shutdown,
      onTrouble: (error) => troubles.push(error),
    });
    return server;
  };

  const ask = async (
    { address }: RunningTlsServer,
    agent?: Agent,
  ): Promise<{ body: string; connection: string | undefined }> =>
    await new Promise((resolve, reject) => {
      const options = { ...address, ca: authority.certificate, servername: 'localhost' };
      const sent = request({ ...options, agent: agent ?? false }, (response) => {
        const { connection } = response.headers;
        text(response).then((body) => resolve({ body, connection }), reject);
      });
      sent.on('error', reject);
      sent.end();
    });

  const served = async ({ address }: RunningTlsServer): Promise<PeerCertificate> => {
    const socket = connect({ ...address, ca: authority.certificate, servername: 'localhost' });
    await once(socket, 'secureConnect');
    const certificate = socket.getPeerCertificate();
    socket.destroy();
    return certificate;
  };

  it('serves a renewed certificate without a break', async () => {
    const running = await start((_request, response) => response.end('ok'));
    const before = await served(running);
    renew?.(second);
    const later = await served(running);
    expect(later.serialNumber).to.not.equal(before.serialNumber);
    renew?.({ ...first, privateKey: second.privateKey });
    expect(troubles).to.have.length(1);
    expect((await served(running)).serialNumber).to.equal(later.serialNumber);
  });

  it('fails readiness first, then serves on and asks callers to go elsewhere', async () => {
    const running = await start((_request, response) => response.end('ok'));
    const agent = new Agent({ keepAlive: true });
    expect((await ask(running, agent)).connection).to.equal('keep-alive');
    const ended = running.stop({ delay: milliseconds(300), grace: seconds(5) });
    expect(shutdown.check.check()).to.equal('the process is shutting down');
    expect(await ask(running, agent)).to.deep.equal({ body: 'ok', connection: 'close' });
    expect(await ask(running)).to.deep.equal({ body: 'ok', connection: 'close' });
    await ended;
    expect(renew).to.equal(undefined);
    expect(await ask(running).catch(() => 'refused')).to.equal('refused');
    agent.destroy();
  });

  it('lets an answer end that is under way', async () => {
    const { promise, resolve } = deferred<undefined>();
    const arrived = deferred<undefined>();
    const running = await start((_request, response) => {
      arrived.resolve(undefined);
      promise.then(
        () => response.end('late'),
        () => undefined,
      );
    });
    const answer = ask(running);
    await arrived.promise;
    const ended = running.stop({ delay: milliseconds(0), grace: seconds(5) });
    resolve(undefined);
    expect((await answer).body).to.equal('late');
    await ended;
  });

  it('cuts what does not end within the grace', async () => {
    const arrived = deferred<undefined>();
    const running = await start(() => arrived.resolve(undefined));
    const answer = ask(running).catch(() => 'cut');
    await arrived.promise;
    await running.stop({ delay: milliseconds(0), grace: milliseconds(50) });
    expect(await answer).to.equal('cut');
  });

  it('shows the whole chain that a client presents', async () => {
    const chains: string[][] = [];
    const running = await start((incoming, response) => {
      chains.push(peerCertificates(incoming.socket).map(({ subject }) => subject));
      response.end();
    });
    const { certificate, privateKey } = await issueCertificate(authority, {
      commonName: 'olga',
      usage: 'client',
      validFor: minutes(5),
      now: instant(Date.now()),
    });
    const agent = new Agent({
      cert: `${certificate}\n${authority.certificate}`,
      key: privateKey,
    });
    await ask(running, agent);
    agent.destroy();
    await ask(running);
    expect(chains).to.deep.equal([['CN=olga', 'CN=ca'], []]);
  });

  it('speaks no TLS that is out of date', async () => {
    const running = await start((_request, response) => response.end('ok'));
    const options = { ...running.address, ca: authority.certificate, servername: 'localhost' };
    const socket = connect({ ...options, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' });
    const [error] = (await once(socket, 'error').catch((cause: unknown) => [cause])) as [Error];
    expect(error).to.be.instanceOf(Error);
  });
});
