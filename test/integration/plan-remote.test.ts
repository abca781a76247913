import { expect } from 'chai';
import { readAllowedHost } from '../../src/config/addresses.ts';
import { canary } from '../canary.ts';
import { kubeconfigOf } from '../kubeconfigs.ts';
import { configMap } from '../objects.ts';
import { changesOf, TestPlanner } from '../planning.ts';
import { useController } from '../playground.ts';
import {
  allowLocalClusters,
  kubeconfigSecret,
  toParis,
  useRemoteCluster,
} from '../remote-cluster.ts';

describe('a plan of a StageSet for a remote cluster', () => {
  const remote = useRemoteCluster();
  const stand = useController({ flags: ['--log-level=debug', allowLocalClusters] });
  let planner: TestPlanner;

  before('start a planner', () => {
    const here = readAllowedHost({ origin: 'the test', text: '127.0.0.1' });
    planner = new TestPlanner(stand.playground, [here]);
  });
  after('stop the planner', async () => {
    await planner.close();
  });

  it('compares with what is there, and prunes there', async () => {
    const shop = await stand.namespace();
    await remote().join(shop);
    await shop.create(kubeconfigSecret(await remote().kubeconfig()));
    await shop.publish('app', 'v1', [configMap('web', { text: 'old' }), configMap('gone')]);
    await shop.createStageSet(['app'], toParis);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.create(configMap('more'));
    await shop.publish('app', 'v2', [configMap('web', { text: 'new' }), configMap('more')]);
    const plan = await planner.plan(shop);
    expect(changesOf(plan)).to.deep.equal({
      app: ['Create ConfigMap/more', 'Update ConfigMap/web', 'Prune ConfigMap/gone'],
    });
    expect(plan.stages[0]?.identity).to.equal(
      `the identity of the kubeconfig at the cluster of Secret ${shop.name}/paris`,
    );
  });

  it('attack 64: a plan of a spec for another cluster (it goes to that of the stored spec, StagePlan)', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    const stages = [{ name: 'app', sourceRef: { name: 'app' } }];
    const plan = await planner.plan(shop, { suppose: { proposed: { stages, ...toParis } } });
    expect(plan.verdict).to.equal('Invalid');
    expect(plan.message).to.include('spec.kubeConfig: is not that of the stored spec');
  });

  it('says of a dead cluster that it is, without its credentials', async () => {
    const shop = await stand.namespace();
    await remote().join(shop);
    await shop.create(kubeconfigSecret(await remote().kubeconfig()));
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.publish('extra', 'v1', [configMap('more')]);
    await shop.createStageSet(['app', 'extra'], toParis);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    await shop.changeStages(['app']);
    const cluster = { server: 'https://127.0.0.1:1' };
    const dead = kubeconfigOf({ cluster, user: { token: canary } });
    await shop.patch(kubeconfigSecret(''), { stringData: { value: dead } });
    const plan = await planner.plan(shop);
    expect(plan.verdict).to.equal('Blocked');
    expect(plan.stages[0]?.error).to.include(`cluster of Secret ${shop.name}/paris: `);
    expect(JSON.stringify(plan)).to.not.include(canary);
  });
});
