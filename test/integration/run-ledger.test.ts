import { expect } from 'chai';
import { parseStageLedger } from '../../src/core/validate/schema.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { type StageLedger, stagesApiVersion } from '../../src/types/stages.ts';
import { metricSum } from '../metrics.ts';
import { configMap, serviceAccount, toy, toyDefinition } from '../objects.ts';
import { sharedPlayground, useController } from '../playground.ts';
import { everyVerb, grant } from '../rbac.ts';
import type { TestNamespace } from '../test-namespace.ts';
import { servedSoon } from './objects.ts';

const kind = { apiVersion: stagesApiVersion, kind: 'StageLedger' };
const ledgerObject: KubernetesObject = { ...kind, metadata: { name: 'shop' } };
const tally = toy('Tally', 'tally');
const seeded = { apiVersion: 'v1', kind: 'ConfigMap', name: 'seeded' };

/** An action that leaves a mark each time that it runs. */
function marking(more: Record<string, unknown> = {}): Record<string, unknown> {
  const target = { apiVersion: tally.apiVersion, kind: tally.kind, name: 'tally' };
  const patch = '[{"op": "add", "path": "/spec/marks/-", "value": "ran"}]';
  return { name: 'seed', scope: 'Lifetime', patch: { target, type: 'json6902', patch }, ...more };
}

function stageWith(action: Record<string, unknown>): Record<string, unknown> {
  return { name: 'app', actions: { pre: [action] } };
}

