import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { configMap, configMaps, deployment, withMetadata } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

const advice =
  '; remove it from there or from this stage, leave it alone with action KeepExisting in ' +
  'conflictPolicy, or, where that owner is gone, remove its labels and annotations from the object';

describe('an object that somebody else owns', () => {
  const stand = useController();

  async function wanting(
    objects: readonly KubernetesObject[],
    shop: TestNamespace,
    stage: Record<string, unknown> = {},
  ): Promise<void> {
    await shop.publish('app', 'v1', objects);
    await shop.createStageSet([{ name: 'app', readyChecks: { disableWait: true }, ...stage }]);
  }

  /** Two StageSets, in namespaces of their own, that both want ConfigMap `web` of the first one's. */
  async function two(): Promise<[first: TestNamespace, second: TestNamespace]> {
    const [first, second] = [await stand.namespace(), await stand.namespace()];
    await wanting([configMap('web', { owner: 'first' })], first);
    await first.untilReady('v1');
    const same = withMetadata(configMap('web', { owner: 'second' }), { namespace: first.name });
    await wanting([same, configMap('beside')], second);
    return [first, second];
  }

  it('attack 90: taking an object of another StageSet (it is refused, and nothing beside it is applied, part A 5.5)', async () => {
    const [first, second] = await two();
    expect(await second.untilReason('StageFailed')).to.include(
      `Stage app: apply: ConfigMap/${first.name}/web: it belongs to StageSet ${first.name}/shop` +
        advice,
    );
    const { data } = await first.untilObject(configMap('web'));
    expect(data).to.deep.equal({ owner: 'first' });
    expect(await second.configMapNames()).to.deep.equal([]);
    await first.request('again');
    await first.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'again');
    expect(await first.eventReasons()).not.to.include('DriftCorrected');
  });

  it('is not deleted with the StageSet that was refused', async () => {
    const [first, second] = await two();
    await second.untilReason('StageFailed');
    await second.deleteStageSet();
    await second.untilStageSetGone();
    expect(await first.configMapNames()).to.deep.equal(['web']);
  });

  it('may be taken once the other StageSet has let it go', async () => {
    const [first, second] = await two();
    await second.untilReason('StageFailed');
    await first.changeStages([{ name: 'app', prune: false, readyChecks: { disableWait: true } }]);
    await first.untilReady('v1');
    await first.deleteStageSet();
    await first.untilStageSetGone();
    await second.request('again');
    await second.untilReady('v1');
    const { data } = await first.untilObject(configMap('web'));
    expect(data).to.deep.equal({ owner: 'second' });
  });

  it('is refused to the StageSet that had it, when another has taken it by force', async () => {
    const shop = await stand.namespace();
    const other = await stand.namespace();
    await wanting([configMap('unrelated')], other);
    await other.untilReady('v1');
    await wanting(configMaps('app', 2), shop);
    await shop.untilReady('v1');
    await shop.patch(configMap('app-1'), {
      metadata: {
        labels: { 'stages.metio.wtf/namespace': other.name, 'stages.metio.wtf/name': 'shop' },
      },
    });
    await shop.request('again');
    expect(await shop.untilReason('StageFailed')).to.include(
      `ConfigMap/${shop.name}/app-1: it belongs to StageSet ${other.name}/shop`,
    );
  });

  it('is refused to one of two StageSets that are created at the same time', async () => {
    const [first, second] = [await stand.namespace(), await stand.namespace()];
    const shared = configMaps('shared', 50).map((object) =>
      withMetadata(object, { namespace: first.name }),
    );
    await Promise.all([wanting(shared, first), wanting(shared, second)]);
    const settled = (shop: TestNamespace): Promise<string> =>
      shop
        .untilStageSet(({ status }) =>
          ['Failed', 'Ready'].includes(status?.stages?.[0]?.phase ?? ''),
        )
        .then(({ status }) => status?.stages?.[0]?.phase ?? '');
    const phases = await Promise.all([settled(first), settled(second)]);
    expect(phases).to.include('Failed');
    const owned = await first.untilCollection({ apiVersion: 'v1', kind: 'ConfigMap' }, () => true);
    const owners = new Set(
      [...owned.values()]
        .filter(({ metadata }) => metadata.name.startsWith('shared-'))
        .map(({ metadata }) => metadata.labels?.['stages.metio.wtf/namespace']),
    );
    for (const owner of owners) expect([first.name, second.name]).to.include(owner);
  });

  const marks: [string, Partial<KubernetesObject['metadata']>, string][] = [
    [
      'Helm release',
      {
        labels: { 'app.kubernetes.io/managed-by': 'Helm' },
        annotations: {
          'meta.helm.sh/release-name': 'web',
          'meta.helm.sh/release-namespace': 'charts',
        },
      },
      'Helm release charts/web',
    ],
    [
      'Kustomization of Flux',
      {
        labels: {
          'kustomize.toolkit.fluxcd.io/name': 'apps',
          'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
        },
      },
      'Flux Kustomization flux-system/apps',
    ],
    [
      'HelmRelease of Flux',
      {
        labels: {
          'helm.toolkit.fluxcd.io/name': 'web',
          'helm.toolkit.fluxcd.io/namespace': 'flux-system',
        },
      },
      'Flux HelmRelease flux-system/web',
    ],
    [
      'ApplySet',
      { labels: { 'applyset.kubernetes.io/part-of': 'applyset-abc-v1' } },
      'ApplySet applyset-abc-v1',
    ],
  ];
  for (const [title, metadata, owner] of marks) {
    it(`is refused with the name of the ${title}, and stays as it is`, async () => {
      const shop = await stand.namespace();
      const found = await shop.create(
        withMetadata(configMap('web', { made: 'by them' }), metadata),
      );
      await wanting([configMap('web', { made: 'by us' })], shop);
      expect(await shop.untilReason('StageFailed')).to.include(
        `ConfigMap/${shop.name}/web: it belongs to ${owner}${advice}`,
      );
      expect(await shop.find(configMap('web'))).to.deep.equal(found);
    });
  }

  it('is refused when another took an object of ours since', async () => {
    const shop = await stand.namespace();
    await wanting([configMap('web', { release: 'one' })], shop);
    await shop.untilReady('v1');
    await shop.patch(configMap('web'), {
      metadata: {
        labels: {
          'kustomize.toolkit.fluxcd.io/name': 'apps',
          'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
        },
      },
    });
    await shop.publish('app', 'v2', [configMap('web', { release: 'two' })]);
    expect(await shop.untilReason('StageFailed')).to.include(
      'it belongs to Flux Kustomization flux-system/apps',
    );
    expect((await shop.untilObject(configMap('web')))['data']).to.deep.equal({ release: 'one' });
  });

  it('is named before what else is wrong with it, such as a field that cannot change', async () => {
    const shop = await stand.namespace();
    const metadata = { labels: { 'applyset.kubernetes.io/part-of': 'applyset-abc-v1' } };
    await shop.create(withMetadata({ ...configMap('web', { a: 'b' }), immutable: true }, metadata));
    await wanting([configMap('web', { a: 'c' })], shop, { force: true });
    expect(await shop.untilReason('StageFailed')).to.include('ApplySet applyset-abc-v1');
    expect((await shop.find(configMap('web')))?.metadata.deletionTimestamp).to.equal(undefined);
  });

  it('is left alone with KeepExisting, and is no error', async () => {
    const shop = await stand.namespace();
    const metadata = { labels: { 'applyset.kubernetes.io/part-of': 'applyset-abc-v1' } };
    const found = await shop.create(withMetadata(configMap('web'), metadata));
    const rules = [{ target: { name: 'web' }, action: 'KeepExisting' }];
    await wanting([configMap('web', { a: 'b' }), configMap('beside')], shop, {
      conflictPolicy: { rules },
    });
    await shop.untilReady('v1');
    expect(await shop.find(configMap('web'))).to.deep.equal(found);
    expect(await shop.configMapNames()).to.deep.equal(['beside']);
  });

  it('is not what helm template makes of a manifest', async () => {
    const shop = await stand.namespace();
    const metadata = { labels: { 'app.kubernetes.io/managed-by': 'Helm' } };
    await shop.create(withMetadata(configMap('web'), metadata));
    await wanting([withMetadata(configMap('web', { a: 'b' }), metadata)], shop);
    await shop.untilReady('v1');
    expect((await shop.untilObject(configMap('web')))['data']).to.deep.equal({ a: 'b' });
  });

  it('is not one of another stage of the same StageSet', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('moving'), configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    const { metadata } = await shop.untilObject(configMap('moving'));
    await shop.publish('one', 'v2', [configMap('one')]);
    await shop.publish('two', 'v2', [configMap('two'), configMap('moving')]);
    await shop.untilReady('v2');
    const moved = await shop.untilObject(configMap('moving'));
    expect(moved.metadata.uid).to.equal(metadata.uid);
    expect(moved.metadata.labels?.['stages.metio.wtf/stage']).to.equal('two');
  });
});

