import { expect } from 'chai';
import { configMap, deployment, serviceAccount, toy, withMetadata } from '../objects.ts';
import { useController } from '../playground.ts';
import { afterLooks } from '../reconciles.ts';
import type { TestNamespace } from '../test-namespace.ts';
import { defineToy } from '../toys.ts';

const runbook = ' (runbook: https://stages.metio.wtf/runbooks/stageprogressing/)';

describe('readyChecks.checks', () => {
  const stand = useController();

  async function begin(
    readyChecks: object,
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet([{ name: 'app', readyChecks }], spec);
    return shop;
  }

  it('wait for an object that the stage did not apply, in the namespace of the StageSet', async () => {
    const shop = await begin({
      checks: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'other' }],
    });
    await shop.untilPhase('app', 'Verifying');
    await shop.create(deployment('other'));
    await afterLooks(stand.controller, 2, async () => await Promise.resolve());
    await shop.untilPhase('app', 'Verifying');
    await shop.reportDeployment('other', 'Available');
    await shop.untilReady('v1');
    expect((await shop.find(deployment('other')))?.metadata.labels).to.equal(undefined);
  });

  it('say what they wait for', async () => {
    const shop = await begin(
      { timeout: '1s', checks: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'other' }] },
      { retryInterval: '1h' },
    );
    expect(await shop.untilReason('StageProgressing')).to.equal(
      'Stage app is still converging after 1s (readyChecks.timeout of the stage), nothing failed; ' +
        `waiting for 1 of 2 not ready: Deployment/${shop.name}/other: not found${runbook}`,
    );
  });

  it('fail the stage at once when their object failed', async () => {
    const shop = await begin({
      checks: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'other' }],
    });
    await shop.create(deployment('other'));
    await shop.reportDeployment('other', 'Stuck');
    expect(await shop.untilReason('StageFailed')).to.include(
      `Deployment/${shop.name}/other: no progress within its deadline`,
    );
  });

  it('add to what is applied, and do not replace it', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('app')]);
    await shop.create(configMap('other'));
    const checks = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'other' }];
    await shop.createStageSet([{ name: 'app', readyChecks: { timeout: '1s', checks } }], {
      retryInterval: '1s',
    });
    expect(await shop.untilReason('StageProgressing')).to.include(
      `1 of 2 not ready: Deployment/${shop.name}/app: 0 of 1 replicas created`,
    );
    await shop.reportDeployment('app', 'Available');
    await shop.untilReady('v1');
  });

  it('still count with disableWait, which drops only what is applied', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('app')]);
    const checks = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'other' }];
    await shop.createStageSet(
      [{ name: 'app', readyChecks: { disableWait: true, timeout: '1s', checks } }],
      { retryInterval: '1s' },
    );
    expect(await shop.untilReason('StageProgressing')).to.include(
      `1 of 1 not ready: ConfigMap/${shop.name}/other: not found`,
    );
    await shop.create(configMap('other'));
    await shop.untilReady('v1');
    expect((await shop.find(deployment('app')))?.['status']).to.deep.equal({});
  });

  it('wait once for an object that is applied as well', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('app')]);
    const checks = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'app' }];
    await shop.createStageSet([{ name: 'app', readyChecks: { timeout: '1s', checks } }], {
      retryInterval: '1h',
    });
    expect(await shop.untilReason('StageProgressing')).to.include('1 of 1 not ready');
  });

  it('of a cluster-scoped kind leave out the namespace that is written', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    const name = `${shop.name}-reader`;
    const checks = [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        name,
        namespace: shop.name,
      },
    ];
    await shop.createStageSet([{ name: 'app', readyChecks: { timeout: '1s', checks } }], {
      retryInterval: '1s',
    });
    expect(await shop.untilReason('StageProgressing')).to.include(
      `1 of 2 not ready: ClusterRole/${name}: not found`,
    );
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
    };
    await shop.client.create(role, {}, shop.call);
    await shop.untilReady('v1');
  });

  it('of a kind that nobody serves wait until it is served', async () => {
    const shop = await begin(
      {
        timeout: '1s',
        checks: [{ apiVersion: 'toys.example.com/v1', kind: 'Balloon', name: 'red' }],
      },
      { retryInterval: '1s' },
    );
    expect(await shop.untilReason('StageProgressing')).to.equal(
      'Stage app is still converging after 1s (readyChecks.timeout of the stage), nothing failed; ' +
        `waiting for 1 of 2 not ready: Balloon/${shop.name}/red: ` +
        `toys.example.com/v1 has no kind Balloon yet${runbook}`,
    );
    await defineToy(stand.playground, 'Balloon');
    await shop.create(toy('Balloon', 'red'));
    await shop.untilReady('v1');
  });

  it('are read as the ServiceAccount of the stage', async () => {
    const shop = await stand.namespace();
    await shop.create(serviceAccount('blind'));
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'config' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }],
    });
    await shop.create({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'config' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'config' },
      subjects: [{ kind: 'ServiceAccount', name: 'blind', namespace: shop.name }],
    });
    await shop.create(deployment('other'));
    await shop.reportDeployment('other', 'Available');
    const checks = [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'other' }];
    await shop.createStageSet(
      [{ name: 'app', serviceAccountName: 'blind', readyChecks: { timeout: '1s', checks } }],
      { retryInterval: '1h' },
    );
    // What cannot be read is not failed either.
    expect(await shop.untilReason('StageProgressing')).to.match(
      /1 of 2 not ready: Deployment\/.*\/other: .*cannot get .*deployments/,
    );
  });

  it('in another namespace take the namespace that is written', async () => {
    const shop = await stand.namespace();
    const other = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    await other.create(withMetadata(configMap('there'), {}));
    const checks = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'there', namespace: other.name }];
    await shop.createStageSet([{ name: 'app', readyChecks: { checks } }]);
    await shop.untilReady('v1');
  });
});
