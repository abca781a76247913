import { expect } from 'chai';
import type { Playground } from '../../dev/playground.ts';
import { seconds } from '../../src/core/time.ts';
import { pause } from '../../src/kubernetes/wait.ts';
import {
  type AggregatedStand,
  grant,
  groupPath,
  shopPath,
  startAggregated,
} from '../aggregated/stand.ts';
import { sharedPlayground } from '../playground.ts';

describe('whom an aggregated server trusts', () => {
  let playground: Playground;
  let stand: AggregatedStand;

  before(async () => {
    playground = await sharedPlayground();
    stand = await startAggregated(playground);
    await grant(playground, 'olga', 'get', 'stagesets/plan,stagesets/advance');
  });

  after(async () => stand.stop());

  describe('without the cluster', () => {
    let alone: AggregatedStand;

    before(async () => {
      alone = await startAggregated(playground, { cache: { timeout: seconds(1) } });
      await alone.askFor('olga', { path: `${shopPath}/plan` });
      alone.samples.asked.length = 0;
      playground.cluster.pauseApiServer();
    });

    after(async () => {
      playground.cluster.resumeApiServer();
      await alone.stop();
    });

    it('attack 89: a reviewer that cannot be reached (it fails closed, aggregated API 2)', async () => {
      const path = `${shopPath}/advance`;
      const proxied = await alone.askFor('olga', { path });
      const headers = { Authorization: 'Bearer unknown' };
      const byToken = await alone.ask({ path, headers });
      for (const { status, body, headers: sent } of [proxied, byToken]) {
        expect(status).to.equal(503);
        expect(sent['retry-after']).to.equal('1');
        expect(JSON.parse(body)).to.include({ reason: 'ServiceUnavailable' });
        expect(body).to.not.include('127.0.0.1');
      }
      expect(alone.samples.asked).to.deep.equal([]);
    });

    it('is found as quickly as ever', async () => {
      const began = performance.now();
      for (const path of [
        '/apis',
        groupPath,
        '/openapi/v2',
        '/openapi/v3',
        '/readyz',
        '/version',
      ]) {
        expect((await alone.askFor('system:kube-aggregator', { path })).status).to.equal(200);
      }
      expect(performance.now() - began).to.be.below(1_000);
    });
  });

  it('is found before it knows whom to trust, and serves nothing else', async () => {
    const early = await startAggregated(playground, {
      authentication: { current: () => undefined },
    });
    try {
      expect((await early.askFor('anybody', { path: groupPath })).status).to.equal(200);
      const answer = await early.askFor('olga', { path: `${shopPath}/plan` });
      expect(answer.status).to.equal(503);
      expect(early.samples.asked).to.deep.equal([]);
    } finally {
      await early.stop();
    }
  });

  it('follows whom the cluster trusts', async () => {
    const { cluster } = playground;
    const change = async (names: string): Promise<void> => {
      const data = { data: { 'requestheader-allowed-names': names } };
      await cluster.kubectl([
        ...['patch', 'configmap', 'extension-apiserver-authentication', '--namespace=kube-system'],
        ...['--type=merge', `--patch=${JSON.stringify(data)}`],
      ]);
    };
    const until = async (status: number): Promise<void> => {
      const deadline = AbortSignal.timeout(30_000);
      while ((await stand.askFor('olga', { path: `${shopPath}/plan` })).status !== status) {
        await pause(50, deadline);
      }
    };
    await change('["somebody-else"]');
    try {
      await until(401);
      // What cannot be read changes nothing.
      await change('["front-proxy-client"');
      expect((await stand.askFor('olga', { path: `${shopPath}/plan` })).status).to.equal(401);
    } finally {
      await change('["front-proxy-client"]');
      await until(200);
    }
  });
});
