import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { canary, canaryIn } from '../canary.ts';
import { configMap, configMaps, deployment, withMetadata } from '../objects.ts';
import { useController } from '../playground.ts';
import { phasesOf, readyOf, type TestNamespace } from '../test-namespace.ts';

const forced = { annotations: { 'stages.metio.wtf/force': 'yes' } };
const immediately = { readyChecks: { disableWait: true } };

/** A Deployment whose selector differs with the label; a selector cannot be changed. */
function labelled(label: string, replicas = 1): KubernetesObject {
  const labels = { app: label };
  const { spec, ...rest } = deployment('web');
  const template = {
    metadata: { labels },
    spec: { containers: [{ name: 'web', image: 'registry.example.com/web:1' }] },
  };
  expect(spec).to.be.an('object');
  return { ...rest, spec: { replicas, selector: { matchLabels: labels }, template } };
}

function immutableMap(text: string, data: Record<string, string> = {}): KubernetesObject {
  return { ...configMap('settings', { text, ...data }), immutable: true };
}

function claim(size: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'data' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: `class-${size.toLowerCase()}`,
      resources: { requests: { storage: size } },
    },
  };
}

describe('a change that is impossible', () => {
  const stand = useController();

  /** A StageSet whose revision v1 is rolled out. */
  async function rolledOut(
    objects: readonly KubernetesObject[],
    stage: Record<string, unknown> = {},
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', objects);
    await shop.createStageSet([{ name: 'app', ...immediately, ...stage }], spec);
    await shop.untilReady('v1');
    return shop;
  }

  async function uidOf(shop: TestNamespace, object: KubernetesObject): Promise<string> {
    return (await shop.untilObject(object)).metadata.uid ?? '';
  }

  it('fails the stage, says how to have the object replaced, and is no denial', async () => {
    const shop = await rolledOut([labelled('one')]);
    const before = await uidOf(shop, labelled('one'));
    await shop.publish('app', 'v2', [labelled('two')]);
    expect(await shop.untilReason('StageFailed')).to.match(
      /^Stage app: apply: Deployment\/shop-\d+\/web: .*spec\.selector: Invalid value: .*: field is immutable \(to have the object replaced, set action Recreate for it in conflictPolicy, or the annotation stages\.metio\.wtf\/force\) \(runbook/,
    );
    expect(await uidOf(shop, labelled('one'))).to.equal(before);
  });

  it('fails the stage with force: true and a conflictPolicy, whose default is Fail', async () => {
    const shop = await rolledOut([labelled('one')], { force: true, conflictPolicy: {} });
    const before = await uidOf(shop, labelled('one'));
    await shop.publish('app', 'v2', [labelled('two')]);
    await shop.untilReason('StageFailed');
    expect(await uidOf(shop, labelled('one'))).to.equal(before);
  });

  const consents: [
    string,
    Record<string, unknown>,
    (object: KubernetesObject) => KubernetesObject,
  ][] = [
    ['the default', { conflictPolicy: { default: 'Recreate' } }, (object) => object],
    ['force', { force: true }, (object) => object],
    [
      'a rule',
      { conflictPolicy: { rules: [{ target: { kind: 'Deployment' }, action: 'Recreate' }] } },
      (object) => object,
    ],
    ['the annotation on the object', {}, (object) => withMetadata(object, forced)],
  ];
  for (const [title, stage, annotated] of consents) {
    it(`replaces the object by ${title}`, async () => {
      const shop = await rolledOut([annotated(labelled('one'))], stage);
      const before = await uidOf(shop, labelled('one'));
      await shop.publish('app', 'v2', [annotated(labelled('two')), configMap('beside')]);
      await shop.untilReady('v2');
      const replaced = await shop.untilObject(labelled('two'));
      expect(replaced.metadata.uid).not.to.equal(before);
      expect(replaced['spec']).to.have.deep.nested.property('selector.matchLabels', { app: 'two' });
      expect(await shop.configMapNames()).to.deep.equal(['beside']);
      // What the author wrote stays; we write nothing of our own.
      expect(replaced.metadata.annotations?.['stages.metio.wtf/force']).to.equal(
        annotated(labelled('two')).metadata.annotations?.['stages.metio.wtf/force'],
      );
    });
  }

  it('replaces nothing where a change is possible', async () => {
    const shop = await rolledOut([labelled('one')], { force: true });
    const before = await uidOf(shop, labelled('one'));
    await shop.publish('app', 'v2', [labelled('one', 3)]);
    await shop.untilReady('v2');
    const changed = await shop.untilObject(labelled('one'));
    expect(changed.metadata.uid).to.equal(before);
    expect(changed['spec']).to.have.property('replicas', 3);
  });

  it('[gap] deletes nothing for a manifest that is invalid', async () => {
    const shop = await rolledOut([labelled('one')], { force: true });
    const before = await uidOf(shop, labelled('one'));
    for (const [revision, broken] of [
      ['v2', labelled('one', -1)],
      ['v3', labelled('two', -1)],
    ] as const) {
      await shop.publish('app', revision, [broken]);
      await shop.untilStageSet((stageSet) => {
        const ready = readyOf(stageSet);
        const attempted = Object.values(stageSet.status?.lastAttemptedRevisions ?? {});
        return ready?.reason === 'StageFailed' && attempted.includes(revision);
      });
      expect(await uidOf(shop, labelled('one')), revision).to.equal(before);
    }
  });

  it('[gap] deletes nothing where one object of the stage is invalid for another reason', async () => {
    const shop = await rolledOut([labelled('one')], { force: true });
    const before = await uidOf(shop, labelled('one'));
    const broken = { ...deployment('other'), spec: { replicas: -1 } };
    await shop.publish('app', 'v2', [labelled('two'), broken]);
    expect(await shop.untilReason('StageFailed')).to.include('Deployment/');
    expect(await uidOf(shop, labelled('one'))).to.equal(before);
  });

  it('replaces a Service that keeps its port, and only with a valid one', async () => {
    const service = (clusterIP: string, port: number): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { type: 'NodePort', clusterIP, ports: [{ port, nodePort: 30123 }] },
    });
    const shop = await rolledOut([service('10.96.7.1', 80)], { force: true });
    const before = await uidOf(shop, service('10.96.7.1', 80));
    await shop.publish('app', 'v2', [service('10.96.7.2', 99_999)]);
    expect(await shop.untilReason('StageFailed')).to.include('must be between 1 and 65535');
    expect(await uidOf(shop, service('10.96.7.1', 80))).to.equal(before);
    await shop.publish('app', 'v3', [service('10.96.7.2', 80)]);
    await shop.untilReady('v3');
    const { spec } = await shop.untilObject(service('10.96.7.2', 80));
    expect(spec).to.include({ clusterIP: '10.96.7.2' });
  });

  it('replaces an immutable Secret without a word of what is in it', async () => {
    const secret = (password: string): KubernetesObject => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'login' },
      immutable: true,
      stringData: { password },
    });
    const shop = await rolledOut([secret(`first-${canary}`)]);
    await shop.publish('app', 'v2', [secret(`second-${canary}`)]);
    const message = await shop.untilReason('StageFailed');
    expect(message).to.include('set action Recreate');
    expect(message).to.satisfy((text: string) => canaryIn(text) === undefined);
    await shop.changeStages([{ name: 'app', ...immediately, force: true }]);
    await shop.untilReady('v2');
    const { data } = await shop.untilObject(secret(''));
    expect(data).to.deep.equal({ password: Buffer.from(`second-${canary}`).toString('base64') });
    expect(stand.controller.log.join('\n')).not.to.include(canary);
  });

  it('waits for finalizers, no longer than the timeout of the stage, and without a worker', async () => {
    const held = { finalizers: ['example.com/hold'] };
    const shop = await rolledOut([withMetadata(immutableMap('one'), held)], {
      force: true,
      timeout: '2s',
    });
    const before = await uidOf(shop, immutableMap('one'));
    await shop.publish('app', 'v2', [immutableMap('two')]);
    expect(await shop.untilReason('StageFailed')).to.match(
      /^Stage app: apply: not gone within 2s after deletion, so that it cannot be created anew: ConfigMap\/shop-\d+\/settings; see metadata\.finalizers for what holds on/,
    );
    await shop.patch(immutableMap('one'), { metadata: { finalizers: null } });
    await shop.untilReady('v2');
    const { data, metadata } = await shop.untilObject(immutableMap('two'));
    expect(data).to.deep.equal({ text: 'two' });
    expect(metadata.uid).not.to.equal(before);
  });

  it('shows what it waits for, and goes on as soon as the object is gone', async () => {
    const held = { finalizers: ['example.com/hold'] };
    const shop = await rolledOut([withMetadata(immutableMap('one'), held)], { force: true });
    await shop.publish('app', 'v2', [immutableMap('two')]);
    const waiting = await shop.untilStageSet(
      (stageSet) => readyOf(stageSet)?.message.includes('replacing objects') === true,
    );
    expect(phasesOf(waiting)).to.deep.equal(['Applying']);
    expect(readyOf(waiting)?.message).to.match(
      /stage 1 of 1 \(app\): replacing objects, waiting for ConfigMap\/shop-\d+\/settings to be gone/,
    );
    await shop.patch(immutableMap('one'), { metadata: { finalizers: null } });
    await shop.untilReady('v2');
  });

  it('is replaced also by a controller that was killed after the deletion', async () => {
    const held = { finalizers: ['example.com/hold'] };
    const shop = await rolledOut([withMetadata(immutableMap('one'), held)], { force: true });
    await shop.publish('app', 'v2', [immutableMap('two')]);
    await shop.untilObject(
      immutableMap('one'),
      ({ metadata }) => metadata.deletionTimestamp !== undefined,
    );
    await stand.controller.kill();
    await shop.patch(immutableMap('one'), { metadata: { finalizers: null } });
    const next = await stand.playground.startController();
    try {
      await shop.untilReady('v2');
      const { data } = await shop.untilObject(immutableMap('two'));
      expect(data).to.deep.equal({ text: 'two' });
    } finally {
      await next.stop();
    }
  });
});

