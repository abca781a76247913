import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { fieldOf } from '../fields.ts';
import { configMap } from '../objects.ts';
import { useController } from '../playground.ts';
import { readyOf, type TestNamespace } from '../test-namespace.ts';

const eventKind = { apiVersion: 'events.k8s.io/v1', kind: 'Event' };

/** Events about the StageSet once there are so many, oldest first. */
async function untilEvents(shop: TestNamespace, count: number): Promise<KubernetesObject[]> {
  const found = await shop.untilCollection(eventKind, (events) => events.size >= count);
  return [...found.values()].sort((one, other) =>
    String(one['eventTime']).localeCompare(String(other['eventTime'])),
  );
}

describe('the events of a StageSet', () => {
  const stand = useController();

  it('tell of every transition of Ready once, and of nothing else', async () => {
    const shop = await stand.namespace();
    await shop.createStageSet(['app']);
    await shop.untilReason('ArtifactNotFound');
    await shop.publish('app', 'v1', [configMap('app')], { ready: 'False' });
    await shop.untilReason('SourceNotReady');
    await shop.changeSpec({ dependsOn: [{ name: 'base' }] });
    await shop.untilReason('DependencyNotReady');
    // Another message of the same reason is no transition.
    await shop.changeSpec({ dependsOn: [{ name: 'other' }] });
    await shop.untilStageSet((seen) => readyOf(seen)?.message.includes('/other') ?? false);
    await shop.changeSpec({ dependsOn: [{ name: 'shop' }] });
    await shop.untilReason('Stalled');
    await shop.changeSpec({ dependsOn: [{ name: 'base', minVersion: 'x' }] });
    await shop.untilReason('InvalidSpec');
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.changeSpec({ suspend: false, dependsOn: null });
    const { metadata, status } = await shop.untilReady('v1');

    const events = await untilEvents(shop, 7);
    expect(events.map(({ type, reason }) => [type, reason])).to.deep.equal([
      ['Warning', 'ArtifactNotFound'],
      ['Warning', 'SourceNotReady'],
      ['Warning', 'DependencyNotReady'],
      ['Warning', 'Stalled'],
      ['Warning', 'InvalidSpec'],
      ['Warning', 'Suspended'],
      ['Normal', 'Succeeded'],
    ]);
    for (const { reason, action } of events) expect(action).to.equal(reason);
    const last = events.at(-1);
    expect(last?.['note']).to.equal(status?.conditions?.[0]?.message);
    expect(last?.['reportingController']).to.equal('stageset-controller');
    expect(last?.['regarding']).to.deep.include({
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'StageSet',
      namespace: shop.name,
      name: 'shop',
      uid: metadata.uid,
    });
  });

  it('have the revisions of the run, as Flux has them, and the metadata asked for', async () => {
    const shop = await stand.namespace();
    await shop.publish('one', 'main@sha1:1f', [configMap('one')]);
    await shop.publish('two', '1.4.0', [configMap('two')]);
    await shop.publish('three', '1.4.0', [configMap('three')]);
    await shop.create({
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'StageSet',
      metadata: {
        name: 'shop',
        annotations: { 'event.toolkit.fluxcd.io/environment': 'production', 'example.com/x': 'y' },
      },
      spec: {
        interval: '1h',
        stages: ['one', 'two', 'three'].map((name) => ({ name, sourceRef: { name } })),
      },
    });
    const { metadata } = await shop.untilEvent('Succeeded');
    expect(metadata.annotations).to.deep.equal({
      'event.toolkit.fluxcd.io/environment': 'production',
      'stages.metio.wtf/revision': 'main@sha1:1f,1.4.0',
    });
  });

  it('that come again within minutes become a series', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    for (const suspend of [true, false, true]) {
      await shop.changeSpec({ suspend });
      if (suspend) await shop.untilStageSet((seen) => readyOf(seen)?.reason === 'Suspended');
      else await shop.untilReady('v1');
    }
    const events = await shop.untilCollection(eventKind, (seen) =>
      [...seen.values()].some(
        (event) => event['reason'] === 'Suspended' && fieldOf(event, 'series', 'count') === 2,
      ),
    );
    const reasons = [...events.values()].map(({ reason }) => reason);
    expect(reasons.sort()).to.deep.equal(['Succeeded', 'Suspended']);
  });

  it('are shown by kubectl', async () => {
    const shop = await stand.namespace();
    await shop.createStageSet(['app']);
    await shop.untilEvent('ArtifactNotFound');
    const { stdout } = await stand.playground.cluster.kubectl([
      'events',
      '--for=stageset/shop',
      `--namespace=${shop.name}`,
    ]);
    expect(stdout).to.match(/Warning +ArtifactNotFound +StageSet\/shop +ExternalArtifact /);
  });
});
