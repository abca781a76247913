import { expect } from 'chai';
import { configMap, deployment, withMetadata } from '../objects.ts';
import { useController } from '../playground.ts';

describe('a new revision', () => {
  const stand = useController();

  it('adds, changes and deletes what it added, changed and dropped', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [
      configMap('changed', { release: 'one' }),
      configMap('dropped'),
      configMap('same'),
    ]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    const before = await shop.configMapVersions();

    await shop.publish('app', 'v2', [
      configMap('added'),
      configMap('changed', { release: 'two' }),
      configMap('same'),
    ]);
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['added', 'changed', 'same']);
    expect((await shop.find(configMap('changed')))?.['data']).to.deep.equal({ release: 'two' });
    expect(await shop.configMapVersions()).to.include({ same: before['same'] });
    expect(await shop.inventories()).to.deep.equal({
      app: ['added', 'changed', 'same'].map((name) => `${shop.name}_${name}__ConfigMap`),
    });
  });

  it('keeps an object that moved from stage one to stage two', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('stays'), configMap('moves')]);
    await shop.publish('two', 'v1', [configMap('other')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    const before = await shop.find(configMap('moves'));

    // Both at once, or the stages would claim it together for a moment.
    await shop.changeSpec({ suspend: true });
    await shop.publish('one', 'v2', [configMap('stays')]);
    await shop.publish('two', 'v2', [configMap('other'), configMap('moves')]);
    await shop.changeSpec({ suspend: false });
    await shop.untilReady('v2');
    const after = await shop.find(configMap('moves'));
    expect(after?.metadata.uid).to.equal(before?.metadata.uid);
    expect(after?.metadata.labels).to.include({ 'stages.metio.wtf/stage': 'two' });
    expect(await shop.inventories()).to.deep.equal({
      one: [`${shop.name}_stays__ConfigMap`],
      two: [`${shop.name}_moves__ConfigMap`, `${shop.name}_other__ConfigMap`],
    });
  });

  it('prunes what had opted out as soon as it opts in again', async () => {
    const shop = await stand.namespace();
    const annotations = { 'stages.metio.wtf/prune': 'disabled' };
    await shop.publish('app', 'v1', [withMetadata(configMap('kept'), { annotations })]);
    await shop.publish('old', 'v1', [withMetadata(configMap('of-old'), { annotations })]);
    await shop.createStageSet(['app', 'old']);
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [configMap('next')]);
    await shop.changeStages(['app']);
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['kept', 'next', 'of-old']);
    expect(await shop.inventories()).to.deep.equal({
      app: ['kept', 'next'].map((name) => `${shop.name}_${name}__ConfigMap`),
      old: [`${shop.name}_of-old__ConfigMap`],
    });
    for (const name of ['kept', 'of-old']) {
      await shop.patch(configMap(name), { metadata: { annotations: null } });
    }
    await shop.request('again');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'again');
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['next']);
    expect(await shop.inventories()).to.deep.equal({ app: [`${shop.name}_next__ConfigMap`] });
  });

  it('keeps an object that moved although a stage between failed, and never creates it anew', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('stays'), configMap('moves')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.publish('three', 'v1', [configMap('three')]);
    await shop.createStageSet(['one', 'two', 'three']);
    await shop.untilReady('v1');
    const before = await shop.find(configMap('moves'));
    await shop.changeSpec({ suspend: true });
    await shop.publish('one', 'v2', [configMap('stays')]);
    await shop.publish('two', 'v2', [deployment('web')]);
    await shop.publish('three', 'v2', [configMap('three'), configMap('moves')]);
    await shop.changeSpec({ suspend: false });
    await shop.reportDeployment('web', 'Stuck');
    await shop.untilReason('StageFailed');
    expect((await shop.find(configMap('moves')))?.metadata).to.deep.include({
      uid: before?.metadata.uid,
      resourceVersion: before?.metadata.resourceVersion,
    });
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v2');
    const after = await shop.find(configMap('moves'));
    expect(after?.metadata.uid).to.equal(before?.metadata.uid);
    expect(after?.metadata.labels).to.include({ 'stages.metio.wtf/stage': 'three' });
    expect(await shop.configMapNames()).to.deep.equal(['moves', 'stays', 'three']);
  });

  it('keeps the objects of a stage that got another name, and its record until then', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web'), configMap('other')]);
    await shop.createStageSet([{ name: 'before', sourceRef: { name: 'app' } }]);
    await shop.untilReady('v1');
    const uids = async (): Promise<unknown[]> =>
      (await shop.owned('v1', 'ConfigMap')).map(({ metadata }) => [metadata.name, metadata.uid]);
    const before = await uids();
    await shop.changeStages([{ name: 'after', sourceRef: { name: 'app' } }]);
    await shop.untilReady('v1');
    expect(await uids()).to.deep.equal(before);
    expect(await shop.inventories()).to.deep.equal({
      after: ['other', 'web'].map((name) => `${shop.name}_${name}__ConfigMap`),
    });
  });

  it('writes nothing when stages only change places, but for their places', async () => {
    const shop = await stand.namespace();
    for (const name of ['one', 'two', 'three']) await shop.publish(name, 'v1', [configMap(name)]);
    await shop.createStageSet(['one', 'two', 'three']);
    await shop.untilReady('v1');
    const before = await shop.configMapVersions();
    await shop.changeStages(['three', 'one', 'two']);
    await shop.untilReady('v1');
    expect(await shop.configMapVersions()).to.deep.equal(before);
    expect(await shop.inventories()).to.deep.equal({
      one: [`${shop.name}_one__ConfigMap`],
      two: [`${shop.name}_two__ConfigMap`],
      three: [`${shop.name}_three__ConfigMap`],
    });
  });

  it('deletes what a removed stage had although another stage fails at first', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    await shop.publish('one', 'v2', [deployment('web')]);
    await shop.changeStages(['one']);
    await shop.reportDeployment('web', 'Stuck');
    await shop.untilReason('StageFailed');
    expect(await shop.configMapNames()).to.deep.equal(['one', 'two']);
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await shop.inventories()).to.have.all.keys('one');
  });

  it('leaves objects that opted out of pruning, by label or annotation', async () => {
    const shop = await stand.namespace();
    const disabled = { 'stages.metio.wtf/prune': 'Disabled' };
    await shop.publish('app', 'v1', [
      withMetadata(configMap('annotated'), { annotations: disabled }),
      withMetadata(configMap('labelled'), { labels: disabled }),
      configMap('ordinary'),
    ]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [configMap('next')]);
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['annotated', 'labelled', 'next']);
  });

  it('[edge case 21] leaves what another StageSet has taken over, when it prunes (part A 11)', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('adopted'), configMap('ordinary')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    // A hand that changed the label of a running StageSet's object would be corrected at once.
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.patch(configMap('adopted'), {
      metadata: { labels: { 'stages.metio.wtf/name': 'another' } },
    });
    await shop.publish('app', 'v2', [configMap('next')]);
    await shop.changeSpec({ suspend: false });
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['next']);
    expect(await shop.find(configMap('adopted'))).to.not.equal(undefined);
  });

  it('deletes nothing of a stage with prune: false', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('dropped')]);
    await shop.createStageSet([{ name: 'app', prune: false }]);
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [configMap('next')]);
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['dropped', 'next']);
  });

  it('takes down a stage that left the spec, with its inventory', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.publish('three', 'v1', [configMap('three')]);
    await shop.createStageSet(['one', { name: 'two', prune: false }, 'three']);
    await shop.untilReady('v1');
    await shop.changeStages(['one', 'three']);
    const { status } = await shop.untilReady('v1');
    expect(status?.stages?.map(({ name }) => name)).to.deep.equal(['one', 'three']);
    expect(await shop.configMapNames()).to.deep.equal(['one', 'three']);
    expect(await shop.inventories()).to.deep.equal({
      one: [`${shop.name}_one__ConfigMap`],
      three: [`${shop.name}_three__ConfigMap`],
    });
  });

  it('deletes what stage one dropped although stage two failed first', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('kept'), configMap('dropped')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');

    await shop.publish('two', 'v2', [deployment('web')]);
    await shop.publish('one', 'v2', [configMap('kept')]);
    await shop.reportDeployment('web', 'Stuck');
    await shop.untilReason('StageFailed');
    expect(await shop.inventories()).to.deep.include({
      one: [`${shop.name}_dropped__ConfigMap`, `${shop.name}_kept__ConfigMap`],
    });
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['kept']);
    expect(await shop.inventories()).to.deep.equal({
      one: [`${shop.name}_kept__ConfigMap`],
      two: [`${shop.name}_web_apps_Deployment`],
    });
  });

  it('is not held up by an object that finalizers hold', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [
      withMetadata(configMap('stubborn'), { finalizers: ['example.com/hold'] }),
      configMap('dropped'),
    ]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [configMap('next')]);
    await shop.untilReady('v2');
    const stubborn = await shop.find(configMap('stubborn'));
    expect(stubborn?.metadata.deletionTimestamp).to.be.a('string');
    await shop.patch(configMap('stubborn'), { metadata: { finalizers: null } });
    expect(await shop.configMapNames()).to.deep.equal(['next']);
  });
});

