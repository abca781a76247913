import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { stagesApiVersion } from '../../src/types/stages.ts';
import { configMap } from '../objects.ts';
import { useController } from '../playground.ts';

const runbook = (reason: string): string =>
  ` (runbook: https://stages.metio.wtf/runbooks/${reason}/)`;

/** A Service with a port that no API server takes. */
function badService(name: string): KubernetesObject {
  const spec = { ports: [{ name: 'http', port: 70_000 }] };
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec };
}

describe('objects that the API server refuses', () => {
  const stand = useController();

  it('leave nothing of their group applied, and are all named', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [
      configMap('good'),
      configMap('bad', { 'no such key!': '' }),
      badService('worse'),
      configMap('also-good'),
    ]);
    await shop.createStageSet(['app']);
    const message = await shop.untilReason('StageFailed');
    expect(message).to.match(/^Stage app: apply: 2 objects failed: /);
    expect(message).to.include(`ConfigMap/${shop.name}/bad: `);
    expect(message).to.include('data[no such key!]: Invalid value');
    expect(message).to.include(`Service/${shop.name}/worse: `);
    expect(message).to.include('spec.ports[0].port: Invalid value: 70000');
    expect(await shop.owned('v1', 'ConfigMap')).to.deep.equal([]);
    expect(await shop.owned('v1', 'Service')).to.deep.equal([]);
  });

  it('are retried no more once a revision without them is there', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [badService('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReason('StageFailed');
    await shop.publish('app', 'v2', [configMap('web')]);
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['web']);
  });

  it('of a kind that is not served are named with the kind', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [
      { apiVersion: 'unknown.example.com/v1', kind: 'Mystery', metadata: { name: 'one' } },
    ]);
    await shop.createStageSet(['app']);
    expect(await shop.untilReason('RBACDenied')).to.match(
      /^Stage app: apply: Mystery\/one: .* no kind Mystery in unknown\.example\.com\/v1/,
    );
  });
});

describe('a StageSet that cannot be carried out', () => {
  const stand = useController();

  it('has two stages with the same object', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('shared'), configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two'), configMap('shared')]);
    await shop.createStageSet(['one', 'two']);
    expect(await shop.untilReason('InvalidSpec')).to.equal(
      `Stage two: build: stages one and two both contain ConfigMap/${shop.name}/shared; ` +
        `keep it in one of them${runbook('invalidspec')}`,
    );
    expect(await shop.configMapNames()).to.deep.equal(['one', 'shared']);
    await shop.publish('two', 'v2', [configMap('two')]);
    await shop.untilReady();
  });

  it('has a stage whose name does not fit into a label (part A 4.8)', async () => {
    const shop = await stand.namespace();
    const name = 's'.repeat(64);
    await shop.publish(name, 'v1', [configMap('one')]);
    await shop.createStageSet([name]);
    expect(await shop.untilReason('InvalidSpec')).to.match(/64 characters.*at most 63/);
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('has a name that does not fit into a label, and can be deleted all the same (part A 4.8)', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    const name = 'n'.repeat(64);
    const metadata = { name, namespace: shop.name };
    const spec = { interval: '1h', stages: [{ name: 'one', sourceRef: { name: 'one' } }] };
    const stageSet = { apiVersion: stagesApiVersion, kind: 'StageSet', metadata, spec };
    const created = await shop.create(stageSet);
    const refused = await shop.untilObject(created, ({ status }) =>
      JSON.stringify(status ?? {}).includes('InvalidSpec'),
    );
    expect(JSON.stringify(refused)).to.include('metadata.name: has 64 characters; at most 63');
    await shop.delete(created);
    await shop.untilCollection(created, (objects) => !objects.has(name));
  });

  it('[gap] has objects without a namespace, and one that is cluster-scoped with one', async () => {
    const shop = await stand.namespace();
    const name = `viewer-${shop.name}`;
    const apiVersion = 'rbac.authorization.k8s.io/v1';
    const metadata = { name, namespace: 'elsewhere' };
    const role = { apiVersion, kind: 'ClusterRole', metadata, rules: [] };
    await shop.publish('app', 'v1', [configMap('web'), role]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    expect(await shop.inventories()).to.deep.equal({
      app: [`_${name}_rbac.authorization.k8s.io_ClusterRole`, `${shop.name}_web__ConfigMap`],
    });
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    const reference = { apiVersion, kind: 'ClusterRole', name };
    expect(await shop.client.find(reference, shop.call)).to.equal(undefined);
  });

  it('has two stages with the same name', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.createStageSet(['one', 'one']);
    expect(await shop.untilReason('InvalidSpec')).to.equal(
      'spec.stages[1].name: is one, which spec.stages[0] is called already; ' +
        `give it another name${runbook('invalidspec')}`,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
    await shop.changeStages(['one']);
    await shop.untilReady('v1');
  });

  const cannotYet =
    'this build of the controller cannot carry it out yet and will not release without it; ' +
    'remove the field or use a build that has it';
  it('asks for spec.rollbackOnFailure, which would be passed over in silence', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app'], { rollbackOnFailure: true });
    expect(await shop.untilReason('InvalidSpec')).to.equal(
      `spec.rollbackOnFailure: ${cannotYet}${runbook('invalidspec')}`,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  const shapes = [
    { what: 'has no stages', spec: { stages: [] }, says: /spec\.stages: Invalid value: 0/ },
    {
      what: 'has a stage without a source',
      spec: { stages: [{ name: 'app' }] },
      says: /spec\.stages\[0\]\.sourceRef: Required value/,
    },
    {
      what: 'has an interval that is no duration',
      spec: { interval: 'often', stages: [{ name: 'app', sourceRef: { name: 'app' } }] },
      says: /spec\.interval: Invalid value: "often"/,
    },
    {
      what: 'misspells a field',
      spec: { stages: [{ name: 'app', sourceRef: { name: 'app' }, serviceAcountName: 'x' }] },
      says: /unknown field "spec\.stages\[0\]\.serviceAcountName"/,
    },
  ];
  for (const { what, spec, says } of shapes) {
    it(`${what} and is not even stored`, async () => {
      const shop = await stand.namespace();
      const stageSet = {
        apiVersion: 'stages.metio.wtf/v1',
        kind: 'StageSet',
        metadata: { name: 'shop', namespace: shop.name },
        spec,
      };
      const { code, stderr } = await shop.playground.cluster.kubectl(['apply', '-f', '-'], {
        input: JSON.stringify(stageSet),
      });
      expect(stderr).to.match(says);
      expect(code).to.equal(1);
    });
  }
});
