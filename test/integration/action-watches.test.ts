import { expect } from 'chai';
import { ActionWatches, type ActionWatchesOptions } from '../../src/actions/action-watches.ts';
import { milliseconds } from '../../src/core/time.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { pause } from '../../src/kubernetes/wait.ts';
import type { ObjectReference } from '../../src/types/kubernetes.ts';
import { tenantWith } from '../actors.ts';
import { configMap } from '../objects.ts';
import { sharedPlayground } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { eventually } from './objects.ts';

const verbs = ['get', 'list', 'watch'];

describe('the watches on what actions wait for', () => {
  let shop: TestNamespace;
  let tenant: KubernetesClient;
  let watches: ActionWatches | undefined;
  let news: string[];

  beforeEach(async () => {
    news = [];
    shop = await TestNamespace.create(await sharedPlayground());
    tenant = await tenantWith(shop, [{ apiGroups: [''], resources: ['configmaps'], verbs }]);
  });

  afterEach(async () => {
    await watches?.stop();
  });

  function watching(options: Partial<ActionWatchesOptions> = {}): ActionWatches {
    const quick = { pause: milliseconds(1), ...options };
    watches = new ActionWatches({ onNews: (key) => news.push(key), ...quick });
    return watches;
  }

  function settings(name = 'settings'): ObjectReference {
    return { apiVersion: 'v1', kind: 'ConfigMap', namespace: shop.name, name };
  }

  /** The watches, once they cover this object and have said so. */
  async function covering(options?: Partial<ActionWatchesOptions>): Promise<ActionWatches> {
    const all = watching(options);
    all.follow('team/shop', tenant, [settings()]);
    await eventually(() => all.covers('team/shop') && news.length > 0);
    return all;
  }

  it('tell once that they are there, since the object may have changed before', async () => {
    await shop.create(configMap('settings'));
    const all = watching();
    expect(all.covers('team/shop')).to.equal(false);
    all.follow('team/shop', tenant, [settings()]);
    expect(all.covers('team/shop')).to.equal(false);
    await eventually(() => all.covers('team/shop'));
    expect(news).to.deep.equal(['team/shop']);
  });

  it('tell of the creation, a change and the deletion of the object', async () => {
    await covering();
    for (const act of [
      async () => await shop.create(configMap('settings')),
      async () => await shop.patch(configMap('settings'), { data: { mode: 'new' } }),
      async () => await shop.delete(configMap('settings')),
    ]) {
      news = [];
      await act();
      await eventually(() => news.length > 0);
    }
  });

  it('tell of no other object', async () => {
    await covering();
    news = [];
    await shop.create(configMap('other'));
    await shop.create(configMap('settings'));
    await eventually(() => news.length > 0);
    expect(news).to.deep.equal(['team/shop']);
  });

  it('are the same when the same is asked again, and others when something else is', async () => {
    const all = await covering();
    all.follow('team/shop', tenant, [settings()]);
    expect(all.covers('team/shop')).to.equal(true);
    all.follow('team/shop', tenant, [settings('one'), settings('two')]);
    expect(all.covers('team/shop')).to.equal(false);
    expect(all.size).to.equal(2);
    await eventually(() => all.covers('team/shop'));
  });

  it('end with the wait', async () => {
    const all = await covering();
    all.release('team/shop');
    expect(all.size).to.equal(0);
    expect(all.covers('team/shop')).to.equal(false);
    news = [];
    await shop.create(configMap('settings'));
    await pause(200, shop.call.signal);
    expect(news).to.deep.equal([]);
  });

  it('end with the process, and do not begin again', async () => {
    const all = await covering();
    await all.stop();
    all.follow('team/shop', tenant, [settings()]);
    expect(all.size).to.equal(0);
  });

  it('give way to looks at intervals when the tenant may not watch, which is told', async () => {
    const reader = await tenantWith(
      shop,
      [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }],
      'reader',
    );
    const all = watching();
    all.follow('team/shop', reader, [settings()]);
    await eventually(() => news.length > 0);
    expect(all.covers('team/shop')).to.equal(false);
    expect(all.size).to.equal(0);
    all.follow('team/shop', reader, [settings()]);
    expect(all.size).to.equal(0);
  });

  it('are no more for one namespace than it may have, and begin when there is room', async () => {
    const all = watching({ mostForNamespace: 2 });
    all.follow('team/one', tenant, [settings('a'), settings('b')]);
    all.follow('team/two', tenant, [settings('c')]);
    all.follow('other/shop', tenant, [settings('c')]);
    expect(all.size).to.equal(3);
    expect(all.covers('team/two')).to.equal(false);
    all.release('team/one');
    all.follow('team/two', tenant, [settings('c')]);
    await eventually(() => all.covers('team/two'));
  });

  it('are no more in all than there is room for', () => {
    const all = watching({ mostWatches: 1 });
    all.follow('team/one', tenant, [settings('a')]);
    all.follow('other/two', tenant, [settings('b')]);
    expect(all.size).to.equal(1);
  });

  it('do not begin for a kind whose version is not known yet', () => {
    const all = watching();
    all.follow('team/shop', tenant, [{ ...settings(), apiVersion: '' }]);
    expect(all.size).to.equal(0);
  });

  it('do not outlast their time when nobody asks for them again', async () => {
    const all = await covering({ lifetime: milliseconds(500) });
    await eventually(() => all.size === 0);
    all.follow('team/shop', tenant, [settings()]);
    expect(all.size).to.equal(1);
  });

  it('tell of an object that changes all the time now and then, and of its last change', async () => {
    await shop.create(configMap('settings'));
    const all = watching({ pause: milliseconds(300) });
    all.follow('team/shop', tenant, [settings()]);
    await eventually(() => all.covers('team/shop'));
    const began = performance.now();
    for (let index = 0; index < 20; index += 1) {
      await shop.patch(configMap('settings'), { data: { index: String(index) } });
    }
    const told = news.length;
    await eventually(() => news.length > told);
    const turns = (performance.now() - began) / 300;
    expect(news.length).to.be.at.most(Math.ceil(turns) + 2);
  });
});
