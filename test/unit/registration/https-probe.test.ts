import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { expect } from 'chai';
import {
  type Authority,
  createAuthority,
  type KeyAndCertificate,
} from '../../../src/certs/authority.ts';
import { issueCertificate } from '../../../src/certs/issue.ts';
import { instant, milliseconds, minutes } from '../../../src/core/time.ts';
import { httpsProbe, type ProbeTarget } from '../../../src/registration/https-probe.ts';

const host = 'api.system.svc';

describe('the probe of an API replica', () => {
  const { signal } = new AbortController();
  let ca: Authority;
  let leaf: KeyAndCertificate;
  let server: Server;
  let listener: RequestListener;
  let target: ProbeTarget;

  before(async () => {
    const now = instant(Date.now());
    const validFor = minutes(60);
    ca = await createAuthority({ commonName: 'probe', validFor, now });
    leaf = await issueCertificate(ca, {
      commonName: 'api',
      dnsNames: [host],
      usage: 'server',
      validFor,
      now,
    });
    server = createServer({ cert: leaf.certificate, key: leaf.privateKey }, (request, response) =>
      listener(request, response),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    target = { host, port, connectTo: '127.0.0.1', deadline: milliseconds(300) };
  });

  after(() => {
    server.closeAllConnections();
    server.close();
  });

  it('finds one that answers 200 at /readyz, by the name of its Service', async () => {
    const seen: unknown[] = [];
    listener = ({ method, url, headers }, response) => {
      seen.push([method, url, headers.host]);
      response.end('ok');
    };
    expect(await httpsProbe(target)(ca.certificate, signal)).to.equal(undefined);
    expect(seen).to.deep.equal([['GET', '/readyz', `${host}:${target.port}`]]);
  });

  it('says what one answers that is not ready', async () => {
    listener = (_, response) => response.writeHead(500).end();
    expect(await httpsProbe(target)(ca.certificate, signal)).to.equal('/readyz answered 500');
  });

  it('does not wait for one that hangs, not even half way through its answer', async () => {
    listener = (_, response) => response.writeHead(200).write('o');
    expect(await httpsProbe(target)(ca.certificate, signal)).to.equal('no answer within 300 ms');
  });

  it('believes nobody whom the aggregator would not believe', async () => {
    listener = (_, response) => response.end('ok');
    const other = await createAuthority({
      commonName: 'other',
      validFor: minutes(60),
      now: instant(Date.now()),
    });
    expect(await httpsProbe(target)(other.certificate, signal)).to.be.a('string');
    expect(await httpsProbe(target)('', signal)).to.be.a('string');
    const elsewhere = { ...target, host: 'other.system.svc' };
    expect(await httpsProbe(elsewhere)(ca.certificate, signal)).to.include('other.system.svc');
  });

  it('ends when it is told to', async () => {
    listener = () => undefined;
    const stop = AbortSignal.abort(new Error('stop'));
    expect(await httpsProbe(target)(ca.certificate, stop)).to.be.a('string');
  });
});
