import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { configMap, serviceAccount, toy, toyDefinition } from '../objects.ts';
import { useController } from '../playground.ts';
import { everyVerb, grant, grantEverywhere, type Rule } from '../rbac.ts';
import type { TestNamespace } from '../test-namespace.ts';

const every = (group: string, resource: string, verbs: readonly string[] = everyVerb): Rule => ({
  apiGroups: [group],
  resources: [resource],
  verbs,
});

/** What a denied tenant is told: who may not do what, with which resource, and where. */
const cannot = (verb: string, resource: string, group: string, where: string): RegExp =>
  new RegExp(
    `User "system:serviceaccount:shop-\\d+:deployer" cannot ${verb} resource "${resource}" ` +
      `in API group "${group}" ${where}`,
  );
const inShop = 'in the namespace "shop-\\d+"';
const inCluster = 'at the cluster scope';

/** A kind that every tenant of these tests may apply, so that only what is tested is missing. */
const limits = (name: string): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name },
  spec: { limits: [{ type: 'Pod', max: { cpu: '1' } }] },
});

/** Something that the StageSet of a tenant refers to, which the tenant may not reach at first. */
interface Reference {
  /** Makes the StageSet of the shop. */
  readonly begin: (shop: TestNamespace, other: TestNamespace) => Promise<void>;
  readonly denied: RegExp;
  /** What repairs it. */
  readonly allow: (shop: TestNamespace, other: TestNamespace) => Promise<void>;
  readonly revision?: string;
  /** `RBACDenied` unless named. */
  readonly reason?: string;
}

const accountOf = ({ name: namespace }: TestNamespace) => ({ namespace, name: 'deployer' });
const allow =
  (...rules: Rule[]) =>
  async (shop: TestNamespace): Promise<void> =>
    await grant(shop, accountOf(shop), rules, 'missing');
const allowEverywhere =
  (...rules: Rule[]) =>
  async (shop: TestNamespace): Promise<void> =>
    await grantEverywhere(shop, accountOf(shop), rules);

async function deploy(
  shop: TestNamespace,
  objects: readonly KubernetesObject[],
  stage: Record<string, unknown> = {},
  spec: Record<string, unknown> = {},
): Promise<void> {
  await shop.publish('app', 'v1', objects);
  await shop.createStageSet([{ name: 'app', ...stage }], {
    serviceAccountName: 'deployer',
    ...spec,
  });
}

/** A stage whose manifest has one variable, from an object of the namespace. */
async function substitute(shop: TestNamespace, kind: string, data: object): Promise<void> {
  await shop.create({ apiVersion: 'v1', kind, metadata: { name: 'settings' }, ...data });
  const postBuild = { substituteFrom: [{ kind, name: 'settings' }] };
  await deploy(shop, [limits('limits-of-${team}')], { postBuild });
}

