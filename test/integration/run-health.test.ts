import { expect } from 'chai';
import { configMap, deployment, toy, toyDefinition, withMetadata } from '../objects.ts';
import { useController } from '../playground.ts';
import { phasesOf, readyOf, type TestNamespace } from '../test-namespace.ts';

const runbook = (reason: string): string =>
  ` (runbook: https://stages.metio.wtf/runbooks/${reason}/)`;

describe('a stage that does not become healthy', () => {
  const stand = useController();

  async function begin(
    stage: Record<string, unknown> = {},
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('backend', 'v1', [deployment('backend')]);
    await shop.publish('frontend', 'v1', [configMap('frontend')]);
    await shop.createStageSet([{ name: 'backend', ...stage }, 'frontend'], spec);
    return shop;
  }

  it('is reported as progressing when its time is over, and is Ready once it is', async () => {
    const shop = await begin({ timeout: '1s' }, { retryInterval: '1s' });
    expect(await shop.untilReason('StageProgressing')).to.equal(
      'Stage backend is still converging after 1s (timeout of the stage), nothing failed; ' +
        `waiting for 1 of 1 not ready: Deployment/${shop.name}/backend: 0 of 1 replicas created${runbook('stageprogressing')}`,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
    await shop.reportDeployment('backend', 'Available');
    expect(phasesOf(await shop.untilReady('v1'))).to.deep.equal(['Ready', 'Ready']);
  });

  it('takes the most specific of its timeouts', async () => {
    const shop = await begin(
      { timeout: '1h', readyChecks: { timeout: '1s' } },
      { timeout: '2h', retryInterval: '1h' },
    );
    expect(await shop.untilReason('StageProgressing')).to.match(
      /^Stage backend is still converging after 1s/,
    );
  });

  it('fails at once when one of its objects failed, and recovers by itself', async () => {
    const shop = await begin();
    await shop.untilPhase('backend', 'Verifying');
    await shop.reportDeployment('backend', 'Stuck');
    const failure =
      `verify: 1 of 1 not ready: Deployment/${shop.name}/backend: ` +
      'no progress within its deadline';
    expect(await shop.untilReason('StageFailed')).to.equal(
      `Stage backend: ${failure}${runbook('stagefailed')}`,
    );
    const failed = await shop.untilPhase('backend', 'Failed');
    expect(phasesOf(failed)).to.deep.equal(['Failed', 'Pending']);
    expect(failed.status?.stages?.[0]?.message).to.equal(failure);
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect((await shop.untilEvent('StageFailed'))['type']).to.equal('Warning');

    await shop.reportDeployment('backend', 'Available');
    await shop.untilReady('v1');
  });

  it('is waited for no longer with readyChecks.disableWait', async () => {
    const shop = await begin({ readyChecks: { disableWait: true } });
    await shop.untilReady('v1');
    expect(await shop.configMapNames()).to.deep.equal(['frontend']);
  });

  it('gives way to a revision that mends it', async () => {
    const shop = await begin();
    await shop.reportDeployment('backend', 'Stuck');
    await shop.untilReason('StageFailed');
    await shop.publish('backend', 'v2', [deployment('backend-2')]);
    await shop.reportDeployment('backend-2', 'Available');
    await shop.untilReady();
    expect(
      (await shop.owned('apps/v1', 'Deployment')).map(({ metadata }) => metadata.name),
    ).to.deep.equal(['backend-2']);
  });

  it('gives way at once to a revision that came while it was waited for', async () => {
    const shop = await begin({ timeout: '2s' }, { retryInterval: '1h' });
    await shop.untilPhase('backend', 'Verifying');
    await shop.publish('backend', 'v2', [configMap('backend')]);
    await shop.untilReady();
    expect(await shop.configMapNames()).to.deep.equal(['backend', 'frontend']);
  });

  it('keeps the revision in its status that was applied last', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('web')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [withMetadata(configMap('web'), { namespace: 'nowhere' })]);
    await shop.untilReason('StageFailed');
    const { status } = await shop.untilPhase('app', 'Failed');
    expect(status?.stages?.[0]?.appliedRevision).to.equal('v1');
    expect(status?.lastAppliedRevisions).to.deep.equal({ [`${shop.name}/app`]: 'v1' });
    expect(status?.lastAttemptedRevisions).to.deep.equal({ [`${shop.name}/app`]: 'v2' });
  });

  it('is tried again, later each time, until what was missing is there', async () => {
    const shop = await stand.namespace();
    const elsewhere = `${shop.name}-elsewhere`;
    await shop.publish('app', 'v1', [withMetadata(configMap('web'), { namespace: elsewhere })]);
    await shop.createStageSet(['app']);
    expect(await shop.untilReason('StageFailed')).to.equal(
      `Stage app: apply: ConfigMap/${elsewhere}/web: namespaces "${elsewhere}" not found` +
        runbook('stagefailed'),
    );
    const metadata = { name: elsewhere };
    await shop.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata }, {}, shop.call);
    await shop.untilReady('v1');
  });
});

describe('a stage with a definition and its resources', () => {
  const stand = useController();

  it('waits until the definition is served', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [
      toy('Robot', 'robby'),
      toyDefinition('Robot'),
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `${shop.name}-toys` } },
      withMetadata(toy('Robot', 'marvin'), { namespace: `${shop.name}-toys` }),
    ]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    expect(await shop.inventories()).to.deep.equal({
      app: [
        '_robots.toys.example.com_apiextensions.k8s.io_CustomResourceDefinition',
        `_${shop.name}-toys__Namespace`,
        `${shop.name}-toys_marvin_toys.example.com_Robot`,
        `${shop.name}_robby_toys.example.com_Robot`,
      ].sort(),
    });
  });

  it('is ready when the resources say so', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [toyDefinition('Train'), toy('Train', 'express')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.patch(toy('Train', 'express'), {
      status: { conditions: [{ type: 'Stalled', status: 'True', message: 'no coal' }] },
    });
    await shop.request('look');
    expect(await shop.untilReason('StageFailed')).to.include(`Train/${shop.name}/express: no coal`);
    await shop.patch(toy('Train', 'express'), { status: { conditions: null } });
    const ready = readyOf(await shop.untilReady('v1'));
    expect(ready?.reason).to.equal('Succeeded');
  });
});