describe('an object that nobody owns', () => {
  const stand = useController();

  it('is adopted', async () => {
    const shop = await stand.namespace();
    const found = await shop.create(configMap('web', { release: 'by hand', note: 'mine' }));
    await shop.publish('app', 'v1', [configMap('web', { release: 'one' })]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    const adopted = await shop.untilObject(configMap('web'));
    expect(adopted.metadata.uid).to.equal(found.metadata.uid);
    expect(adopted['data']).to.deep.equal({ release: 'one', note: 'mine' });
  });

  async function kubectlApply(shop: TestNamespace, object: KubernetesObject): Promise<void> {
    const { playground, name } = shop;
    const result = await playground.cluster.kubectl(['apply', '-n', name, '-f', '-'], {
      input: JSON.stringify(object),
    });
    expect(result.code, result.stderr).to.equal(0);
  }

  it('but kubectl apply is taken over: a field that is not in the manifest goes', async () => {
    const shop = await stand.namespace();
    await kubectlApply(shop, configMap('web', { release: 'old', dropped: 'yes' }));
    await shop.publish('app', 'v1', [configMap('web', { release: 'new' })]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    const { data, metadata } = await shop.untilObject(configMap('web'));
    expect(data).to.deep.equal({ release: 'new' });
    expect(metadata.annotations).to.equal(undefined);
    const managers = (metadata.managedFields ?? []) as { manager: string; operation: string }[];
    expect(managers.map(({ manager, operation }) => [manager, operation])).to.deep.equal([
      ['stageset-controller', 'Apply'],
    ]);
  });

  it('but kubectl apply is taken over where only that makes the manifest valid', async () => {
    const shop = await stand.namespace();
    const withVolume = (volume: object): KubernetesObject => {
      const { spec, ...rest } = deployment('web');
      expect(spec).to.be.an('object');
      const labels = { app: 'web' };
      const containers = [{ name: 'web', image: 'registry.example.com/web:1' }];
      const volumes = [{ name: 'data', ...volume }];
      const template = { metadata: { labels }, spec: { containers, volumes } };
      return { ...rest, spec: { selector: { matchLabels: labels }, template } };
    };
    await kubectlApply(shop, withVolume({ emptyDir: { medium: 'Memory' } }));
    await shop.publish('app', 'v1', [withVolume({ configMap: { name: 'data' } })]);
    await shop.createStageSet([{ name: 'app', readyChecks: { disableWait: true } }]);
    await shop.untilReady('v1');
    const { spec } = await shop.untilObject(deployment('web'));
    expect(spec).to.have.nested.property('template.spec.volumes[0].configMap.name', 'data');
    expect(spec).not.to.have.nested.property('template.spec.volumes[0].emptyDir');
  });

  it('and of which nobody knows who set what, is taken over too', async () => {
    const shop = await stand.namespace();
    await shop.create(configMap('web', { release: 'old', dropped: 'yes' }));
    await shop.patch(configMap('web'), { metadata: { managedFields: [{}] } });
    await shop.publish('app', 'v1', [configMap('web', { release: 'new' })]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    const { data } = await shop.untilObject(configMap('web'));
    expect(data).to.deep.equal({ release: 'new' });
  });
});
