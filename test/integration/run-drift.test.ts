import { expect } from 'chai';
import { pause } from '../../src/kubernetes/wait.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { corrected, deployed, edit, isGreen, note, timeUntil, web } from '../drift.ts';
import { metricSum, sentRequests } from '../metrics.ts';
import { configMap, deployment } from '../objects.ts';
import { useController } from '../playground.ts';
import { afterLooks } from '../reconciles.ts';
import { readyOf } from '../test-namespace.ts';

describe('drift of what is watched', () => {
  const stand = useController();

  it('is corrected within a second when somebody edits a field, and told with field and manager', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    const before = readyOf(await shop.untilReady('v1'));
    const change = async (): Promise<void> => await edit(shop, web, { data: { colour: 'red' } });
    const took = await timeUntil(shop, change, web, isGreen);
    process.stdout.write(`      an edit was corrected after ${Math.round(took)} ms\n`);
    expect(took).to.be.below(1000);
    expect(await note(shop, 'DriftCorrected')).to.equal(
      `Corrected drift of 1 object(s) in stage app: ConfigMap/${shop.name}/web ` +
        '(data.colour by kubectl-edit)',
    );
    expect(await corrected(shop, stand.controller.metricsUrl)).to.equal(1);
    expect(readyOf(await shop.untilReady('v1'))).to.deep.equal(before);
  });

  it('is corrected within a second when somebody deletes an object', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    const was = await shop.find(web);
    const change = async (): Promise<void> => await shop.delete(web);
    const anew = ({ metadata }: KubernetesObject): boolean => metadata.uid !== was?.metadata.uid;
    const took = await timeUntil(shop, change, web, anew);
    process.stdout.write(`      a deletion was corrected after ${Math.round(took)} ms\n`);
    expect(took).to.be.below(1000);
    expect(await note(shop, 'DriftCorrected')).to.equal(
      `Corrected drift of 1 object(s) in stage app: ConfigMap/${shop.name}/web (deleted)`,
    );
  });

  it('is corrected when somebody takes the owner label away', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    await edit(shop, web, { metadata: { labels: { 'stages.metio.wtf/name': null } } });
    await shop.untilObject(
      web,
      ({ metadata }) => metadata.labels?.['stages.metio.wtf/name'] === 'shop',
    );
    expect(await note(shop, 'DriftCorrected')).to.include(
      `ConfigMap/${shop.name}/web (metadata.labels[stages.metio.wtf/name])`,
    );
  });

  it('is corrected when somebody gives the object to a StageSet that does not exist', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    await edit(shop, web, { metadata: { labels: { 'stages.metio.wtf/name': 'stolen' } } });
    await shop.untilObject(
      web,
      ({ metadata }) => metadata.labels?.['stages.metio.wtf/name'] === 'shop',
    );
    expect(await note(shop, 'DriftCorrected')).to.include(
      '(metadata.labels[stages.metio.wtf/name] by kubectl-edit)',
    );
  });

  it('is not that another StageSet took the object over', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    const stages = [{ name: 'app', sourceRef: { name: 'app' } }];
    await shop.create({
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'StageSet',
      metadata: { name: 'another' },
      spec: { suspend: true, stages },
    });
    await shop.untilCollection({ apiVersion: 'stages.metio.wtf/v1', kind: 'StageSet' }, (seen) =>
      JSON.stringify(seen.get('another')?.['status'] ?? {}).includes('Suspended'),
    );
    await edit(shop, web, { metadata: { labels: { 'stages.metio.wtf/name': 'another' } } });
    // What comes after it is seen after it.
    await shop.delete(configMap('other'));
    await shop.untilObject(configMap('other'));
    const { metadata } = await shop.untilObject(web);
    expect(metadata.labels?.['stages.metio.wtf/name']).to.equal('another');
  });

  it('names a field in a list by the key of its item', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('web')]);
    await shop.createStageSet(['app']);
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v1');
    const image = 'registry.example.com/evil:1';
    const template = { spec: { containers: [{ name: 'web', image }] } };
    await edit(shop, deployment('web'), { spec: { template } });
    await shop.untilObject(deployment('web'), ({ spec }) => !JSON.stringify(spec).includes('evil'));
    expect(await note(shop, 'DriftCorrected')).to.include(
      `Deployment/${shop.name}/web (spec.template.spec.containers[name=web].image by kubectl-edit)`,
    );
  });

  it('costs a read, a dry-run, a write, and the count on the record of the run', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    await shop.untilEvent('Succeeded');
    const { metricsUrl } = stand.controller;
    const before = await sentRequests(metricsUrl);
    await edit(shop, web, { data: { colour: 'red' } });
    await shop.untilObject(web, isGreen);
    await shop.untilEvent('DriftCorrected');
    const after = await sentRequests(metricsUrl);
    expect(after.reads - before.reads).to.equal(1);
    // And the event.
    expect(after.writes - before.writes).to.be.within(3, 4);
  });

  it('is not what somebody adds of his own', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    await afterLooks(stand.controller, 1, async () => {
      await edit(shop, web, { data: { 'added-by-hand': 'stays' } });
    });
    await edit(shop, web, { data: { colour: 'red' } });
    const { data } = await shop.untilObject(web, isGreen);
    expect(data).to.deep.equal({ 'added-by-hand': 'stays', colour: 'green', size: 'large' });
    expect(await corrected(shop, stand.controller.metricsUrl)).to.equal(1);
  });

  it('is not a status update', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('web'), web]);
    await shop.createStageSet(['app']);
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v1');
    const { reads, writes } = await sentRequests(stand.controller.metricsUrl);
    await shop.reportDeployment('web', 'Stuck');
    // What comes after it is seen after it.
    await edit(shop, web, { data: { colour: 'red' } });
    await shop.untilObject(web, isGreen);
    await shop.untilEvent('DriftCorrected');
    const after = await sentRequests(stand.controller.metricsUrl);
    expect(after.reads - reads).to.equal(1);
    expect(after.writes - writes).to.be.at.most(5);
    expect(await note(shop, 'DriftCorrected')).not.to.include('Deployment');
  });

  it('is not an edit of the spec, nor a new revision', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    await shop.publish('more', 'v1', [configMap('more')]);
    await shop.changeStages(['app', 'more']);
    await shop.untilReady('v1');
    await shop.publish('app', 'v2', [configMap('web', { colour: 'blue' })]);
    await shop.untilStageSet(({ status }) => status?.stages?.[0]?.appliedRevision === 'v2');
    await shop.untilReady();
    expect(await corrected(shop, stand.controller.metricsUrl)).to.equal(0);
    expect(await shop.eventReasons()).not.to.include('DriftCorrected');
    // The object that the new revision has dropped is gone, and stays so.
    expect(await shop.configMapNames()).to.deep.equal(['more', 'web']);
  });

  it('is left alone while the StageSet is suspended, and corrected when it is resumed', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await edit(shop, web, { data: { colour: 'red' } });
    await afterLooks(stand.controller, 1, async () => await shop.request('look'));
    expect((await shop.find(web))?.['data']).to.deep.equal({ colour: 'red', size: 'large' });
    await shop.changeSpec({ suspend: false });
    await shop.untilObject(web, isGreen);
  });

  it('is corrected of many objects at once by lists', async () => {
    const shop = await stand.namespace();
    const many = Array.from({ length: 150 }, (_, index) => configMap(`many-${index}`));
    await shop.publish('app', 'v1', many);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    const call = { signal: AbortSignal.timeout(30_000) };
    const collection = `/api/v1/namespaces/${shop.name}/configmaps`;
    await shop.client.raw({ method: 'DELETE', path: collection }, call);
    await shop.untilCollection(web, (seen) =>
      many.every(({ metadata }) => seen.has(metadata.name)),
    );
  });

  it('is corrected in one stage while another is still converging', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [web]);
    await shop.publish('slow', 'v1', [deployment('slow')]);
    await shop.createStageSet(['app', { name: 'slow', timeout: '1s' }], { retryInterval: '1h' });
    await shop.untilReason('StageProgressing');
    await edit(shop, web, { data: { colour: 'red' } });
    await shop.untilObject(web, isGreen);
    await shop.untilEvent('DriftCorrected');
    const { status } = await shop.untilStageSet(() => true);
    expect(status?.stages?.map(({ phase }) => phase)).to.deep.equal(['Ready', 'Verifying']);
    expect(await shop.untilReason('StageProgressing')).to.include('Stage slow');
  });

  it('of an object that does not become healthy again keeps no other one from being corrected', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('slow'), web]);
    await shop.createStageSet(['app']);
    await shop.reportDeployment('slow', 'Available');
    await shop.untilReady('v1');
    await shop.delete(deployment('slow'));
    await shop.untilObject(deployment('slow'));
    await edit(shop, web, { data: { colour: 'red' } });
    await shop.untilObject(web, isGreen);
    await shop.publish('app', 'v2', [configMap('web', { colour: 'blue' })]);
    await shop.untilReady('v2');
  });

  it('is watched by as few watches as there are kinds, and by none when the StageSet is gone', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [web, configMap('other')]);
    await shop.publish('more', 'v1', [configMap('more'), deployment('more')]);
    await shop.createStageSet(['app', 'more']);
    await shop.reportDeployment('more', 'Available');
    await shop.untilReady('v1');
    const watches = async (): Promise<number> =>
      await metricSum(stand.controller.metricsUrl, 'stageset_owned_watches');
    expect(await watches()).to.equal(2);
    await shop.publish('more', 'v2', [configMap('more')]);
    await shop.untilStageSet(({ status }) => status?.stages?.[1]?.appliedRevision === 'v2');
    expect(await watches()).to.equal(1);
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    const { signal } = shop.call;
    while ((await watches()) > 0) await pause(20, signal);
  });
});

describe('readiness of what is watched', () => {
  const stand = useController();

  it('moves the run on within 200 ms', async () => {
    const times: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const shop = await stand.namespace();
      await shop.publish('backend', 'v1', [deployment('backend')]);
      await shop.publish('frontend', 'v1', [configMap('frontend')]);
      await shop.createStageSet(['backend', 'frontend']);
      await shop.untilPhase('backend', 'Verifying');
      // Long enough for the looks to have become rare.
      await pause(4000, shop.call.signal);
      let writtenAt = 0;
      const next = shop.untilObject(configMap('frontend')).then(() => performance.now());
      await shop.reportDeployment('backend', 'Available');
      writtenAt = performance.now();
      times.push((await next) - writtenAt);
      await shop.untilReady('v1');
    }
    const words = times.map((time) => Math.round(time)).join(', ');
    process.stdout.write(`      the next stage began ${words} ms after the status write\n`);
    const [, median = Number.NaN] = [...times].sort((one, other) => one - other);
    expect(median).to.be.below(200);
  });
});
