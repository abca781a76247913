import { expect } from 'chai';
import { pause } from '../../src/kubernetes/wait.ts';
import { sentRequests } from '../metrics.ts';
import { configMap, serviceAccount, toy, toyDefinition } from '../objects.ts';
import { sharedPlayground, useController } from '../playground.ts';
import { everyVerb, grant } from '../rbac.ts';
import type { TestNamespace } from '../test-namespace.ts';
import { servedSoon } from './objects.ts';

const light = toy('Beacon', 'light');

const waiting = {
  name: 'until-lit',
  wait: {
    target: { apiVersion: light.apiVersion, kind: light.kind, name: 'light' },
    expr: 'spec.colour == "red"',
  },
};

describe('an action that waits for an object', () => {
  const stand = useController();
  let shop: TestNamespace;

  before('install the kind that is waited for', async () => {
    const { client } = await sharedPlayground();
    await client.create(toyDefinition('Beacon'), {}, { signal: AbortSignal.timeout(30_000) });
  });

  beforeEach(async () => {
    shop = await stand.namespace();
    await servedSoon(async () => await shop.create(light));
    await shop.publish('app', 'v1', [configMap('settings')]);
  });

  /** Begins to wait, as an account that may do these with the object. */
  async function begin(verbs: readonly string[]): Promise<void> {
    const account = { namespace: shop.name, name: 'deployer' };
    await shop.create(serviceAccount('deployer'));
    await grant(shop, account, [
      { apiGroups: [''], resources: ['configmaps'], verbs: everyVerb },
      { apiGroups: ['toys.example.com'], resources: ['beacons'], verbs },
    ]);
    const stage = { name: 'app', actions: { post: [waiting] } };
    await shop.createStageSet([stage], { serviceAccountName: 'deployer' });
    await shop.untilMessage((message) => message.includes('wait.expr is not true yet'));
  }

  /** Milliseconds from the change that is waited for to the end of the run. */
  async function untilReadyAfterChange(): Promise<number> {
    const began = performance.now();
    await shop.patch(light, { spec: { colour: 'red' } });
    await shop.untilReady('v1');
    return performance.now() - began;
  }

  it('sees the change at once where the account may watch it, and asks nothing meanwhile', async () => {
    await begin(['get', 'list', 'watch']);
    // The first looks are close together.
    await pause(5000, shop.call.signal);
    const { metricsUrl } = stand.controller;
    const before = await sentRequests(metricsUrl);
    await pause(3000, shop.call.signal);
    const after = await sentRequests(metricsUrl);
    expect(after.reads - before.reads).to.be.at.most(2);
    expect(await untilReadyAfterChange()).to.be.below(1500);
  });

  it('sees the change within 2 seconds where the account may not', async () => {
    await begin(['get']);
    expect(await untilReadyAfterChange()).to.be.below(4000);
  });
});
