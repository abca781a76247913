import { EventEmitter, once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { expect } from 'chai';
import { canary } from '../canary.ts';
import { configMap } from '../objects.ts';
import { useController } from '../playground.ts';
import { allowLocalClusters, kubeconfigSecret, toParis } from '../remote-cluster.ts';
import type { TestNamespace } from '../test-namespace.ts';
import { answer, asksFor, HostileCluster, pour, type Trick } from './hostile-cluster.ts';

/** Most that the memory of the controller may grow by during one attack, MiB. */
const mostGrowth = 350;

describe('a remote cluster that is a server of the tenant', () => {
  const lines = new EventEmitter();
  const log: string[] = [];
  const stand = useController({
    flags: ['--log-level=debug', allowLocalClusters],
    onLog: (line) => {
      log.push(line);
      lines.emit('line');
    },
  });
  let hostile: HostileCluster;

  beforeEach(async () => {
    hostile = await HostileCluster.start();
    log.length = 0;
  });
  afterEach(async () => {
    await hostile.stop();
    // Whatever it was told, the controller goes on for others.
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1', { within: 20_000 });
  });

  async function shopWith(trick: Trick): Promise<TestNamespace> {
    hostile.trick = trick;
    const shop = await stand.namespace();
    await shop.create(kubeconfigSecret(hostile.kubeconfig()));
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app'], toParis);
    return shop;
  }

  async function untilLogged(...words: string[]): Promise<string> {
    const signal = AbortSignal.timeout(60_000);
    for (;;) {
      const found = log.find((line) => words.every((word) => line.includes(word)));
      if (found !== undefined) return found;
      await once(lines, 'line', { signal });
    }
  }

  /** Resident memory of the controller, MiB; on Linux. */
  async function memory(): Promise<number> {
    const status = await readFile(`/proc/${stand.controller.pid}/status`, 'utf8').catch(() => '');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
  }

  it('attack 98: answers without end (they are cut at 16 MiB, part A 9.3)', async () => {
    const before = await memory();
    const megabyte = Buffer.alloc(1024 * 1024, '{');
    const shop = await shopWith((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      pour(response, () => megabyte);
      return true;
    });
    const message = await shop.untilReason('StageFailed');
    expect(message)
      .to.include(`cluster of Secret ${shop.name}/paris: `)
      .and.include('the answer is longer than 16777216 bytes');
    expect((await memory()) - before).to.be.below(mostGrowth);
  });

  it('attack 99: answers that come a byte at a time (each has a deadline, part A 9.3)', async () => {
    const shop = await shopWith((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => response.write(' '), 20);
      response.once('close', () => clearInterval(timer));
      return true;
    });
    const message = await shop.untilReason('StageFailed', { within: 30_000 });
    expect(message)
      .to.include(`cluster of Secret ${shop.name}/paris: `)
      .and.match(/no answer within \d+ ms/);
  });

  it('attack 100: lists that always have another page (their pages are bounded, part A 9.3)', async () => {
    const before = await memory();
    let page = 0;
    const labels = 'x'.repeat(2000);
    const shop = await shopWith((request, response) => {
      if (asksFor(request) !== 'List') return false;
      page += 1;
      const items = Array.from({ length: 500 }, (_, index) => ({
        metadata: {
          name: `page-${page}-${index}`,
          namespace: 'a',
          uid: `${page}`,
          labels: { labels },
        },
      }));
      answer(response, 200, { metadata: { resourceVersion: '1', continue: `${page}` }, items });
      return true;
    });
    await shop.untilReady('v1');
    await untilLogged('objects are not watched', 'longer than 67108864 bytes');
    const asked = hostile.requests.length;
    await shop.request('again');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'again');
    expect(await shop.untilReason('StageFailed'))
      .to.include(`cluster of Secret ${shop.name}/paris: the list of v1 ConfigMap is longer than`)
      .and.include('67108864 bytes');
    expect(hostile.requests.length - asked, 'pages of a further list').to.be.below(80);
    expect((await memory()) - before).to.be.below(mostGrowth);
  });

  it('attack 101: a watch that tells of new objects for ever (what is kept of one is bounded, part A 9.3)', async () => {
    const before = await memory();
    let count = 0;
    let watches = 0;
    const shop = await shopWith((request, response) => {
      if (asksFor(request) !== 'Watch') return false;
      watches += 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      pour(response, () => {
        count += 1;
        const metadata = {
          name: `object-${count}`,
          namespace: 'a',
          uid: 'u',
          resourceVersion: '2',
        };
        const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata };
        return `${JSON.stringify({ type: 'ADDED', object })}\n`;
      });
      return true;
    });
    await shop.untilReady('v1');
    await untilLogged(
      'objects are not watched',
      'more than 100000 objects of remote clusters are watched',
    );
    const before2 = watches;
    await shop.request('again');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'again');
    expect(watches).to.equal(before2);
    expect((await memory()) - before).to.be.below(mostGrowth);
  });

  it('attack 102: redirects to an address inside (no answer of a cluster is followed, part A 9.3)', async () => {
    const asked: string[] = [];
    const inside = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ''}`);
      response.end('{}');
    });
    inside.listen(0, '127.0.0.1');
    await once(inside, 'listening');
    const address = inside.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    try {
      for (const status of [301, 302, 303, 307, 308]) {
        const shop = await shopWith((_, response) => {
          response.writeHead(status, { location: `http://127.0.0.1:${port}/latest/meta-data` });
          response.end();
          return true;
        });
        const message = await shop.untilReason('StageFailed');
        expect(message).to.include(`cluster of Secret ${shop.name}/paris: `);
      }
      expect(asked).to.deep.equal([]);
    } finally {
      inside.close();
    }
  });

  it('attack 103: errors that repeat the credentials (nothing that was sent is quoted, part A 9.3)', async () => {
    const shop = await shopWith((request, response) => {
      const said = `${request.headers.authorization} ${JSON.stringify(request.headers)}`;
      const status = { kind: 'Status', code: 403, reason: 'Forbidden', message: said };
      answer(response, 403, status);
      return true;
    });
    const message = await shop.untilMessage((text) => text.includes('cluster of Secret'));
    expect(message).to.not.include(canary);
    expect(log.join('\n')).to.not.include(canary);
  });
});
