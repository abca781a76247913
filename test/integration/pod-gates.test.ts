import { expect } from 'chai';
import { isForbidden } from '../../src/kubernetes/api-error.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { countEvents } from '../../src/metrics-sources/pod-events.ts';
import { countRestarts } from '../../src/metrics-sources/pod-restarts.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { tenantWith } from '../actors.ts';
import { serviceAccount } from '../objects.ts';
import { sharedPlayground } from '../playground.ts';
import type { Rule } from '../rbac.ts';
import { TestNamespace } from '../test-namespace.ts';
import { caught } from './objects.ts';

const selector = { matchLabels: { app: 'web' } };

function list(resource: string): Rule {
  return { apiGroups: [''], resources: [resource], verbs: ['list'] };
}

interface Pod {
  readonly name: string;
  readonly app?: string;
  readonly finalizers?: string[];
}

function pod({ name, app = 'web', finalizers = [] }: Pod): KubernetesObject {
  const container = { image: 'web:1' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app }, finalizers },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'web', ...container }],
      initContainers: [{ name: 'init', ...container }],
    },
  };
}

describe('the pods of a gate', () => {
  let shop: TestNamespace;

  beforeEach(async () => {
    shop = await TestNamespace.create(await sharedPlayground());
    // Pods need one, and no controller makes it here.
    await shop.create(serviceAccount('default'));
  });

  async function create(wanted: Pod): Promise<string> {
    const { metadata } = await shop.create(pod(wanted));
    return metadata.uid ?? '';
  }

  /** What the kubelet of the pod's node would say. */
  async function restarted(name: string, web: number, init = 0): Promise<void> {
    const status = (container: string, restartCount: number): object => ({
      name: container,
      image: 'web:1',
      imageID: '',
      ready: true,
      restartCount,
    });
    await shop.client.patch(
      { apiVersion: 'v1', kind: 'Pod', namespace: shop.name, name },
      {
        type: 'Merge',
        subresource: 'status',
        body: {
          status: {
            containerStatuses: [status('web', web)],
            initContainerStatuses: [status('init', init)],
          },
        },
      },
      shop.call,
    );
  }

  describe('whose restarts are counted', () => {
    async function count(client: KubernetesClient = shop.client): Promise<number> {
      return await countRestarts(client, shop.name, { selector }, shop.call);
    }

    it('are those that match, with all their containers', async () => {
      for (const name of ['a', 'b']) await create({ name });
      await create({ name: 'other', app: 'db' });
      await restarted('a', 3, 1);
      await restarted('other', 50);
      expect(await count()).to.equal(4);
      await restarted('b', 2);
      expect(await count()).to.equal(6);
    });

    it('are none where no pod matches', async () => {
      expect(await count()).to.equal(0);
    });

    it('(edge case 18, part B 13) are not those that are on their way out', async () => {
      await create({ name: 'old', finalizers: ['example.com/hold'] });
      await create({ name: 'new' });
      await restarted('old', 40);
      await restarted('new', 1);
      expect(await count()).to.equal(41);
      const old = { apiVersion: 'v1', kind: 'Pod', namespace: shop.name, name: 'old' };
      await shop.client.delete(old, { gracePeriodSeconds: 0 }, shop.call);
      expect(await count()).to.equal(1);
      await shop.patch(pod({ name: 'old' }), { metadata: { finalizers: null } });
    });

    it('are all of many pages', async () => {
      const names = Array.from({ length: 7 }, (_, index) => `web-${index}`);
      for (const name of names) {
        await create({ name });
        await restarted(name, 1);
      }
      const small = Object.create(shop.client) as KubernetesClient;
      small.pages = (query, call) => shop.client.pages({ ...query, pageSize: 3 }, call);
      expect(await count(small)).to.equal(7);
    });

    it('(edge case 14, part B 13) are refused to an account that may not list them, by name', async () => {
      const tenant = await tenantWith(shop, [list('configmaps')]);
      const error = await caught(count(tenant));
      expect(isForbidden(error)).to.equal(true);
      expect(String(error)).to.include(
        `User "system:serviceaccount:${shop.name}:tenant" cannot list resource "pods"`,
      );
    });

    it('are counted as an account that may list them', async () => {
      await create({ name: 'a' });
      await restarted('a', 2);
      expect(await count(await tenantWith(shop, [list('pods')]))).to.equal(2);
    });

    it('are never all of a namespace', async () => {
      const all = countRestarts(shop.client, shop.name, { selector: {} }, shop.call);
      expect(String(await caught(all))).to.include('the selector of the check is empty');
    });
  });

  describe('whose events are counted', () => {
    interface Happened {
      readonly name: string;
      readonly uid: string;
      readonly reason?: string;
      readonly type?: string;
      readonly kind?: string;
    }

    function involved({ uid, kind = 'Pod' }: Happened): Record<string, string> {
      return { apiVersion: 'v1', kind, namespace: shop.name, name: 'a', uid };
    }

    async function old(event: Happened, count?: number): Promise<void> {
      const { name, reason = 'BackOff', type = 'Warning' } = event;
      await shop.client.create(
        {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name, namespace: shop.name },
          involvedObject: involved(event),
          reason,
          type,
          ...(count === undefined ? {} : { count }),
        },
        {},
        shop.call,
      );
    }

    /** As recorders of events.k8s.io/v1 write them: a repetition counts in the series. */
    async function recorded(event: Happened, count?: number): Promise<void> {
      const { name, reason = 'BackOff', type = 'Warning' } = event;
      const now = new Date().toISOString().replace(/(\.\d+)Z/, '$1000Z');
      await shop.client.create(
        {
          apiVersion: 'events.k8s.io/v1',
          kind: 'Event',
          metadata: { name, namespace: shop.name },
          regarding: involved(event),
          reason,
          type,
          action: 'Restarting',
          reportingController: 'example.com/kubelet',
          reportingInstance: 'node-1',
          eventTime: now,
          ...(count === undefined ? {} : { series: { count, lastObservedTime: now } }),
        },
        {},
        shop.call,
      );
    }

    async function count(
      client: KubernetesClient = shop.client,
      reasons = ['BackOff', 'FailedMount'],
    ): Promise<number> {
      return await countEvents(client, shop.name, { selector, reasons }, shop.call);
    }

    it('are Warnings with one of the reasons, as often as they happened', async () => {
      const uid = await create({ name: 'a' });
      await old({ name: 'once', uid });
      await old({ name: 'often', uid, reason: 'FailedMount' }, 5);
      await old({ name: 'normal', uid, type: 'Normal' }, 9);
      await old({ name: 'another', uid, reason: 'Unhealthy' }, 9);
      expect(await count()).to.equal(6);
    });

    it('[gap] are those with a series too, whose count is zero (part B 3.4)', async () => {
      const uid = await create({ name: 'a' });
      await recorded({ name: 'single', uid });
      await recorded({ name: 'series', uid }, 4);
      expect(await count()).to.equal(5);
    });

    it('are those of pods that are there and match', async () => {
      const uid = await create({ name: 'a' });
      const other = await create({ name: 'b', app: 'db' });
      await old({ name: 'here', uid });
      await old({ name: 'there', uid: other }, 9);
      await old({ name: 'gone', uid: '00000000-0000-0000-0000-000000000000' }, 9);
      expect(await count()).to.equal(1);
    });

    it('are none where no pod matches, and then nobody is asked for events', async () => {
      const tenant = await tenantWith(shop, [list('pods')]);
      expect(await count(tenant)).to.equal(0);
    });

    it('(edge case 19, part B 13) are sorted out by the API server', async () => {
      const uid = await create({ name: 'a' });
      await old({ name: 'mine', uid });
      await old({ name: 'normal', uid, type: 'Normal' });
      await old({ name: 'elsewhere', uid, kind: 'ReplicaSet' });
      const seen: string[] = [];
      const watched = Object.create(shop.client) as KubernetesClient;
      watched.pages = async function* (query, call) {
        for await (const page of shop.client.pages(query, call)) {
          seen.push(...page.items.map(({ kind, metadata }) => `${kind} ${metadata.name}`));
          yield page;
        }
      };
      expect(await count(watched)).to.equal(1);
      expect(seen).to.deep.equal(['Pod a', 'Event mine']);
    });

    it('(edge case 14, part B 13) are refused to an account that may not list events, by name', async () => {
      await create({ name: 'a' });
      const tenant = await tenantWith(shop, [list('pods')]);
      const error = await caught(count(tenant));
      expect(isForbidden(error)).to.equal(true);
      expect(String(error)).to.include('cannot list resource "events"');
    });
  });
});
