import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { configMap, deployment } from '../objects.ts';
import { useController } from '../playground.ts';
import { readyOf, type TestNamespace } from '../test-namespace.ts';

const runbook = (reason: string): string =>
  ` (runbook: https://stages.metio.wtf/runbooks/${reason}/)`;

/** A second StageSet beside `shop`, with one stage of its own name. */
function base(spec: Record<string, unknown> = {}): KubernetesObject {
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageSet',
    metadata: { name: 'base' },
    spec: { interval: '1h', stages: [{ name: 'base', sourceRef: { name: 'base' } }], ...spec },
  };
}

/** Writes a status field as a controller of another build would. */
async function reportStatus(
  { name: namespace, client, call }: TestNamespace,
  stageSet: string,
  status: Record<string, unknown>,
): Promise<void> {
  const reference = {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageSet',
    namespace,
    name: stageSet,
  };
  await client.patch(reference, { type: 'Merge', body: { status }, subresource: 'status' }, call);
}

async function untilBase(shop: TestNamespace, reason: string): Promise<void> {
  await shop.untilObject(base(), (object) =>
    JSON.stringify(object['status'] ?? {}).includes(`"reason":"${reason}"`),
  );
}

// Every interval here is an hour: whatever goes on was woken.
describe('a StageSet that depends on another', () => {
  const stand = useController();

  it('waits for it, and goes on the moment that it is ready', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app'], { dependsOn: [{ name: 'base' }] });
    expect(await shop.untilReason('DependencyNotReady')).to.equal(
      `StageSet ${shop.name}/base does not exist${runbook('dependencynotready')}`,
    );
    await shop.create(base());
    const waiting = `StageSet ${shop.name}/base is not ready (ArtifactNotFound)`;
    await shop.untilStageSet((seen) => readyOf(seen)?.message.startsWith(waiting) ?? false);
    expect(await shop.configMapNames()).to.deep.equal([]);

    await shop.publish('base', 'v1', [configMap('base')]);
    await shop.untilReady('v1', { within: 10_000 });
  });

  it('[gap] of another namespace is woken by it as well (part A 2.1)', async () => {
    const [shop, platform] = [await stand.namespace(), await stand.namespace()];
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app'], {
      dependsOn: [{ name: 'shop', namespace: platform.name }],
    });
    const refusal =
      `StageSet shop in namespace ${platform.name} cannot be relied on: references to other ` +
      `namespaces are forbidden here, or it is not ready${runbook('dependencynotready')}`;
    expect(await shop.untilReason('DependencyNotReady')).to.equal(refusal);
    await platform.createStageSet(['app']);
    await platform.untilReason('ArtifactNotFound');
    expect(readyOf(await shop.untilStageSet(() => true))?.message).to.equal(refusal);
    await platform.publish('app', 'v1', [configMap('app')]);
    await shop.untilReady('v1', { within: 10_000 });
  });

  it('is held again while the dependency rolls out, and when it is gone', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.publish('base', 'v1', [configMap('base')]);
    await shop.create(base());
    await shop.createStageSet(['app'], { dependsOn: [{ name: 'base' }] });
    await shop.untilReady('v1');

    await shop.publish('base', 'v2', [deployment('web')]);
    await shop.untilReason('DependencyNotReady');
    await shop.publish('app', 'v2', [configMap('app', { release: 'two' })]);
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v2');

    await shop.delete(base());
    expect(await shop.untilReason('DependencyNotReady')).to.include(`${shop.name}/base`);
    expect(await shop.configMapNames()).to.deep.equal(['app']);
  });

  it('finishes a run that is under way when the dependency fails', async () => {
    const shop = await stand.namespace();
    await shop.publish('base', 'v1', [configMap('base')]);
    await shop.create(base());
    await shop.publish('one', 'v1', [deployment('web')]);
    await shop.publish('two', 'v1', [configMap('two')]);
    await shop.createStageSet(['one', 'two'], { dependsOn: [{ name: 'base' }] });
    await shop.untilPhase('one', 'Verifying');
    await shop.patch(base(), { spec: { suspend: true } });
    await untilBase(shop, 'Suspended');
    await shop.reportDeployment('web', 'Available');
    const { status } = await shop.untilPhase('two', 'Ready');
    expect(status?.lastAppliedRevisions).to.deep.equal({
      [`${shop.name}/one`]: 'v1',
      [`${shop.name}/two`]: 'v1',
    });
  });

  it('waits for minVersion, and a change of the status alone wakes it', async () => {
    const shop = await stand.namespace();
    await shop.publish('base', 'v1', [configMap('base')]);
    await shop.create(base());
    await shop.publish('app', 'v1', [configMap('app')]);
    await untilBase(shop, 'Succeeded');
    await shop.createStageSet(['app'], { dependsOn: [{ name: 'base', minVersion: 'v1.4' }] });
    const said = (what: string): string =>
      `StageSet ${shop.name}/base ${what}, version v1.4 is needed${runbook('dependencynotready')}`;
    expect(await shop.untilReason('DependencyNotReady')).to.equal(said('has no version yet'));
    await reportStatus(shop, 'base', { version: '1.4.0-rc.1' });
    await shop.untilStageSet((seen) => readyOf(seen)?.message === said('is at version 1.4.0-rc.1'));
    await reportStatus(shop, 'base', { version: '1.10.0' });
    await shop.untilReady('v1', { within: 10_000 });
  });

  it('waits for a revision that a window holds back', async () => {
    const shop = await stand.namespace();
    await shop.publish('base', 'v1', [configMap('base')]);
    await shop.create(base());
    await untilBase(shop, 'Succeeded');
    await reportStatus(shop, 'base', { pendingUpdate: { revisions: { 'team/base': 'v2' } } });
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app'], { dependsOn: [{ name: 'base' }] });
    expect(await shop.untilReason('DependencyNotReady')).to.include('holds a newer revision back');
    await reportStatus(shop, 'base', { pendingUpdate: null });
    await shop.untilReady('v1', { within: 10_000 });
  });

  it('is stalled in a cycle, as everyone in it is, until one reference goes', async () => {
    const shop = await stand.namespace();
    await shop.publish('base', 'v1', [configMap('base')]);
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.create(base({ dependsOn: [{ name: 'shop' }] }));
    await shop.createStageSet(['app'], { dependsOn: [{ name: 'base' }] });
    expect(await shop.untilReason('Stalled')).to.equal(
      `the dependsOn graph forms a cycle: StageSet ${shop.name}/base depends on this one in the ` +
        `end; remove one of the references of the cycle${runbook('stalled')}`,
    );
    await untilBase(shop, 'Stalled');
    await shop.patch(base(), { spec: { dependsOn: null } });
    await shop.untilReady('v1', { within: 10_000 });
  });

  it('on itself is stalled', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app'], { dependsOn: [{ name: 'shop' }] });
    await shop.untilReason('Stalled');
  });

  it('with a minVersion that is no version is refused', async () => {
    const shop = await stand.namespace();
    await shop.createStageSet(['app'], { dependsOn: [{ name: 'base', minVersion: 'newest' }] });
    expect(await shop.untilReason('InvalidSpec')).to.equal(
      'spec.dependsOn[0].minVersion: is newest, which is no semantic version such as 1.4.0' +
        runbook('invalidspec'),
    );
  });
});