const references: Record<string, Reference> = {
  'a ConfigMap of substituteFrom': {
    begin: async (shop) => await substitute(shop, 'ConfigMap', { data: { team: 'red' } }),
    denied: cannot('get', 'configmaps', '', inShop),
    allow: allow(every('', 'configmaps', ['get'])),
  },
  'a Secret of substituteFrom': {
    begin: async (shop) => await substitute(shop, 'Secret', { stringData: { team: 'red' } }),
    denied: cannot('get', 'secrets', '', inShop),
    allow: allow(every('', 'secrets', ['get'])),
  },
  'an applied kind': {
    begin: async (shop) => await deploy(shop, [limits('some'), configMap('web')]),
    denied: cannot('patch', 'configmaps', '', inShop),
    allow: allow(every('', 'configmaps')),
  },
  'an applied kind of a CRD': {
    begin: async (shop) => await deploy(shop, [toy('Drone', 'hal')]),
    denied: cannot('patch', 'drones', 'toys\\.example\\.com', inShop),
    allow: allow(every('toys.example.com', 'drones')),
  },
  'an applied namespace': {
    begin: async (shop) => {
      const metadata = { name: `${shop.name}-extra` };
      await deploy(shop, [{ apiVersion: 'v1', kind: 'Namespace', metadata }]);
    },
    denied: cannot('patch', 'namespaces', '', 'in the namespace "shop-\\d+-extra"'),
    allow: allowEverywhere(every('', 'namespaces')),
  },
  'an applied kind without namespaces': {
    begin: async (shop) =>
      await deploy(shop, [
        {
          apiVersion: 'scheduling.k8s.io/v1',
          kind: 'PriorityClass',
          metadata: { name: `${shop.name}-important` },
          value: 1,
        },
      ]),
    denied: cannot('patch', 'priorityclasses', 'scheduling\\.k8s\\.io', inCluster),
    allow: allowEverywhere(every('scheduling.k8s.io', 'priorityclasses')),
  },
  'an object in the namespace of the other tenant': {
    begin: async (shop, other) => {
      const { kind, apiVersion, metadata } = configMap(`of-${shop.name}`);
      const theirs = { ...metadata, namespace: other.name };
      await deploy(shop, [{ apiVersion, kind, metadata: theirs }]);
    },
    denied: cannot('patch', 'configmaps', '', inShop),
    allow: async (shop, other) =>
      await grant(other, accountOf(shop), [every('', 'configmaps')], `of-${shop.name}`),
  },
  'a ready check': {
    begin: async (shop) => {
      await shop.create(configMap('marker'));
      const checks = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'marker' }];
      const readyChecks = { checks, timeout: '1s' };
      await deploy(shop, [limits('some')], { readyChecks }, { retryInterval: '10s' });
    },
    // What cannot be read is not failed: the stage goes on waiting.
    reason: 'StageProgressing',
    denied: cannot('get', 'configmaps', '', inShop),
    allow: allow(every('', 'configmaps', ['get'])),
  },
  'a pruned kind': {
    begin: async (shop) => {
      const verbs = everyVerb.filter((verb) => verb !== 'delete');
      await grant(shop, accountOf(shop), [every('', 'configmaps', verbs)], 'but-delete');
      await deploy(shop, [limits('kept'), configMap('dropped')]);
      await shop.untilReady('v1');
      await shop.publish('app', 'v2', [limits('kept')]);
    },
    denied: cannot('delete', 'configmaps', '', inShop),
    allow: allow(every('', 'configmaps', ['delete'])),
    revision: 'v2',
  },
};

describe('two tenants with real roles, and a controller with its own alone', () => {
  const stand = useController({ rights: 'Installed' });

  it('attack 76: whatever a spec can name, without a Role for it (edge case 28: all is read as the tenant; [gap] a grant is noticed within a minute, part A 9.1)', async function () {
    this.timeout(240_000);
    const other = await stand.namespace();
    await other.create(serviceAccount('deployer'));
    await grant(other, accountOf(other), [every('', 'configmaps')]);
    await deploy(other, [configMap('theirs')]);
    await other.untilReady('v1');
    await stand.playground.client.create(toyDefinition('Drone'), {}, other.call);

    const shops = new Map<string, TestNamespace>();
    for (const [name, { begin }] of Object.entries(references)) {
      const shop = await stand.namespace();
      shops.set(name, shop);
      await shop.create(serviceAccount('deployer'));
      await grant(shop, accountOf(shop), [every('', 'limitranges')]);
      await begin(shop, other);
    }
    const told: Record<string, string> = {};
    for (const [name, shop] of shops) {
      const { reason = 'RBACDenied' } = references[name] ?? {};
      told[name] = await shop.untilReason(reason).catch((error: unknown) => String(error));
    }
    for (const [name, { denied }] of Object.entries(references)) {
      expect(told[name], name).to.match(denied);
    }

    for (const [name, shop] of shops) await references[name]?.allow(shop, other);
    const granted = performance.now();
    for (const [name, shop] of shops) {
      // A minute and its jitter: the interval is an hour, and nobody asks for a reconcile.
      const within = Math.ceil(80_000 - (performance.now() - granted));
      await shop
        .untilReady(references[name]?.revision ?? 'v1', { within })
        .catch((error: unknown) => {
          throw new Error(`${name}: ${String(error)}`);
        });
    }
    const theirs = await other.untilStageSet(() => true);
    expect(theirs.metadata.generation).to.equal(1);
    expect(await other.configMapNames()).to.deep.equal(['theirs']);
  });
});
