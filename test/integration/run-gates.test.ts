import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { stagesApiVersion } from '../../src/types/stages.ts';
import { configMap, serviceAccount } from '../objects.ts';
import { useController } from '../playground.ts';
import { everyVerb, grant } from '../rbac.ts';
import type { TestNamespace } from '../test-namespace.ts';

const selector = { matchLabels: { app: 'web' } };
const restartGate = { checks: [{ name: 'web', selector, maxRestarts: 2 }] };
const eventGate = { checks: [{ name: 'web', selector, reasons: ['BackOff'] }] };

describe('a stage whose gates look at the cluster', () => {
  const stand = useController();

  /** Two stages, the first with gates, and a pod that belongs to it. */
  async function release(
    promotion: Record<string, unknown>,
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('default'));
    await shop.create(pod('web'));
    await shop.publish('dev', 'v1', [configMap('dev')]);
    await shop.publish('prod', 'v1', [configMap('prod')]);
    const dev = { name: 'dev', sourceRef: { name: 'dev' }, promotion };
    await shop.createStageSet([dev, 'prod'], { retryInterval: '1s', ...spec });
    return shop;
  }

  it('is blocked while its pods restart too often, and goes on when they are replaced', async () => {
    const shop = await release({ restartGate, soak: '3s' });
    await shop.untilStageSet(({ status }) => {
      const state = status?.stages?.[0]?.promotionState;
      return state?.restartBaseline?.[0]?.observed === 0;
    });
    await restarted(shop, 'web', 5);
    const message = await shop.untilReason('PromotionBlocked');
    expect(message).to.match(
      /^Stage dev is blocked: check web of its restartGate counted 5 restart\(s\) since the last promotion, and 2 are allowed /,
    );
    expect(message).to.include(`--namespace ${shop.name} annotate --overwrite stageset/shop`);
    expect(await shop.configMapNames()).to.deep.equal(['dev']);
    await shop.client.delete(
      { apiVersion: 'v1', kind: 'Pod', namespace: shop.name, name: 'web' },
      { gracePeriodSeconds: 0 },
      shop.call,
    );
    const { status } = await shop.untilReady('v1');
    expect(status?.stages?.[0]?.promotionState).to.deep.include({
      phase: 'Promoted',
      restartBaseline: [{ name: 'web', restarts: 0 }],
    });
  });

  it('is blocked by Warning events of its pods, over a restart of the controller too', async () => {
    const shop = await release({ eventGate, soak: '2s' });
    await backOff(shop, 'web');
    await shop.untilReason('PromotionBlocked');
    await stand.killAndRestart();
    // Still two looks later.
    const checkedAt = async (since: string | undefined): Promise<string | undefined> => {
      const { status } = await shop.untilStageSet((seen) => {
        const state = seen.status?.stages?.[0]?.promotionState;
        return state?.checkedAt !== undefined && state.checkedAt !== since;
      });
      expect(status?.stages?.[0]?.promotionState?.phase).to.equal('Blocked');
      return status?.stages?.[0]?.promotionState?.checkedAt;
    };
    await checkedAt(await checkedAt(undefined));
    await shop.untilReason('PromotionBlocked');
    expect(await shop.configMapNames()).to.deep.equal(['dev']);
  });

  it('is held where its account may not look, which says what that lacks', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
    const account = { namespace: shop.name, name: 'deployer' };
    await grant(shop, account, [{ apiGroups: [''], resources: ['configmaps'], verbs: everyVerb }]);
    await shop.publish('dev', 'v1', [configMap('dev')]);
    const dev = { name: 'dev', sourceRef: { name: 'dev' }, promotion: { eventGate } };
    await shop.createStageSet([dev], { serviceAccountName: 'deployer' });
    const message = await shop.untilReason('RBACDenied');
    expect(message).to.include('what its eventGate asks for is refused');
    expect(message).to.include(
      `User "system:serviceaccount:${shop.name}:deployer" cannot list resource "pods"`,
    );
  });

  it('soaks on, whatever end somebody has written into its status', async () => {
    const shop = await release({ soak: '1h' });
    const soaking = await shop.untilStageSet(
      ({ status }) => status?.stages?.[0]?.promotionState?.soakUntil !== undefined,
    );
    const until = soaking.status?.stages?.[0]?.promotionState?.soakUntil;
    const stages = structuredClone(soaking.status?.stages ?? []);
    const past = '2020-01-01T00:00:00Z';
    for (const stage of stages) {
      if (stage.promotionState !== undefined) stage.promotionState.soakUntil = past;
    }
    await shop.client.patch(
      { apiVersion: stagesApiVersion, kind: 'StageSet', namespace: shop.name, name: 'shop' },
      { type: 'Merge', subresource: 'status', body: { status: { stages } } },
      shop.call,
    );
    await stand.killAndRestart();
    const again = await shop.untilStageSet(
      ({ status }) => status?.stages?.[0]?.promotionState?.soakUntil !== past,
    );
    expect(again.status?.stages?.[0]?.promotionState?.soakUntil).to.equal(until);
    expect(await shop.configMapNames()).to.deep.equal(['dev']);
  });
});

function pod(name: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'web' } },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'web', image: 'web:1' }],
    },
  };
}

/** What the kubelet of the pod's node would say. */
async function restarted(shop: TestNamespace, name: string, restartCount: number): Promise<void> {
  const status = { name: 'web', image: 'web:1', imageID: '', ready: true, restartCount };
  await shop.client.patch(
    { apiVersion: 'v1', kind: 'Pod', namespace: shop.name, name },
    {
      type: 'Merge',
      subresource: 'status',
      body: { status: { containerStatuses: [status] } },
    },
    shop.call,
  );
}

async function backOff(shop: TestNamespace, name: string): Promise<void> {
  const found = await shop.find(pod(name));
  const { uid } = found?.metadata ?? {};
  await shop.create({
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: 'back-off' },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: shop.name, name, uid },
    reason: 'BackOff',
    type: 'Warning',
    count: 3,
  });
}
