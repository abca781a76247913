import { expect } from 'chai';
import { deleteOwned } from '../../src/apply/delete-owned.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { Connection } from '../../src/kubernetes/connection.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { configMap, withMetadata } from '../objects.ts';
import { sharedPlayground } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';

describe('between the look at an object and its deletion', () => {
  let proxy: FaultProxy;
  let connection: Connection;
  let shop: TestNamespace;

  before(async () => {
    const playground = await sharedPlayground();
    proxy = await FaultProxy.start(playground.identities.singleTenant);
    connection = await Connection.open({ kind: 'Text', text: proxy.kubeconfig });
  });

  beforeEach(async () => {
    shop = await TestNamespace.create(await sharedPlayground());
  });

  after(async () => {
    await connection.close();
    await proxy.stop();
  });

  function owned(): KubernetesObject {
    const labels = { 'stages.metio.wtf/name': 'shop', 'stages.metio.wtf/namespace': shop.name };
    return withMetadata(configMap('web'), { labels });
  }

  /** What became of the ConfigMap when this happened after it was read, so many times. */
  async function deleteWhile(change: () => Promise<unknown>, times = 1): Promise<string> {
    const url = `/configmaps/web`;
    const held: Promise<unknown>[] = [];
    const disarm = proxy.inject({
      match: ({ method, url: asked }) => {
        if (method !== 'DELETE' || !asked.includes(url) || held.length >= times) return false;
        held.push(change());
        return true;
      },
      fault: { kind: 'Delay', milliseconds: 500 },
    });
    try {
      const client = KubernetesClient.connect(connection);
      const entry = { id: `${shop.name}_web__ConfigMap`, v: 'v1' };
      const owner = { name: 'shop', namespace: shop.name };
      const [deletion] = await deleteOwned([entry], owner, client, shop.call);
      await Promise.all(held);
      return deletion?.outcome ?? 'nothing';
    } finally {
      disarm();
    }
  }

  it('one that somebody creates anew without our labels stays', async () => {
    await shop.create(owned());
    const outcome = await deleteWhile(async () => {
      await shop.delete(configMap('web'));
      await shop.create(configMap('web'));
    });
    expect(outcome).to.equal('Foreign');
    expect(await shop.find(configMap('web'))).not.to.equal(undefined);
  });

  it('one that another owner takes over stays, although it is the same', async () => {
    await shop.create(owned());
    const outcome = await deleteWhile(async () => {
      const labels = { 'stages.metio.wtf/name': 'another' };
      await shop.patch(configMap('web'), { metadata: { labels } });
    });
    expect(outcome).to.equal('Foreign');
    expect(await shop.find(configMap('web'))).not.to.equal(undefined);
  });

  it('one that opts out stays', async () => {
    await shop.create(owned());
    const outcome = await deleteWhile(async () => {
      const annotations = { 'stages.metio.wtf/prune': 'disabled' };
      await shop.patch(configMap('web'), { metadata: { annotations } });
    });
    expect(outcome).to.equal('OptedOut');
    expect(await shop.find(configMap('web'))).not.to.equal(undefined);
  });

  it('one that only changes is deleted all the same', async () => {
    await shop.create(owned());
    let changes = 0;
    const outcome = await deleteWhile(async () => {
      changes += 1;
      await shop.patch(configMap('web'), { data: { changes: String(changes) } });
    }, 3);
    expect([outcome, changes]).to.deep.equal(['Gone', 3]);
    expect(await shop.find(configMap('web'))).to.equal(undefined);
  });

  it('one that is gone is gone', async () => {
    await shop.create(owned());
    const outcome = await deleteWhile(async () => await shop.delete(configMap('web')));
    expect(outcome).to.equal('Gone');
  });
});
