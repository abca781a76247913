import { expect } from 'chai';
import { packBytes } from '../../dev/artifacts/pack.ts';
import { publish } from '../../dev/artifacts/publish.ts';
import { SourceReader } from '../../src/controller/source-reader.ts';
import type { PinnedArtifact } from '../../src/core/pinned-artifact.ts';
import type { VersionAnswer } from '../../src/core/version/version-asks.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import type { Stage, StageSet, VersionSource } from '../../src/types/stages.ts';
import { configMap, deployment, serviceAccount } from '../objects.ts';
import { grantAndSee } from '../rbac.ts';
import { archive } from '../security/archives.ts';
import { sealedText } from '../sops/fixtures.ts';
import type { TestNamespace } from '../test-namespace.ts';
import { noon, stageSetIn, useVersionAnswers } from '../version-stand.ts';

const label = 'app.kubernetes.io/version';

function labelled(object: KubernetesObject, version: string): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, labels: { [label]: version } } };
}

const fromDeployment: VersionSource = { fromObject: { kind: 'Deployment', name: 'web' } };

describe('the version of a StageSet', () => {
  const stand = useVersionAnswers();
  let shop: TestNamespace;

  beforeEach(async () => {
    shop = await stand.namespace();
    await shop.create(serviceAccount('deployer'));
  });

  async function pinnedOf({ spec, metadata }: StageSet): Promise<PinnedArtifact[]> {
    const { client, call } = shop;
    const reader = new SourceReader({ client, crossNamespaceReferences: 'Allowed' });
    const pinned: PinnedArtifact[] = [];
    for (const { sourceRef } of spec?.stages ?? []) {
      const seen = await reader.observeOne(sourceRef, metadata.namespace ?? '', call);
      if (seen.kind !== 'Ready') throw new Error(seen.message);
      pinned.push(seen.artifact);
    }
    return pinned;
  }

  async function versionOf(
    version: VersionSource,
    stages: readonly (string | Stage)[] = ['app'],
  ): Promise<VersionAnswer> {
    const stageSet = stageSetIn(shop, stages);
    return await stand.answer(
      { kind: 'Version', version, pinned: await pinnedOf(stageSet) },
      stageSet,
    );
  }

  async function refusalOf(
    version: VersionSource,
    stages: readonly (string | Stage)[] = ['app'],
  ): Promise<string> {
    const answer = await versionOf(version, stages);
    expect(answer).to.include({ kind: 'Refused', reason: 'InvalidVersion', at: noon });
    return answer.kind === 'Refused' ? answer.message : '';
  }

  const found = (version: string): VersionAnswer => ({ kind: 'Version', version, at: noon });

  describe('by value', () => {
    it('is trimmed, and asks nobody', async () => {
      expect(await versionOf({ value: ' v2.0.0\n' }, [])).to.deep.equal(found('v2.0.0'));
    });

    it('is refused where it is none', async () => {
      expect(await refusalOf({ value: 'latest' }, [])).to.include('spec.version.value is "latest"');
      expect(await refusalOf({ value: ' ' }, [])).to.include('spec.version.value is empty');
    });
  });

  describe('from an object', () => {
    it('is the usual label of the first one of that name in the first stage', async () => {
      const others = [labelled(configMap('web'), '9.0.0'), labelled(deployment('api'), '9.0.0')];
      await shop.publish('app', 'v1', [...others, labelled(deployment('web'), '1.4')]);
      await shop.publish('later', 'v1', [labelled(deployment('web'), '3.0.0')]);
      expect(await versionOf(fromDeployment, ['app', 'later'])).to.deep.equal(found('1.4'));
    });

    it('is what a field of it says, in the stage and API version that are named', async () => {
      await shop.publish('app', 'v1', [configMap('app')]);
      const image = 'registry.example.com/web:1';
      const [old, current] = ['extensions/v1beta1', 'apps/v1'].map((apiVersion, index) => ({
        ...deployment('web', image),
        apiVersion,
        metadata: { name: 'web', annotations: { release: `${index + 1}.0.0` } },
      }));
      await shop.publishFiles('web', 'v1', {
        'a.yaml': JSON.stringify(old),
        'b.yaml': JSON.stringify(current),
      });
      const read = async (apiVersion?: string): Promise<VersionAnswer> =>
        await versionOf(
          {
            fromObject: {
              ...fromDeployment.fromObject,
              kind: 'Deployment',
              name: 'web',
              stage: 'web',
              fieldPath: '{.metadata.annotations.release}',
              ...(apiVersion === undefined ? {} : { apiVersion }),
            },
          },
          ['app', 'web'],
        );
      expect(await read('apps/v1')).to.deep.equal(found('2.0.0'));
      expect(await read()).to.deep.equal(found('1.0.0'));
    });

    it('is read after path, patches and substitutions of the stage', async () => {
      await shop.publishFiles('app', 'v1', {
        'objects.yaml': JSON.stringify(labelled(deployment('web'), '9.9.9')),
        'overlay/kustomization.yaml': 'nameSuffix: -blue\nresources: [web.yaml]\n',
        'overlay/web.yaml': JSON.stringify(labelled(deployment('web'), '0.0.1')),
      });
      const patch = JSON.stringify([
        {
          op: 'replace',
          path: `/metadata/labels/${label.replace('/', '~1')}`,
          value: '${major}.1.0',
        },
      ]);
      const stage: Stage = {
        name: 'app',
        sourceRef: { name: 'app' },
        path: 'overlay',
        patches: [{ patch, target: { kind: 'Deployment' } }],
        postBuild: { substitute: { major: '7' } },
      };
      const blue = { fromObject: { kind: 'Deployment', name: 'web-blue' } };
      expect(await versionOf(blue, [stage])).to.deep.equal(found('7.1.0'));
    });

    it('is read without decrypting anything', async () => {
      await shop.publishFiles('app', 'v1', {
        'secret.yaml': sealedText('yaml: a Secret'),
        'web.yaml': JSON.stringify(labelled(deployment('web'), '2.0.0')),
      });
      expect(await versionOf(fromDeployment)).to.deep.equal(found('2.0.0'));
    });

    it('is refused where stage, object, label or field is missing', async () => {
      await shop.publish('app', 'v1', [deployment('web')]);
      const web = { kind: 'Deployment', name: 'web' };
      const refusals = {
        stage: await refusalOf({ fromObject: { ...web, stage: 'nowhere' } }),
        object: await refusalOf({ fromObject: { ...web, name: 'api' } }),
        label: await refusalOf({ fromObject: web }),
        field: await refusalOf({ fromObject: { ...web, fieldPath: '{.spec.nothing}' } }),
        path: await refusalOf({ fromObject: { ...web, fieldPath: '{.spec[' } }),
        number: await refusalOf({ fromObject: { ...web, fieldPath: '{.metadata.name}' } }),
      };
      expect(refusals.stage).to.include('is nowhere, and no stage is called so');
      expect(refusals.object).to.include('the stage renders no Deployment api');
      expect(refusals.label).to.include(`has no label ${label}`);
      expect(refusals.field).to.include('spec.version.fromObject.fieldPath');
      expect(refusals.path).to.include('spec.version.fromObject.fieldPath');
      expect(refusals.number).to.include('which is no semantic version');
    });

    it('is refused where the stage cannot be built', async () => {
      await shop.publishFiles('app', 'v1', { 'web.yaml': 'kind: [' });
      expect(await refusalOf(fromDeployment)).to.include('web.yaml');
    });

    it('waits for the permission to read what is substituted, as the account of the StageSet', async () => {
      const other = await stand.namespace();
      await other.create(serviceAccount('deployer'));
      await shop.publish('app', 'v1', [labelled(deployment('web'), '${major}.0.0')]);
      await shop.create(configMap('settings', { major: '4' }));
      const substituteFrom = [{ kind: 'ConfigMap' as const, name: 'settings' }];
      const stage: Stage = {
        name: 'app',
        sourceRef: { name: 'app' },
        postBuild: { substituteFrom },
      };
      const denied = await versionOf(fromDeployment, [stage]);
      expect(denied).to.include({ kind: 'Refused', reason: 'RBACDenied' });
      expect(denied).to.have.property('message').that.includes(`${shop.name}:deployer`);
      const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
      // What another tenant may do does not count.
      await grantAndSee(shop, { namespace: other.name, name: 'deployer' }, rules, 'others');
      expect((await versionOf(fromDeployment, [stage])).kind).to.equal('Refused');
      await grantAndSee(shop, { namespace: shop.name, name: 'deployer' }, rules);
      expect(await versionOf(fromDeployment, [stage])).to.deep.equal(found('4.0.0'));
    });

    it('is refused where a variable is missing', async () => {
      await shop.publish('app', 'v1', [labelled(deployment('web'), '${major}.0.0')]);
      const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
      await grantAndSee(shop, { namespace: shop.name, name: 'deployer' }, rules);
      const substituteFrom = [{ kind: 'ConfigMap' as const, name: 'settings' }];
      const stage: Stage = {
        name: 'app',
        sourceRef: { name: 'app' },
        postBuild: { substituteFrom },
      };
      expect(await refusalOf(fromDeployment, [stage])).to.include('settings of substituteFrom');
    });
  });

  describe('that comes from a Secret', () => {
    const substituteFrom = [{ kind: 'Secret' as const, name: 'settings' }];
    const stage: Stage = { name: 'app', sourceRef: { name: 'app' }, postBuild: { substituteFrom } };

    async function secret(stringData: Record<string, string>): Promise<void> {
      const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }];
      await grantAndSee(shop, { namespace: shop.name, name: 'deployer' }, rules);
      await shop.create({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'settings' },
        stringData,
      });
    }

    it('is not shown, though it is a version', async () => {
      await secret({ version: '10.20.30' });
      await shop.publish('app', 'v1', [labelled(deployment('web'), '${version}-rc.1')]);
      const message = await refusalOf(fromDeployment, [stage]);
      expect(message).to.include('has the value of a Secret in it');
      expect(message).not.to.include('10.20');
    });

    it('is not quoted where it is none, nor where the build fails by it', async () => {
      await secret({ version: 'hunter2-hunter2', name: ': hunter2-hunter2: [' });
      await shop.publish('app', 'v1', [labelled(deployment('web'), '${version}')]);
      expect(await refusalOf(fromDeployment, [stage])).not.to.include('hunter2');
      await shop.publishFiles('app', 'v2', {
        'web.yaml': 'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\n',
      });
      expect(await refusalOf(fromDeployment, [stage])).not.to.include('hunter2');
    });
  });

  describe('from a file', () => {
    const fromFile = (path: string, stage = 'app'): VersionSource => ({
      fromArtifact: { stage, path },
    });

    it('is all that the file says, also outside the path of the stage', async () => {
      await shop.publishFiles('app', 'v1', {
        VERSION: '\n v3.1.4 \n',
        'deploy/web.yaml': JSON.stringify(deployment('web')),
      });
      const stage: Stage = { name: 'app', sourceRef: { name: 'app' }, path: 'deploy' };
      expect(await versionOf(fromFile('VERSION'), [stage])).to.deep.equal(found('v3.1.4'));
    });

    it('is found by the exact path only', async () => {
      await shop.publishFiles('app', 'v1', { 'meta/VERSION': '1.0.0' });
      expect(await versionOf(fromFile('meta/VERSION'))).to.deep.equal(found('1.0.0'));
      for (const path of ['VERSION', './meta/VERSION', '/meta/VERSION', 'meta', 'META/VERSION']) {
        expect(await refusalOf(fromFile(path)), path).to.include('the artifact has no file');
      }
    });

    it('is refused where there is none, or something else', async () => {
      await shop.publishFiles('app', 'v1', {
        empty: ' \n',
        word: 'hunter2-in-the-wrong-place',
        long: '1'.repeat(2000),
      });
      expect(await refusalOf(fromFile('word', 'nowhere'))).to.include('no stage is called so');
      expect(await refusalOf(fromFile('empty'))).to.include('no semantic version');
      expect(await refusalOf(fromFile('long'))).to.include('has 2000 bytes');
      expect(await refusalOf(fromFile('word'))).not.to.include('hunter2');
    });

    it('takes the artifact from where the build of the stage has it', async () => {
      const before = stand.playground.artifacts.downloads;
      await shop.publishFiles('app', 'v1', {
        VERSION: '2.0.0',
        'web.yaml': JSON.stringify(labelled(deployment('web'), '2.0.0')),
      });
      await Promise.all(Array.from({ length: 20 }, async () => versionOf(fromFile('VERSION'))));
      await versionOf(fromDeployment);
      expect(stand.playground.artifacts.downloads - before).to.equal(1);
    });

    it('may be readable the next time where its server does not have it now', async () => {
      await shop.publishFiles('app', 'v1', { VERSION: '2.0.0' });
      const stageSet = stageSetIn(shop, ['app']);
      const [artifact] = await pinnedOf(stageSet);
      if (artifact === undefined) throw new Error('there is one stage');
      const pinned = [{ ...artifact, url: `${artifact.url}.gone` }];
      const ask = { kind: 'Version', version: fromFile('VERSION'), pinned } as const;
      const answer = await stand.answer(ask, stageSet);
      expect(answer).to.include({ kind: 'Unreadable', at: noon });
      expect(answer).to.have.property('message').that.includes('answered 404');
      const none = await stand.answer({ ...ask, pinned: [] }, stageSet);
      expect(none.kind).to.equal('Unreadable');
    });

    it('is refused with another content than the source says', async () => {
      const digest = `sha256:${'0'.repeat(64)}`;
      await shop.publishFiles('app', 'v1', { VERSION: '2.0.0' }, { digest });
      expect(await refusalOf(fromFile('VERSION'))).to.include('nothing of it is used');
    });

    it('is refused with a hostile archive, and with a bomb', async () => {
      const hostile = {
        escape: archive([{ name: '../VERSION', content: '1.0.0' }]),
        link: archive([{ name: 'VERSION', type: '2', linkName: '/etc/hostname' }]),
        twice: archive([
          { name: 'VERSION', content: '1.0.0' },
          { name: './VERSION', content: '2.0.0' },
        ]),
        bomb: archive([{ name: 'VERSION', content: Buffer.alloc(17 * 1024 * 1024) }]),
        noise: Buffer.from('no archive at all'),
      };
      for (const [name, bytes] of Object.entries(hostile)) {
        const where = { namespace: shop.name, name, revision: 'v1' };
        await publish(shop.client, stand.playground.artifacts, where, packBytes(bytes));
        expect(await refusalOf(fromFile('VERSION', name), [name]), name).to.include('the artifact');
      }
    });
  });

  it('is given up with the call', async () => {
    stand.playground.artifacts.stall(shop.name);
    await shop.publishFiles('app', 'v1', { VERSION: '2.0.0' });
    const stageSet = stageSetIn(shop, ['app']);
    const version = { fromArtifact: { stage: 'app', path: 'VERSION' } };
    const ask = { kind: 'Version', version, pinned: await pinnedOf(stageSet) } as const;
    const over = new Error('the StageSet is gone');
    const controller = new AbortController();
    const answering = stand.answer(ask, stageSet, {}, { signal: controller.signal });
    setTimeout(() => controller.abort(over), 100);
    expect(await answering.catch((error: unknown) => error)).to.equal(over);
  });
});