describe('a conflict policy', () => {
  const stand = useController();

  const risky = { rules: [{ target: { kind: 'PersistentVolumeClaim' }, action: 'Recreate' }] };

  it('that may lose the data of a volume is refused before anything is applied', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [claim('1Gi'), configMap('beside')]);
    await shop.createStageSet([{ name: 'app', ...immediately, conflictPolicy: risky }]);
    expect(await shop.untilReason('StageFailed')).to.match(
      /^Stage app: conflict policy: a conflictPolicy rule may replace PersistentVolumeClaim\/shop-\d+\/data, and what is stored there would be lost; set allowDataLoss: true in the rule/,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await shop.find(claim('1Gi'))).to.equal(undefined);
  });

  it('replaces a volume claim with allowDataLoss', async () => {
    const shop = await stand.namespace();
    const rules = [{ ...risky.rules[0], allowDataLoss: true }];
    await shop.publish('app', 'v1', [claim('1Gi')]);
    await shop.createStageSet([{ name: 'app', ...immediately, conflictPolicy: { rules } }]);
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [claim('2Gi')]);
    // Nothing takes the protecting finalizer off where no kubelet and no controller manager runs.
    const doomed = await shop.untilObject(
      claim('1Gi'),
      ({ metadata }) => metadata.deletionTimestamp !== undefined,
    );
    await shop.patch(claim('1Gi'), { metadata: { finalizers: null } });
    await shop.untilReady('v2');
    const { metadata, spec } = await shop.untilObject(claim('2Gi'));
    expect(metadata.uid).not.to.equal(doomed.metadata.uid);
    expect(spec).to.include({ storageClassName: 'class-2gi' });
  });

  const keep = { conflictPolicy: { default: 'KeepExisting' } };

  it('of KeepExisting creates what is absent, marks it, and never changes it', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web', { release: 'one' })]);
    await shop.createStageSet([{ name: 'app', ...keep }]);
    await shop.untilReady('v1');
    const created = await shop.untilObject(configMap('web'));
    expect(created['data']).to.deep.equal({ release: 'one' });
    expect(created.metadata.annotations).to.deep.equal({
      'stages.metio.wtf/keep-existing': 'true',
    });
    await shop.publish('app', 'v2', [configMap('web', { release: 'two' }), configMap('new')]);
    await shop.untilReady('v2');
    expect(await shop.find(configMap('web'))).to.deep.equal(created);
    expect(await shop.configMapNames()).to.deep.equal(['new', 'web']);
  });

  it('of KeepExisting does not touch what was there, lists it, and does not delete it', async () => {
    const shop = await stand.namespace();
    const found = await shop.create(configMap('web', { made: 'by hand' }));
    await shop.publish('app', 'v1', [configMap('web', { release: 'one' }), configMap('other')]);
    await shop.createStageSet([{ name: 'app', ...keep }]);
    await shop.untilReady('v1');
    expect(await shop.find(configMap('web'))).to.deep.equal(found);
    expect(await shop.inventories()).to.deep.equal({
      app: [`${shop.name}_other__ConfigMap`, `${shop.name}_web__ConfigMap`],
    });
    await shop.publish('app', 'v2', [configMap('other')]);
    await shop.untilReady('v2');
    expect(await shop.find(configMap('web'))).to.deep.equal(found);
  });

  it('of KeepExisting still waits for the health of what it keeps', async () => {
    const shop = await stand.namespace();
    await shop.create(deployment('web'));
    await shop.publish('app', 'v1', [deployment('web', 'registry.example.com/web:2')]);
    await shop.createStageSet([{ name: 'app', ...keep }]);
    await shop.untilPhase('app', 'Verifying');
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v1');
    const { spec } = await shop.untilObject(deployment('web'));
    expect(JSON.stringify(spec)).to.include('web:1');
  });

  it('[gap] of Recreate rewrites nothing at the next interval, and reports no drift', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [
      ...configMaps('app', 5),
      withMetadata(configMap('forced'), forced),
    ]);
    await shop.createStageSet([{ name: 'app', force: true }], { interval: '1s' });
    await shop.untilReady('v1');
    const before = await shop.configMapVersions();
    for (const token of ['one', 'two', 'three']) {
      await shop.request(token);
      await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === token);
    }
    expect(await shop.configMapVersions()).to.deep.equal(before);
    expect(await shop.eventReasons()).not.to.include('DriftCorrected');
  });

  it('[gap] of Fail is not overruled by a token on the live object, which is taken off', async () => {
    const shop = await stand.namespace();
    const token = { annotations: { 'stages.metio.wtf/force': '3f2c9a' } };
    const labels = {
      'stages.metio.wtf/name': 'shop',
      'stages.metio.wtf/namespace': shop.name,
      'stages.metio.wtf/stage': 'app',
    };
    const namespace = shop.name;
    const options = { fieldManager: 'stageset-controller', force: true };
    const live = await shop.client.apply(
      withMetadata(immutableMap('one'), { ...token, labels, namespace }),
      options,
      shop.call,
    );
    await shop.publish('app', 'v1', [immutableMap('two')]);
    await shop.createStageSet(['app']);
    await shop.untilReason('StageFailed');
    expect((await shop.find(immutableMap('one')))?.metadata.uid).to.equal(live.metadata.uid);
    await shop.publish('app', 'v2', [immutableMap('one')]);
    await shop.untilReady('v2');
    const kept = await shop.untilObject(immutableMap('one'));
    expect(kept.metadata.uid).to.equal(live.metadata.uid);
    expect(kept.metadata.annotations).to.equal(undefined);
  });
});