describe('a StageSet that depends on another, under --no-cross-namespace-refs', () => {
  const stand = useController({ flags: ['--no-cross-namespace-refs'] });

  it('attack 93: a dependency in another namespace, under --no-cross-namespace-refs (it is refused, ready or not, part A 9.5)', async () => {
    const [shop, platform] = [await stand.namespace(), await stand.namespace()];
    await platform.publish('app', 'v1', [configMap('app')]);
    await platform.createStageSet(['app']);
    await platform.untilReady('v1');
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app'], {
      dependsOn: [{ name: 'shop', namespace: platform.name }],
    });
    expect(await shop.untilReason('DependencyNotReady')).to.equal(
      `StageSet shop in namespace ${platform.name} cannot be relied on: references to other ` +
        `namespaces are forbidden here, or it is not ready${runbook('dependencynotready')}`,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
  });
});

describe('a StageSet that depends on one outside --watch-namespaces', () => {
  const elsewhere = useController({ flags: ['--watch-namespaces=nobody-at-all'] });

  it('[edge case 32] asks for it, and goes on after retryInterval (part A 11)', async () => {
    const [shop, platform] = [await elsewhere.namespace(), await elsewhere.namespace()];
    await shop.publish('app', 'v1', [configMap('app')]);
    const controller = await elsewhere.playground.startController({
      flags: [`--watch-namespaces=${shop.name}`],
    });
    try {
      await platform.createStageSet(['app']);
      await shop.createStageSet(['app'], {
        retryInterval: '1s',
        dependsOn: [{ name: 'shop', namespace: platform.name }],
      });
      await shop.untilReason('DependencyNotReady');
      const lastTransitionTime = new Date().toISOString();
      const ready = { type: 'Ready', status: 'True', reason: 'Succeeded', message: 'delivered' };
      await reportStatus(platform, 'shop', {
        observedGeneration: 1,
        conditions: [{ ...ready, lastTransitionTime }],
      });
      await shop.untilReady('v1');
    } finally {
      await controller.stop();
    }
  });
});
