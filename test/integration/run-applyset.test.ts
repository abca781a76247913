import { join } from 'node:path';
import { expect } from 'chai';
import { type RunResult, run } from '../../dev/process/run.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { stagesApiVersion } from '../../src/types/stages.ts';
import { configMap, deployment, serviceAccount, withMetadata } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

const inventoryKind = { apiVersion: stagesApiVersion, kind: 'StageInventory' };
const partOf = 'applyset.kubernetes.io/part-of';

/** What is not a name is what KEP-3659 asks of an id. */
const idPattern = /^applyset-[-_A-Za-z0-9]{43}-v1$/;

/** The first shard of a stage's inventory. */
async function parentOf(shop: TestNamespace, stage: string): Promise<KubernetesObject> {
  const seen = await shop.untilCollection(inventoryKind, () => true);
  const parent = [...seen.values()].find(({ metadata: { labels = {} } }) => {
    return labels['stages.metio.wtf/stage'] === stage && labels['stages.metio.wtf/shard'] === '0';
  });
  if (parent === undefined) throw new Error(`stage ${stage} has no inventory`);
  return parent;
}

async function labelsOf(shop: TestNamespace, object: KubernetesObject): Promise<unknown> {
  return (await shop.find(object))?.metadata.labels;
}

describe('the ApplySet of a stage (KEP-3659)', () => {
  const stand = useController();

  async function kubectl(args: readonly string[], input = ''): Promise<RunResult> {
    const { assets, kubeconfig } = stand.playground.cluster;
    return await run(join(assets, 'kubectl'), ['--kubeconfig', kubeconfig, ...args], {
      environment: { KUBECTL_APPLYSET: 'true' },
      input,
    });
  }

  it('has the first shard for its parent, and every object of the stage for a member', async () => {
    const shop = await stand.namespace();
    const elsewhere = await stand.namespace();
    await shop.publish('app', 'v1', [
      configMap('web'),
      withMetadata(serviceAccount('robot'), { namespace: elsewhere.name }),
      { ...deployment('web'), spec: { ...(deployment('web')['spec'] as object), replicas: 0 } },
    ]);
    await shop.publish('empty', 'v1', [configMap('only')]);
    await shop.createStageSet([{ name: 'app', readyChecks: { disableWait: true } }, 'empty']);
    await shop.untilReady('v1');
    const { metadata } = await parentOf(shop, 'app');
    const id = metadata.labels?.['applyset.kubernetes.io/id'];
    expect(id).to.match(idPattern);
    expect(metadata.annotations).to.deep.equal({
      'applyset.kubernetes.io/tooling': 'stageset-controller/v1',
      'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap,Deployment.apps,ServiceAccount',
      'applyset.kubernetes.io/additional-namespaces': elsewhere.name,
    });
    for (const object of [configMap('web'), deployment('web')]) {
      expect(await labelsOf(shop, object)).to.include({ [partOf]: id });
    }
    expect(await labelsOf(elsewhere, serviceAccount('robot'))).to.include({ [partOf]: id });
    const other = (await parentOf(shop, 'empty')).metadata;
    expect(other.labels?.['applyset.kubernetes.io/id']).to.match(idPattern).and.not.equal(id);
    expect(other.annotations).not.to.have.property('applyset.kubernetes.io/additional-namespaces');
  });

  it('is understood by kubectl, which refuses to prune what another tool manages', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    const { metadata } = await parentOf(shop, 'app');
    const { code, stderr } = await kubectl(
      [
        ...['apply', '-n', shop.name, '-f', '-', '--server-side', '--prune'],
        `--applyset=stageinventories.stages.metio.wtf/${metadata.name}`,
      ],
      JSON.stringify(withMetadata(configMap('other'), { namespace: shop.name })),
    );
    expect(code).not.to.equal(0);
    expect(stderr).to.include(
      'already exists and is managed by tooling "stageset-controller" instead of "kubectl"',
    );
    expect(await shop.configMapNames()).to.deep.equal(['web']);
    expect(await shop.find(configMap('other'))).to.equal(undefined);
  });

  it('has an id that kubectl computes too', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    const { metadata } = await parentOf(shop, 'app');
    // kubectl compares the id only of what it may manage, so a copy of the parent says that it may.
    const annotations = {
      ...metadata.annotations,
      'applyset.kubernetes.io/tooling': 'kubectl/v1.36',
    };
    const copy = { ...inventoryKind, metadata: { ...metadata, annotations }, spec: {} };
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.patch(copy, { metadata: { annotations } });
    const { code, stderr } = await kubectl(
      [
        ...['apply', '-n', shop.name, '-f', '-', '--server-side', '--prune', '--dry-run=server'],
        `--applyset=stageinventories.stages.metio.wtf/${metadata.name}`,
      ],
      JSON.stringify(withMetadata(configMap('other'), { namespace: shop.name })),
    );
    expect(stderr).not.to.match(/incorrect value|required label/);
    expect(code, stderr).to.equal(0);
  });

  it('names the kinds of what is still to be pruned until it is pruned', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('kept'), serviceAccount('dropped')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    await shop.publish('two', 'v2', [deployment('web')]);
    await shop.publish('one', 'v2', [configMap('kept')]);
    await shop.untilPhase('two', 'Verifying');
    await shop.untilStageSet(({ status }) => status?.stages?.[1]?.appliedRevision === 'v2');
    const kinds = async (): Promise<string | undefined> =>
      (await parentOf(shop, 'one')).metadata.annotations?.[
        'applyset.kubernetes.io/contains-group-kinds'
      ];
    expect(await kinds()).to.equal('ConfigMap,ServiceAccount');
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v2');
    expect(await kinds()).to.equal('ConfigMap');
  });

  it('gets an object that moves to its stage', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('stays'), configMap('moves')]);
    await shop.publish('two', 'v1', [configMap('other')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    await shop.publish('one', 'v2', [configMap('stays')]);
    await shop.publish('two', 'v2', [configMap('other'), configMap('moves')]);
    await shop.changeSpec({ suspend: false });
    await shop.untilReady('v2');
    const id = (await parentOf(shop, 'two')).metadata.labels?.['applyset.kubernetes.io/id'];
    expect(await labelsOf(shop, configMap('moves'))).to.include({ [partOf]: id });
  });
});