describe('an action of scope Lifetime', () => {
  const stand = useController();
  let shop: TestNamespace;

  before('install the kind that is marked', async () => {
    const { client } = await sharedPlayground();
    const call = { signal: AbortSignal.timeout(30_000) };
    await client.create(toyDefinition('Tally'), {}, call);
  });

  beforeEach(async () => {
    shop = await stand.namespace();
    const unmarked = { ...tally, spec: { marks: [] } };
    await servedSoon(async () => await shop.create(unmarked));
    await shop.publish('app', 'v1', [configMap('settings', { revision: 'v1' })]);
  });

  /** How often the action has run. */
  async function marks(): Promise<number> {
    const live = await shop.find(tally);
    return [...JSON.stringify(live?.['spec']).matchAll(/ran/g)].length;
  }

  async function untilMarks(count: number): Promise<void> {
    await shop.untilObject(
      tally,
      ({ spec }) => [...JSON.stringify(spec).matchAll(/ran/g)].length >= count,
    );
  }

  async function untilLedger(judge: (ledger: StageLedger) => boolean): Promise<StageLedger> {
    return ledgerFrom(await shop.untilObject(ledgerObject, (object) => judge(ledgerFrom(object))));
  }

  function ledgerFrom(object: KubernetesObject): StageLedger {
    const parsed = parseStageLedger(object);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return parsed.value;
  }

  /** A StageSet whose action has run once, in revision v1. */
  async function done(action: Record<string, unknown> = marking()): Promise<StageLedger> {
    await shop.createStageSet([stageWith(action)]);
    await shop.untilReady('v1');
    expect(await marks()).to.equal(1);
    return await untilLedger(({ status }) => status?.completedActions?.length === 1);
  }

  it('runs once, whatever revisions come, and the ledger says so', async () => {
    const ledger = await done();
    expect(ledger.metadata.ownerReferences).to.equal(undefined);
    expect(ledger.status?.startedActions).to.deep.equal([]);
    const [completion] = ledger.status?.completedActions ?? [];
    expect(completion).to.include({ stage: 'app', action: 'seed', origin: 'Executed' });
    await shop.publish('app', 'v2', [configMap('settings', { revision: 'v2' })]);
    await shop.untilReady('v2');
    expect(await marks()).to.equal(1);
  });

  it('does not run again for a new StageSet of the same name, which adopts the ledger', async () => {
    await done();
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    await shop.createStageSet([stageWith(marking())]);
    await shop.untilReady('v1');
    await shop.untilEvent('LedgerAdopted');
    expect(await marks()).to.equal(1);
    const { metricsUrl } = stand.controller;
    expect(await metricSum(metricsUrl, 'stageset_ledger_adoptions_total', shop.name)).to.equal(1);
  });

  it('runs again when its witness was made anew', async () => {
    await shop.create(configMap('seeded'));
    const before = await done(marking({ completionAnchor: seeded }));
    await shop.delete(configMap('seeded'));
    const { metadata } = await shop.create(configMap('seeded'));
    await shop.request('look');
    const after = await untilLedger(
      ({ status }) => status?.completedActions?.[0]?.anchor?.uid === metadata.uid,
    );
    expect(after.metadata.uid).to.equal(before.metadata.uid);
    expect(await marks()).to.equal(2);
    await shop.untilEvent('LedgerInvalidated');
  });

  it('does not run again while its witness cannot be read, and warns', async () => {
    const account = { namespace: shop.name, name: 'deployer' };
    await shop.create(serviceAccount('deployer'));
    await grant(shop, account, [
      { apiGroups: [''], resources: ['configmaps'], verbs: everyVerb },
      { apiGroups: ['toys.example.com'], resources: ['*'], verbs: everyVerb },
    ]);
    const secrets = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }];
    await grant(shop, account, secrets, 'witness');
    await shop.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'seeded' } });
    const anchor = { apiVersion: 'v1', kind: 'Secret', name: 'seeded' };
    const action = marking({ completionAnchor: anchor });
    await shop.createStageSet([stageWith(action)], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    await shop.delete({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'witness' },
    });
    await shop.publish('app', 'v2', [configMap('settings', { revision: 'v2' })]);
    await shop.untilReady('v2');
    await shop.untilEvent('LedgerAnchorUnreadable');
    expect(await marks()).to.equal(1);
    const { metricsUrl } = stand.controller;
    const errors = await metricSum(metricsUrl, 'stageset_ledger_anchor_errors_total', shop.name);
    expect(errors).to.be.at.least(1);
  });

  it('has failed when its witness is not there in the end, and nothing is on record', async () => {
    await shop.createStageSet([stageWith(marking({ completionAnchor: seeded }))]);
    const message = await shop.untilReason('StageFailed');
    expect(message).to.contain(`completionAnchor ConfigMap/${shop.name}/seeded is not there`);
    const ledger = await untilLedger(({ status }) => (status?.startedActions ?? []).length === 0);
    expect(ledger.status?.completedActions ?? []).to.deep.equal([]);
    expect(await shop.find(configMap('settings'))).to.equal(undefined);
  });

  it('does not run when the baseline says that it is done, and an edit counts at once', async () => {
    const entry = { stage: 'app', action: 'seed' };
    const typo = { stage: 'app', action: 'sed' };
    await shop.create({ ...ledgerObject, spec: { baseline: [typo, entry] } });
    await shop.createStageSet([stageWith(marking())]);
    await shop.untilReady('v1');
    const invalid = await untilLedger(({ status }) => status?.conditions?.length === 1);
    expect(invalid.status?.conditions?.[0]).to.include({ status: 'False', reason: 'Unresolved' });
    expect(invalid.status?.conditions?.[0]?.message).to.match(/: app\/sed$/);
    expect(invalid.status?.completedActions?.[0]).to.include({ ...entry, origin: 'Baselined' });
    await shop.untilCollection({ apiVersion: 'events.k8s.io/v1', kind: 'Event' }, (events) =>
      [...events.values()].some(
        ({ reason, regarding }) =>
          reason === 'BaselineInvalid' && JSON.stringify(regarding).includes('StageLedger'),
      ),
    );
    await shop.patch(ledgerObject, { spec: { baseline: [entry] } });
    await untilLedger(({ status }) => status?.conditions?.[0]?.status === 'True');
    expect(await marks()).to.equal(0);
  });

  it('runs again when a person takes the completion back', async () => {
    await done();
    const reference = { ...kind, namespace: shop.name, name: 'shop' };
    const body = { status: { completedActions: null } };
    await shop.client.patch(reference, { type: 'Merge', body, subresource: 'status' }, shop.call);
    await untilMarks(2);
    await untilLedger(({ status }) => status?.completedActions?.length === 1);
    expect(await marks()).to.equal(2);
  });
});
