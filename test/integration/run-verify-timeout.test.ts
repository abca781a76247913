import { expect } from 'chai';
import { configMap, deployment, toy } from '../objects.ts';
import { useController } from '../playground.ts';
import { afterLooks } from '../reconciles.ts';
import { phasesOf, type TestNamespace } from '../test-namespace.ts';
import { defineToy } from '../toys.ts';

const runbook = (reason: string): string =>
  ` (runbook: https://stages.metio.wtf/runbooks/${reason}/)`;

/** A stage of Trams that Kubernetes cannot judge: they depart when `status.phase` says so. */
const departed = {
  apiVersion: 'toys.example.com/v1',
  kind: 'Tram',
  current: "status.phase == 'Departed'",
  inProgress: "has(status.phase) && status.phase == 'Boarding'",
  failed: "has(status.phase) && status.phase == 'Derailed'",
};

describe('what the end of the time of a stage means', () => {
  const stand = useController();
  before('define a kind', async () => await defineToy(stand.playground, 'Tram'));

  async function withDeployment(
    stage: Record<string, unknown>,
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('backend', 'v1', [deployment('backend')]);
    await shop.publish('frontend', 'v1', [configMap('frontend')]);
    await shop.createStageSet([{ name: 'backend', ...stage }, 'frontend'], spec);
    return shop;
  }

  async function withTram(
    stage: Record<string, unknown>,
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('trams', 'v1', [toy('Tram', 'express')]);
    await shop.publish('frontend', 'v1', [configMap('frontend')]);
    await shop.createStageSet(
      [{ name: 'trams', readyChecks: { exprs: [departed] }, ...stage }, 'frontend'],
      spec,
    );
    return shop;
  }

  it('kstatus, nothing failed, Hold: StageProgressing, and Ready later by itself', async () => {
    const shop = await withDeployment(
      { timeout: '1s', onTimeout: 'Hold' },
      { retryInterval: '1s' },
    );
    expect(await shop.untilReason('StageProgressing')).to.equal(
      'Stage backend is still converging after 1s (timeout of the stage), nothing failed; ' +
        `waiting for 1 of 1 not ready: Deployment/${shop.name}/backend: 0 of 1 replicas created` +
        runbook('stageprogressing'),
    );
    expect(phasesOf(await shop.untilPhase('backend', 'Verifying'))).to.deep.equal([
      'Verifying',
      'Pending',
    ]);
    expect(await shop.eventReasons()).not.to.include('StageFailed');
    await shop.reportDeployment('backend', 'Available');
    await shop.untilReady('v1');
  });

  it('kstatus, nothing failed, Rollback: the stage fails', async () => {
    const shop = await withDeployment({ timeout: '1s', onTimeout: 'Rollback' });
    expect(await shop.untilReason('StageFailed')).to.equal(
      'Stage backend: verify: not ready within 1s (timeout of the stage), and onTimeout is ' +
        `Rollback: 1 of 1 not ready: Deployment/${shop.name}/backend: 0 of 1 replicas created` +
        runbook('stagefailed'),
    );
    expect(phasesOf(await shop.untilPhase('backend', 'Failed'))).to.deep.equal([
      'Failed',
      'Pending',
    ]);
  });

  it('takes onTimeout of the spec where the stage has none', async () => {
    const shop = await withDeployment({ timeout: '1s' }, { onTimeout: 'Rollback' });
    expect(await shop.untilReason('StageFailed')).to.include('and onTimeout is Rollback');
  });

  it('takes onTimeout of the stage before that of the spec', async () => {
    const shop = await withDeployment(
      { timeout: '1s', onTimeout: 'Hold' },
      { onTimeout: 'Rollback', retryInterval: '1h' },
    );
    await shop.untilReason('StageProgressing');
  });

  it('kstatus, an object failed: the stage fails with Hold, too, and before its time is over', async () => {
    const shop = await withDeployment({ timeout: '1h', onTimeout: 'Hold' });
    await shop.reportDeployment('backend', 'Stuck');
    expect(await shop.untilReason('StageFailed')).to.include('no progress within its deadline');
  });

  it('CEL, in progress at the last look, Hold: StageProgressing, and Ready later by itself', async () => {
    const shop = await withTram({ timeout: '3s' }, { retryInterval: '1s' });
    await shop.untilObject(toy('Tram', 'express'));
    await shop.patch(toy('Tram', 'express'), { status: { phase: 'Boarding' } });
    expect(await shop.untilReason('StageProgressing')).to.equal(
      'Stage trams is still converging after 3s (timeout of the stage), nothing failed; waiting ' +
        `for 1 of 1 not ready: Tram/${shop.name}/express: readyChecks.exprs[0].current is false` +
        runbook('stageprogressing'),
    );
    await shop.patch(toy('Tram', 'express'), { status: { phase: 'Departed' } });
    await shop.untilReady('v1');
  });

  it('CEL, in progress at the last look, Rollback: the stage fails', async () => {
    const shop = await withTram({ timeout: '3s', onTimeout: 'Rollback' });
    await shop.untilObject(toy('Tram', 'express'));
    await shop.patch(toy('Tram', 'express'), { status: { phase: 'Boarding' } });
    expect(await shop.untilReason('StageFailed')).to.include(
      'not ready within 3s (timeout of the stage), and onTimeout is Rollback: 1 of 1 not ready: ' +
        `Tram/${shop.name}/express: readyChecks.exprs[0].current is false`,
    );
  });

  it('CEL, not in progress at the last look, Hold: the stage fails', async () => {
    const shop = await withTram({ timeout: '1s' });
    expect(await shop.untilReason('StageFailed')).to.equal(
      'Stage trams: verify: not ready within 1s (timeout of the stage), and nothing is in ' +
        `progress: 1 of 1 not ready: Tram/${shop.name}/express: readyChecks.exprs[0].current ` +
        'gives no answer: there is no such field or item at status.phase' +
        runbook('stagefailed'),
    );
  });

  it('CEL, not in progress at the last look, Rollback: the stage fails', async () => {
    const shop = await withTram({ timeout: '1s', onTimeout: 'Rollback' });
    expect(await shop.untilReason('StageFailed')).to.include('and onTimeout is Rollback');
  });

  it('[gap] gives objects and expressions one deadline together', async () => {
    const shop = await stand.namespace();
    await shop.publish('trams', 'v1', [toy('Tram', 'express'), deployment('station')]);
    const bound = 6_000;
    await shop.createStageSet([
      { name: 'trams', readyChecks: { timeout: '6s', exprs: [departed] } },
    ]);
    await shop.untilPhase('trams', 'Verifying');
    const begun = performance.now();
    // Some of the time goes by before the first expression can be asked.
    await afterLooks(stand.controller, 2, async () => {
      await shop.untilObject(deployment('station'));
    });
    await shop.reportDeployment('station', 'Available');
    await shop.untilReason('StageFailed');
    expect(performance.now() - begun).to.be.lessThan(bound + 4_000);
  });
});