describe('an artifact without a manifest', () => {
  const stand = useController();

  it('fails the stage and deletes nothing', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.publishFiles('app', 'v2', { 'README.md': 'nothing to apply' });
    await shop.untilReason('StageFailed');
    expect(await shop.configMapNames()).to.deep.equal(['web']);
  });
});

describe('an artifact with a manifest', () => {
  const stand = useController();

  it('but without objects is valid, and deletes what the stage had (part A 4.3)', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.publishFiles('app', 'v2', { 'objects.json': '[]' });
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(await shop.inventories()).to.deep.equal({ app: [] });
  });

  for (const file of ['web@v2.yaml', 'my web.yaml']) {
    it(`[gap] called "${file}" fails the stage instead of losing its objects`, async () => {
      const shop = await stand.namespace();
      await shop.publish('app', 'v1', [configMap('kept'), configMap('web')]);
      await shop.createStageSet(['app']);
      await shop.untilReady('v1');
      await shop.publishFiles('app', 'v2', {
        'kept.yaml': JSON.stringify(configMap('kept')),
        [file]: JSON.stringify(configMap('web')),
      });
      expect(await shop.untilReason('StageFailed')).to.include(`"${file}"`);
      expect(await shop.configMapNames()).to.deep.equal(['kept', 'web']);
    });
  }

  it('[gap] is loaded as JSON at any depth and in any case', async () => {
    const shop = await stand.namespace();
    await shop.publishFiles('app', 'v1', {
      'deep/er/one.json': JSON.stringify(configMap('one')),
      'two.JSON': JSON.stringify([configMap('two'), configMap('three')]),
    });
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    expect(await shop.configMapNames()).to.deep.equal(['one', 'three', 'two']);
  });
});

describe('a stage that left the spec', () => {
  const stand = useController();

  async function stagesInMetrics(namespace: string): Promise<string[]> {
    const text = await (await fetch(stand.controller.metricsUrl)).text();
    const lines = text.split('\n').filter((line) => line.includes(`namespace="${namespace}"`));
    const stages = lines.map((line) => /\bstage="([^"]*)"/.exec(line)?.[1] ?? '');
    return [...new Set(stages)].filter((stage) => stage !== '').sort();
  }

  it('takes its metrics with it, as its StageSet does (part A 5.8)', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    expect(await stagesInMetrics(shop.name)).to.deep.equal(['one', 'two']);
    await shop.changeStages(['one']);
    await shop.untilReady('v1');
    expect(await stagesInMetrics(shop.name)).to.deep.equal(['one']);
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    // The metrics follow what the controller sees, which may be a moment after us.
    const deadline = performance.now() + 10_000;
    while (performance.now() < deadline && (await stagesInMetrics(shop.name)).length > 0);
    expect(await stagesInMetrics(shop.name)).to.deep.equal([]);
  });
});
