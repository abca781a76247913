import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { metricSum } from '../metrics.ts';
import { configMap, deployment } from '../objects.ts';
import { useController } from '../playground.ts';
import { phasesOf, readyOf, type TestNamespace } from '../test-namespace.ts';

/** Takes connections and never answers a request. */
async function silentServer(): Promise<{ server: Server; host: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, host: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function source(name: string): {
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

describe('the status of a StageSet', () => {
  const stand = useController();

  it('keeps kubectl wait from believing a Ready of the spec before', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [configMap('one')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one']);
    await shop.untilReady('v1');
    await shop.changeStages(['one', 'two']);
    const { code } = await stand.playground.cluster.kubectl([
      'wait',
      'stageset/shop',
      `--namespace=${shop.name}`,
      '--for=condition=Ready',
      '--timeout=30s',
    ]);
    expect(code).to.equal(0);
    expect(phasesOf(await shop.untilStageSet(() => true))).to.deep.equal(['Ready', 'Ready']);
  });

  it('has the revision of before while a new one fails before it is applied', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [configMap('app')], { digest: `sha256:${'0'.repeat(64)}` });
    await shop.untilReason('StageFailed');
    const { status } = await shop.untilPhase('app', 'Failed');
    expect(status?.stages?.[0]?.appliedRevision).to.equal('v1');
    expect(status?.lastAttemptedRevisions).to.deep.equal({ [`${shop.name}/app`]: 'v2' });
    expect(status?.lastAppliedRevisions).to.deep.equal({ [`${shop.name}/app`]: 'v1' });

    // The next try is the first real apply, and no drift.
    await shop.publish('app', 'v3', [configMap('app', { release: 'three' })]);
    await shop.untilReady('v3');
    expect(await shop.eventReasons()).not.to.include('DriftCorrected');
  });

  it('has the new revision where all of it is applied and only its health failed', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('web')]);
    await shop.createStageSet(['app']);
    await shop.reportDeployment('web', 'Stuck');
    await shop.untilReason('StageFailed');
    const { status } = await shop.untilPhase('app', 'Failed');
    expect(status?.stages?.[0]?.appliedRevision).to.equal('v1');
    expect(status).not.to.have.property('lastAppliedRevisions');
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v1');
    expect(await shop.eventReasons()).not.to.include('DriftCorrected');
  });

  it('finishes a run whose source is gone, and tells of it afterwards', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'v1', [deployment('web')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', 'two']);
    await shop.untilPhase('one', 'Verifying');
    await shop.delete(source('two'));
    await shop.reportDeployment('web', 'Available');
    const { status } = await shop.untilPhase('two', 'Ready');
    expect(status?.lastAppliedRevisions).to.deep.equal({
      [`${shop.name}/one`]: 'v1',
      [`${shop.name}/two`]: 'v1',
    });
    await shop.request('look');
    expect(await shop.untilReason('ArtifactNotFound')).to.include(
      `${shop.name}/two does not exist`,
    );
    expect(await shop.configMapNames()).to.deep.equal(['two']);
  });

  it('answers a requested reconcile also where a gate holds, but not while suspended', async () => {
    const shop = await stand.namespace();
    await shop.createStageSet(['app']);
    await shop.untilReason('ArtifactNotFound');
    await shop.request('first');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'first');

    await shop.changeSpec({ suspend: true });
    const suspended = await shop.untilStageSet((seen) => readyOf(seen)?.reason === 'Suspended');
    expect(suspended.status?.observedGeneration).to.equal(1);
    await shop.request('second');
    await shop.changeSpec({ suspend: false });
    const resumed = await shop.untilStageSet(
      ({ status }) => status?.lastHandledReconcileAt === 'second',
    );
    expect(readyOf(resumed)?.reason).to.equal('ArtifactNotFound');
    expect(resumed.status?.observedGeneration).to.equal(3);
  });

  it('has the time of the last transition, which a new reason does not move', async () => {
    const shop = await stand.namespace();
    await shop.createStageSet(['app']);
    await shop.untilReason('ArtifactNotFound');
    const before = readyOf(await shop.untilStageSet(() => true))?.lastTransitionTime;
    await shop.publish('app', 'v1', [configMap('app')], { ready: 'False' });
    await shop.untilReason('SourceNotReady');
    const after = readyOf(await shop.untilStageSet(() => true))?.lastTransitionTime;
    expect(after).to.equal(before);
  });

  it('is counted once for each reconcile with its final reason, whatever that is', async () => {
    const shop = await stand.namespace();
    const counted = async (reason: string): Promise<number> => {
      const text = await (await fetch(stand.controller.metricsUrl)).text();
      const labels = `namespace="${shop.name}",name="shop",reason="${reason}"`;
      const line = text.split('\n').find((each) => each.includes(`_reconcile_total{${labels}}`));
      return Number(line?.split(' ').at(-1) ?? 0);
    };
    const reasons = async (): Promise<Record<string, number>> => ({
      ArtifactNotFound: await counted('ArtifactNotFound'),
      DependencyNotReady: await counted('DependencyNotReady'),
      Stalled: await counted('Stalled'),
      InvalidSpec: await counted('InvalidSpec'),
      Suspended: await counted('Suspended'),
      Succeeded: await counted('Succeeded'),
    });
    await shop.createStageSet(['app']);
    await shop.untilReason('ArtifactNotFound');
    await shop.changeSpec({ dependsOn: [{ name: 'base' }] });
    await shop.untilReason('DependencyNotReady');
    await shop.changeSpec({ dependsOn: [{ name: 'shop' }] });
    await shop.untilReason('Stalled');
    await shop.changeSpec({ dependsOn: [{ name: 'base', minVersion: 'x' }] });
    await shop.untilReason('InvalidSpec');
    await shop.changeSpec({ dependsOn: null, suspend: true });
    await shop.untilReason('Suspended');
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.changeSpec({ suspend: false });
    await shop.untilReady('v1');
    const counts = await reasons();
    // A source that is created and then filled in is news twice. What a StageSet that depends on itself
    // writes into its status is news to itself.
    const often = ['Suspended', 'Stalled'];
    for (const [reason, count] of Object.entries(counts)) {
      expect(count, reason).to.be.within(1, often.includes(reason) ? 3 : 2);
    }
    const all = await metricSum(stand.controller.metricsUrl, 'stageset_reconcile_total', shop.name);
    expect(all).to.equal(Object.values(counts).reduce((sum, count) => sum + count, 0));
  });
});

