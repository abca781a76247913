import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect } from 'chai';
import { freePorts } from '../../dev/cluster/ports.ts';
import { DeniedError, RetryableError, TerminalError } from '../../src/core/errors.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { type MetricContext, MetricReader } from '../../src/metrics-sources/metric-reader.ts';
import type { MetricSource } from '../../src/types/stages.ts';
import { tenantWith } from '../actors.ts';
import { canary } from '../canary.ts';
import { sharedPlayground } from '../playground.ts';
import { Prometheus } from '../prometheus.ts';
import { type FileServer, startFileServer } from '../security/file-server.ts';
import { TestNamespace } from '../test-namespace.ts';
import { caught } from './objects.ts';

const series = [
  'budget_remaining 0.25',
  'overspent -1.5',
  'idle 0',
  'requests_total{code="200"} 90',
  'requests_total{code="500"} 10',
  '',
].join('\n');

const prefix = '/prom';
const token = `${canary}-bearer`;

describe('a metric source and a real Prometheus (part B 4.5)', function () {
  // The first run downloads Prometheus.
  this.timeout(300_000);

  let exporter: FileServer;
  let prometheus: Prometheus;
  /** Lets those pass who know the token. */
  let front: FileServer;
  let reader: MetricReader;
  let shop: TestNamespace;
  let tenant: KubernetesClient;
  const secrets: string[] = [];

  before('start Prometheus, with something to scrape and somebody at its door', async () => {
    exporter = await startFileServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(series);
    });
    prometheus = await Prometheus.start(`127.0.0.1:${exporter.port}`, prefix);
    front = await startFileServer((request, response) => {
      if (request.headers.authorization !== `Bearer ${token}`) {
        response.writeHead(401, { 'www-authenticate': 'Bearer' });
        response.end(`who is ${String(request.headers.authorization)}?`);
        return;
      }
      const forward = async (): Promise<void> => {
        const url = `http://127.0.0.1:${prometheus.port}${request.url ?? ''}`;
        const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
        response.writeHead(answer.status).end(await answer.text());
      };
      forward().catch(() => response.destroy());
    });
    const ports = [prometheus.port, front.port];
    const exempt = ports.map((port) => ({ host: '127.0.0.1', port }));
    reader = new MetricReader({ allowedHosts: [], exempt });
    shop = await TestNamespace.create(await sharedPlayground());
    tenant = await tenantWith(shop, [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }]);
  });
  after(async () => {
    await reader.stop();
    await front.stop();
    await prometheus.stop();
    await exporter.stop();
  });

  function context(client: KubernetesClient = tenant): MetricContext {
    const onSecretValue = (value: string): void => void secrets.push(value);
    return { client, namespace: shop.name, onSecretValue };
  }

  async function read(
    query: string,
    rest: Partial<MetricSource['prometheus']> = {},
  ): Promise<number> {
    const address = `http://127.0.0.1:${prometheus.port}${prefix}`;
    const source = { prometheus: { address, query, ...rest } };
    return await reader.read(source, context(), shop.call);
  }

  const values: [query: string, value: number][] = [
    ['budget_remaining', 0.25],
    ['scalar(budget_remaining)', 0.25],
    ['overspent', -1.5],
    ['idle', 0],
    ['1 - sum(requests_total{code="500"}) / sum(requests_total)', 0.9],
    ['sum(requests_total) * 1e6', 100_000_000],
    ['vector(0.1) + 0.2', 0.1 + 0.2],
  ];
  for (const [query, value] of values) {
    it(`has ${value}: ${query}`, async () => {
      expect(await read(query)).to.equal(value);
    });
  }

  const unreadable: [what: string, query: string, message: RegExp][] = [
    ['no series', 'no_such_metric', /has no sample; the query found no series$/],
    ['several series', 'requests_total', /has 2 series/],
    ['0/0', 'idle / idle', /has a value that is NaN/],
    ['a scalar of no series', 'scalar(no_such_metric)', /has a value that is NaN/],
    ['1/0', '1 / scalar(idle)', /has a value that is infinite/],
    ['a range', 'budget_remaining[1m]', /is a matrix/],
    ['a text', '"0.25"', /is a string/],
  ];
  for (const [what, query, message] of unreadable) {
    it(`is unreadable with ${what}: ${query}`, async () => {
      const error = await caught(read(query));
      expect(error).to.be.instanceOf(RetryableError);
      expect(String(error)).to.match(message).and.include(`127.0.0.1:${prometheus.port}`);
    });
  }

  const wrong: [what: string, query: string, status: number][] = [
    ['does not parse', 'sum(', 400],
    ['has an unknown function', 'sums(budget_remaining)', 400],
    ['cannot be carried out', 'requests_total * on() requests_total', 422],
  ];
  for (const [what, query, status] of wrong) {
    it(`is refused where the query ${what}: ${query}`, async () => {
      const error = await caught(read(query));
      expect(error).to.be.instanceOf(TerminalError);
      expect(String(error)).to.include(`answered ${status} instead of 2xx`);
    });
  }

  it('is found below a path, with a slash at its end or not, and not beside it', async () => {
    const origin = `http://127.0.0.1:${prometheus.port}`;
    expect(await read('budget_remaining', { address: `${origin}${prefix}/` })).to.equal(0.25);
    const error = await caught(read('budget_remaining', { address: origin }));
    expect(error).to.be.instanceOf(TerminalError);
    expect(String(error)).to.include('answered 404');
  });

  it('is asked for in a web service as well', async () => {
    const url = `http://127.0.0.1:${prometheus.port}${prefix}/api/v1/query?query=budget_remaining`;
    const webhook = { url, jsonPath: '{.data.result[0].value[1]}' };
    expect(await reader.read({ webhook }, context(), shop.call)).to.equal(0.25);
  });

  it('is given up at the deadline', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const impatient = new MetricReader({ allowedHosts: [], exempt: [{ host: '127.0.0.1', port }] });
    const source = { prometheus: { address: `http://127.0.0.1:${port}`, query: 'budget' } };
    const call = { signal: AbortSignal.timeout(500) };
    const error = await caught(impatient.read(source, context(), call));
    await impatient.stop();
    for (const socket of sockets) socket.destroy();
    silent.close();
    expect(error).to.be.instanceOf(RetryableError);
    expect((error as RetryableError).reason).to.equal('Timeout');
  });

  it('is unreadable where nobody listens', async () => {
    const [port = 0] = await freePorts(1);
    const lonely = new MetricReader({ allowedHosts: [], exempt: [{ host: '127.0.0.1', port }] });
    const source = { prometheus: { address: `http://127.0.0.1:${port}`, query: 'budget' } };
    const error = await caught(lonely.read(source, context(), shop.call));
    await lonely.stop();
    expect(error).to.be.instanceOf(RetryableError);
    expect(String(error)).to.include(`127.0.0.1:${port} cannot be reached: ECONNREFUSED`);
  });

  describe('behind a bearer token', () => {
    async function readAs(client: KubernetesClient, name: string): Promise<number> {
      const address = `http://127.0.0.1:${front.port}${prefix}`;
      const query = 'budget_remaining';
      const source = { prometheus: { address, query, secretRef: { name } } };
      return await reader.read(source, context(client), shop.call);
    }

    async function secret(name: string, data: Record<string, string>): Promise<void> {
      await shop.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data });
    }

    it('is 401 without it', async () => {
      const address = `http://127.0.0.1:${front.port}${prefix}`;
      const error = await caught(read('budget_remaining', { address }));
      expect(error).to.be.instanceOf(TerminalError);
      expect(String(error)).to.include('answered 401');
    });

    it('is read with it, whether a line break follows it or not', async () => {
      await secret('bare', { token });
      await secret('line', { token: `${token}\n` });
      secrets.splice(0);
      for (const name of ['bare', 'line']) expect(await readAs(tenant, name)).to.equal(0.25);
      expect(secrets).to.include.members([token, `${token}\n`]);
    });

    it('is 401 with another one, and nobody tells it', async () => {
      await secret('wrong', { token: `${canary}-wrong` });
      const error = await caught(readAs(tenant, 'wrong'));
      expect(error).to.be.instanceOf(TerminalError);
      expect(String(error)).to.include('answered 401').and.not.include(canary);
    });

    const missing: [what: string, data: Record<string, string> | undefined, message: string][] = [
      ['no Secret', undefined, 'which is not there; create it'],
      ['no key token', { Token: 'x' }, 'which has no key token; add it'],
      ['an empty token', { token: '' }, 'whose key token is empty; put the token there'],
      ['a blank token', { token: ' \n' }, 'whose key token is empty; put the token there'],
      [
        'a token of lines',
        { token: 'a\r\nHost: b' },
        'whose key token has a value that no header can have',
      ],
    ];
    for (const [index, [what, data, message]] of missing.entries()) {
      it(`is unreadable with ${what}`, async () => {
        const name = `missing-${index}`;
        if (data !== undefined) await secret(name, data);
        const error = await caught(readAs(tenant, name));
        expect(error).to.be.instanceOf(TerminalError);
        expect(String(error)).to.include(`secretRef names Secret/${shop.name}/${name}, ${message}`);
      });
    }

    it('is read as the tenant alone (edge case 22, part B 13)', async () => {
      await secret('foreign', { token });
      const other = await tenantWith(
        shop,
        [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }],
        'stranger',
      );
      const error = await caught(readAs(other, 'foreign'));
      expect(error).to.be.instanceOf(DeniedError);
      expect(String(error))
        .to.include(`get Secret/${shop.name}/foreign`)
        .and.include('stranger')
        .and.not.include(canary);
    });
  });
});
