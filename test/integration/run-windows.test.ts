import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import type { StageSet } from '../../src/types/stages.ts';
import { configMap } from '../objects.ts';
import { TestPlanner } from '../planning.ts';
import { useController } from '../playground.ts';
import { phasesOf, readyOf, type TestNamespace } from '../test-namespace.ts';
import { passByAdvance } from './gates.ts';

/** RFC 3339 in whole seconds, so many of them from now. */
function inSeconds(seconds: number): string {
  return `${new Date(Math.ceil(Date.now() / 1000 + seconds) * 1000).toISOString().slice(0, 19)}Z`;
}

/** Closed from a minute ago on for so many seconds. */
function closed(seconds = 3600): Record<string, unknown> {
  return { type: 'Deny', from: inSeconds(-60), to: inSeconds(seconds) };
}

function isDeferred({ status }: StageSet): boolean {
  return status?.pendingUpdate !== undefined;
}

function hasRelease(release: string): (object: KubernetesObject) => boolean {
  return (object) => JSON.stringify(object['data'] ?? {}).includes(release);
}

describe('update windows', () => {
  const stand = useController();
  let planning: TestPlanner;

  before(() => {
    planning = new TestPlanner(stand.playground);
  });
  after(async () => {
    await planning.close();
  });

  async function shopOf(
    spec: Record<string, unknown>,
    stages: readonly (string | Record<string, unknown>)[] = ['dev', 'prod'],
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('dev', { release: 'one' })]);
    await shop.publish('prod', 'v1', [configMap('prod', { release: 'one' })]);
    await shop.createStageSet(stages, spec);
    return shop;
  }

  /** Delivered, and then closed before something new is published. */
  async function deployedAndClosed(
    spec: Record<string, unknown> = {},
    stages?: readonly (string | Record<string, unknown>)[],
  ): Promise<TestNamespace> {
    const shop = await shopOf({}, stages);
    await shop.untilReady('v1');
    await shop.changeSpec({ updateWindows: [closed()], ...spec });
    await shop.untilStageSet(
      ({ metadata, status }) => status?.observedGeneration === metadata.generation,
    );
    return shop;
  }

  it('hold a first delivery until they open, to the second', async () => {
    const opens = inSeconds(4);
    const shop = await shopOf({
      updateWindows: [{ type: 'Allow', from: opens, to: inSeconds(3600) }],
    });
    const message = await shop.untilReason('UpdateDeferred');
    expect(message).to.include('held by update window').and.to.include(opens);
    const held = await shop.untilStageSet(isDeferred);
    expect(held.status?.pendingUpdate?.nextWindowOpens).to.equal(opens);
    expect(held.status?.pendingUpdate?.revisions).to.deep.equal({
      [`${shop.name}/dev`]: 'v1',
      [`${shop.name}/prod`]: 'v1',
    });
    expect(await shop.configMapNames()).to.deep.equal([]);

    const dev = await shop.untilObject(configMap('dev'));
    const created = Date.parse(dev.metadata.creationTimestamp ?? '');
    expect(created).to.be.within(Date.parse(opens), Date.parse(opens) + 1000);
    const { status } = await shop.untilReady('v1');
    expect(status?.pendingUpdate).to.equal(undefined);
    const deferrals = (await shop.eventReasons()).filter((reason) => reason === 'UpdateDeferred');
    expect(deferrals).to.have.length(1);
  });

  it('hold a new revision while what is deployed stays Ready and is kept as it is, after a restart too (gap: part B 1.4)', async () => {
    const shop = await deployedAndClosed();
    await shop.publish('prod', 'v2', [configMap('prod', { release: 'two' })]);
    const held = await shop.untilStageSet(isDeferred);
    const ready = readyOf(held);
    expect(ready).to.include({ status: 'True', reason: 'Succeeded' });
    expect(ready?.message).to.match(/^Deployed; delivery held by update window/);
    expect(ready?.message).to.include('stages.metio.wtf/update-now=');
    await shop.untilEvent('UpdateDeferred');

    await shop.patch(configMap('prod'), { data: { release: 'drifted' } });
    await shop.untilObject(configMap('prod'), hasRelease('one'));

    await stand.killAndRestart();
    await shop.patch(configMap('dev'), { data: { release: 'drifted' } });
    await shop.patch(configMap('prod'), { data: { release: 'drifted' } });
    await shop.untilObject(configMap('dev'), hasRelease('one'));
    await shop.untilObject(configMap('prod'), hasRelease('one'));
    expect((await shop.untilStageSet(isDeferred)).status?.lastAppliedRevisions).to.deep.equal({
      [`${shop.name}/dev`]: 'v1',
      [`${shop.name}/prod`]: 'v1',
    });
  });

  it('are passed by update-now, once, for the revisions that wait (gap: part B 1.5)', async () => {
    const shop = await deployedAndClosed();
    await shop.publish('prod', 'v2', [configMap('prod', { release: 'two' })]);
    await shop.untilStageSet(isDeferred);
    await shop.annotate({ 'stages.metio.wtf/update-now': 'now' });
    await shop.untilObject(configMap('prod'), hasRelease('two'));
    const delivered = await shop.untilStageSet(
      ({ status }) => status?.lastAppliedRevisions?.[`${shop.name}/prod`] === 'v2',
    );
    expect(delivered.status?.lastHandledUpdateOverride).to.equal('now');
    expect(delivered.status?.pendingUpdate).to.equal(undefined);

    await shop.publish('prod', 'v3', [configMap('prod', { release: 'three' })]);
    await shop.untilStageSet(isDeferred);
    expect(hasRelease('two')((await shop.find(configMap('prod'))) ?? configMap('none'))).to.equal(
      true,
    );
  });

  it('are passed through the API by who may override them, and by nobody else', async () => {
    const shop = await deployedAndClosed();
    await shop.publish('dev', 'v2', [configMap('dev', { release: 'two' })]);
    await shop.untilStageSet(isDeferred);
    await passByAdvance(stand, shop, 'UpdateWindow');
    await shop.untilObject(configMap('dev'), hasRelease('two'));
  });

  it('do not hold a changed spec', async () => {
    const shop = await deployedAndClosed();
    const patch = JSON.stringify([{ op: 'add', path: '/data/patched', value: 'yes' }]);
    const target = { kind: 'ConfigMap', name: 'prod' };
    await shop.changeStages([
      'dev',
      { name: 'prod', sourceRef: { name: 'prod' }, patches: [{ patch, target }] },
    ]);
    await shop.untilObject(configMap('prod'), hasRelease('patched'));
  });

  it('hold everything with windowScope All, drift included, and say so in the plan', async () => {
    const shop = await deployedAndClosed({ windowScope: 'All' });
    await shop.untilMessage((message) => message.startsWith('Deployed; delivery held'));
    await shop.patch(configMap('prod'), { data: { release: 'drifted' } });
    const plan = await planning.plan(shop);
    expect(plan.verdict).to.equal('Held');
    expect(plan.holds[0]).to.deep.include({ gate: 'UpdateWindow', releasedBy: 'Time' });
    await shop.annotate({ 'stages.metio.wtf/update-now': 'now' });
    await shop.untilObject(configMap('prod'), hasRelease('one'));
  });

  it('let a rollout that has begun end its soak, but enter no further stage, and call it not Ready (gap: part B 1.4)', async () => {
    const dev = { name: 'dev', sourceRef: { name: 'dev' }, promotion: { soak: '4s' } };
    const shop = await shopOf({}, [dev, 'prod']);
    await shop.untilReady('v1');
    await shop.publish('dev', 'v2', [configMap('dev', { release: 'two' })]);
    await shop.publish('prod', 'v2', [configMap('prod', { release: 'two' })]);
    await shop.untilObject(configMap('dev'), hasRelease('two'));
    await shop.untilReason('Soaking');
    await shop.changeSpec({ updateWindows: [closed()] });
    const message = await shop.untilReason('UpdateDeferred');
    expect(message).to.include('held by update window');
    const held = await shop.untilStageSet(isDeferred);
    expect(readyOf(held)?.status).to.equal('False');
    expect(phasesOf(held)).to.deep.equal(['Ready', 'Ready']);
    expect(held.status?.stages?.[0]?.promotionState?.phase).to.equal('Promoted');
    await shop.patch(configMap('dev'), { data: { release: 'drifted' } });
    await shop.untilObject(configMap('dev'), hasRelease('two'));
    await shop.patch(configMap('prod'), { data: { release: 'drifted' } });
    await shop.untilObject(configMap('prod'), hasRelease('one'));
    await shop.changeSpec({ updateWindows: [] });
    await shop.untilReady('v2');
  });
});