describe('the status of a StageSet whose new artifact does not come', () => {
  let silent: { server: Server; host: string } | undefined;
  const flags: string[] = [];
  before('start a server that never answers', async () => {
    silent = await silentServer();
    flags.push(`--allowed-artifact-hosts=${silent.host}`);
  });
  after(() => {
    silent?.server.closeAllConnections();
    silent?.server.close();
  });
  const stand = useController({ flags });

  async function publishNowhere(shop: TestNamespace): Promise<void> {
    const url = `http://${silent?.host ?? ''}/never.tar.gz`;
    const artifact = { url, revision: 'v2', digest: `sha256:${'1'.repeat(64)}` };
    const reference = { ...source('app'), name: 'app', namespace: shop.name };
    const body = { status: { artifact } };
    await shop.client.patch(reference, { type: 'Merge', body, subresource: 'status' }, shop.call);
  }

  it('is Unknown soon, and not Ready from the release before', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    await publishNowhere(shop);
    const { status } = await shop.untilStageSet((seen) => readyOf(seen)?.status === 'Unknown', {
      within: 10_000,
    });
    expect(status?.conditions?.[0]?.message).to.equal('Rolling out, stage 1 of 1 (app): building');
    expect(status?.stages?.[0]?.appliedRevision).to.equal('v1');
  });
});
