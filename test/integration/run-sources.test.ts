import { expect } from 'chai';
import { configMap } from '../objects.ts';
import { useController } from '../playground.ts';

const producer = { apiVersion: 'build.example.com/v1', kind: 'Recipe', name: 'cake' };

/** The part of an ExternalArtifact that says what produced it. */
function externalArtifact(name: string): {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
} {
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'ExternalArtifact',
    metadata: { name },
  };
}

describe('the source of a stage', () => {
  const stand = useController();

  it('is an ExternalArtifact where no kind is named', async () => {
    const shop = await stand.namespace();
    await shop.publish('web', 'v1', [configMap('web')]);
    await shop.createStageSet([{ name: 'app', sourceRef: { name: 'web' } }]);
    const { status } = await shop.untilReady('v1');
    expect(status?.lastAppliedRevisions).to.deep.equal({ [`${shop.name}/web`]: 'v1' });
    expect(await shop.configMapNames()).to.deep.equal(['web']);
  });

  for (const kind of ['GitRepository', 'OCIRepository', 'Bucket'] as const) {
    it(`can be a ${kind}, whose next revision follows by itself`, async () => {
      const shop = await stand.namespace();
      await shop.publish('web', 'v1', [configMap('web', { release: 'one' })], { kind });
      await shop.createStageSet([{ name: 'app', sourceRef: { kind, name: 'web' } }]);
      await shop.untilReady('v1');
      await shop.publish('web', 'v2', [configMap('web', { release: 'two' })], { kind });
      await shop.untilReady('v2');
      expect((await shop.find(configMap('web')))?.['data']).to.deep.equal({ release: 'two' });
    });
  }

  it('can be what produced an ExternalArtifact, of any kind and version of its group', async () => {
    const shop = await stand.namespace();
    await shop.publish('cake-artifact', 'v1', [configMap('cake')]);
    await shop.patch(externalArtifact('cake-artifact'), { spec: { sourceRef: producer } });
    await shop.publish('bread-artifact', 'v7', [configMap('bread')]);
    const sourceRef = { ...producer, apiVersion: 'build.example.com/v1beta2' };
    await shop.createStageSet([{ name: 'app', sourceRef }]);
    const { status } = await shop.untilReady('v1');
    expect(status?.lastAppliedRevisions).to.deep.equal({ [`${shop.name}/cake-artifact`]: 'v1' });

    await shop.publish('cake-artifact', 'v2', [configMap('icing')]);
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['icing']);
  });

  it('is told from another kind of source with the same name', async () => {
    const shop = await stand.namespace();
    const [git, bucket] = ['GitRepository', 'Bucket'] as const;
    await shop.publish('web', 'git-1', [configMap('git')], { kind: git });
    await shop.publish('web', 'bucket-1', [configMap('bucket')], { kind: bucket });
    await shop.createStageSet([
      { name: 'one', sourceRef: { kind: git, name: 'web' } },
      { name: 'two', sourceRef: { kind: bucket, name: 'web' } },
    ]);
    await shop.untilReady();
    await shop.publish('web', 'git-2', [configMap('git', { release: 'two' })], { kind: git });
    const { status } = await shop.untilStageSet(
      (seen) => seen.status?.stages?.[0]?.appliedRevision === 'git-2',
    );
    expect(status?.stages?.[1]?.appliedRevision).to.equal('bucket-1');
    expect(await shop.configMapNames()).to.deep.equal(['bucket', 'git']);
  });

  it('is refused where its producer made several artifacts, until one is left', async () => {
    const shop = await stand.namespace();
    for (const name of ['cake-1', 'cake-2']) {
      await shop.publish(name, 'v1', [configMap('cake')]);
      await shop.patch(externalArtifact(name), { spec: { sourceRef: producer } });
    }
    await shop.createStageSet([{ name: 'app', sourceRef: producer }]);
    expect(await shop.untilReason('ResolveFailed')).to.equal(
      `Recipe.build.example.com ${shop.name}/cake produced more than one ExternalArtifact ` +
        '(cake-1, cake-2); refer to one of them by kind ExternalArtifact and its name ' +
        '(runbook: https://stages.metio.wtf/runbooks/resolvefailed/)',
    );
    await shop.delete(externalArtifact('cake-2'));
    await shop.untilReady('v1');
  });

  it('[edge case 33] of an unknown kind needs an apiVersion (part A 11)', async () => {
    const shop = await stand.namespace();
    await shop.createStageSet([{ name: 'app', sourceRef: { kind: 'Recipe', name: 'cake' } }]);
    expect(await shop.untilReason('InvalidSpec')).to.include(
      'sourceRef to Recipe cake has no apiVersion',
    );
  });

  it('is waited for while it is not ready', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web')], { ready: 'False' });
    await shop.createStageSet(['app']);
    expect(await shop.untilReason('SourceNotReady')).to.match(
      new RegExp(`^ExternalArtifact ${shop.name}/app is not ready: `),
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.untilReady('v1');
  });

  it('is waited for while it does not exist', async () => {
    const shop = await stand.namespace();
    await shop.createStageSet(['app']);
    expect(await shop.untilReason('ArtifactNotFound')).to.equal(
      `ExternalArtifact ${shop.name}/app does not exist ` +
        '(runbook: https://stages.metio.wtf/runbooks/artifactnotfound/)',
    );
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.untilReady('v1');
  });

  it('must be there for every stage before the first one is touched', async () => {
    const shop = await stand.namespace();
    await shop.publish('first', 'v1', [configMap('first')]);
    await shop.createStageSet(['first', 'second']);
    await shop.untilReason('ArtifactNotFound');
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('[gap] can be in another namespace, whose next revision follows by itself (part A 2.1)', async () => {
    const [shop, store] = [await stand.namespace(), await stand.namespace()];
    await store.publish('web', 'v1', [configMap('web')]);
    const sourceRef = { name: 'web', namespace: store.name };
    await shop.createStageSet([{ name: 'app', sourceRef }]);
    await shop.untilReady('v1');
    await store.publish('web', 'v2', [configMap('web-2')]);
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['web-2']);
  });

  it('attack 91: probing for sources in other namespaces (one message for all failures, part A 3.1)', async () => {
    const [shop, store] = [await stand.namespace(), await stand.namespace()];
    await store.publish('web', 'v1', [configMap('web')], { ready: 'False' });
    const stageSet = (name: string): Promise<void> =>
      shop.createStageSet([{ name: 'app', sourceRef: { name, namespace: store.name } }]);
    const refusal = (name: string): string =>
      `ExternalArtifact ${name} in namespace ${store.name} cannot be used: references to other ` +
      'namespaces are forbidden here, or it has no artifact that is ready ' +
      '(runbook: https://stages.metio.wtf/runbooks/resolvefailed/)';
    await stageSet('web');
    expect(await shop.untilReason('ResolveFailed')).to.equal(refusal('web'));
    await shop.changeStages([
      { name: 'app', sourceRef: { name: 'nobody', namespace: store.name } },
    ]);
    expect(await shop.untilReason('ResolveFailed')).to.equal(refusal('nobody'));
  });
});

describe('the source of a stage, under --no-cross-namespace-refs', () => {
  const stand = useController({ flags: ['--no-cross-namespace-refs'] });

  it('attack 92: a source in another namespace, under --no-cross-namespace-refs (it is refused, part A 9.5)', async () => {
    const [shop, store] = [await stand.namespace(), await stand.namespace()];
    await store.publish('web', 'v1', [configMap('web')]);
    await shop.createStageSet([{ name: 'app', sourceRef: { name: 'web', namespace: store.name } }]);
    expect(await shop.untilReason('ResolveFailed')).to.equal(
      `ExternalArtifact web in namespace ${store.name} cannot be used: references to other ` +
        'namespaces are forbidden here, or it has no artifact that is ready ' +
        '(runbook: https://stages.metio.wtf/runbooks/resolvefailed/)',
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('may name its own namespace', async () => {
    const shop = await stand.namespace();
    await shop.publish('web', 'v1', [configMap('web')]);
    await shop.createStageSet([{ name: 'app', sourceRef: { name: 'web', namespace: shop.name } }]);
    await shop.untilReady('v1');
  });
});
