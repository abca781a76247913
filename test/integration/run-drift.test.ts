import { expect } from 'chai';
import { fieldManager } from '../../src/apply/field-manager.ts';
import { pause } from '../../src/kubernetes/wait.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { metricSum, sentRequests } from '../metrics.ts';
import { configMap, deployment, withMetadata } from '../objects.ts';
import { useController } from '../playground.ts';
import { afterLooks } from '../reconciles.ts';
import { readyOf, type TestNamespace } from '../test-namespace.ts';

const web = configMap('web', { colour: 'green', size: 'large' });

/** A StageSet with an interval of an hour: what is corrected, is corrected for what a watch told. */
async function deployed(shop: TestNamespace, spec: Record<string, unknown> = {}): Promise<void> {
  await shop.publish('app', 'v1', [web, configMap('other')]);
  await shop.createStageSet(['app'], spec);
  await shop.untilReady('v1');
}

/** Milliseconds from the beginning of `change` until the object is as `judge` wants it. */
async function timeUntil(
  shop: TestNamespace,
  change: () => Promise<unknown>,
  object: KubernetesObject,
  judge: (object: KubernetesObject) => boolean,
): Promise<number> {
  const started = performance.now();
  await change();
  await shop.untilObject(object, judge);
  return performance.now() - started;
}

const isGreen = ({ data }: KubernetesObject): boolean => JSON.stringify(data).includes('green');

/** Writes as another field manager, as `kubectl edit` does. */
async function edit(shop: TestNamespace, object: KubernetesObject, body: unknown): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  const reference = { apiVersion, kind, namespace: shop.name, name: metadata.name };
  const patch = { type: 'Merge', body, fieldManager: 'kubectl-edit' } as const;
  await shop.client.patch(reference, patch, shop.call);
}

async function corrected(shop: TestNamespace, metricsUrl: string): Promise<number> {
  return await metricSum(metricsUrl, 'stageset_drift_corrected_total', shop.name);
}

async function note(shop: TestNamespace, reason: string): Promise<string> {
  return String((await shop.untilEvent(reason))['note']);
}

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

  it('costs a read, a dry-run and a write', async () => {
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
    expect(after.writes - before.writes).to.be.within(2, 3);
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

  it('that somebody causes again and again is corrected less and less often, and told', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    const end = performance.now() + 6000;
    let edits = 0;
    while (performance.now() < end) {
      await edit(shop, web, { data: { colour: `red-${edits}` } });
      edits += 1;
      await pause(20, shop.call.signal);
    }
    const writes = await corrected(shop, stand.controller.metricsUrl);
    process.stdout.write(`      ${edits} edits in 6 s were met by ${writes} corrections\n`);
    expect(edits).to.be.above(50);
    expect(writes).to.equal(6);
    expect(await note(shop, 'DriftContested')).to.equal(
      `Somebody keeps changing 1 object(s) of stage app back: ConfigMap/${shop.name}/web ` +
        '(data.colour by kubectl-edit), left alone for 10s. ' +
        'Take the fields out of the release, or stop whoever writes them',
    );
    // The last edit is corrected when the pause is over.
    const { metadata } = await shop.untilObject(web, isGreen);
    expect(JSON.stringify(metadata['managedFields'])).to.include(fieldManager);
  });

  it('of another object is corrected at once while one is contested', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    for (let edits = 0; edits < 7; edits += 1) {
      const colour = `red-${edits}`;
      await edit(shop, web, { data: { colour } });
      if (edits < 6) await shop.untilObject(web, isGreen);
    }
    await shop.untilEvent('DriftContested');
    await shop.delete(configMap('other'));
    const started = performance.now();
    await shop.untilObject(configMap('other'));
    expect(performance.now() - started).to.be.below(1000);
    expect((await shop.find(web))?.['data']).to.include({ colour: 'red-6' });
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

describe('with --drift-watch=false', () => {
  const stand = useController({ flags: ['--log-level=debug', '--drift-watch=false'] });

  it('nothing is watched, and drift waits for the interval', async () => {
    const shop = await stand.namespace();
    await deployed(shop, { interval: '3s' });
    expect(await metricSum(stand.controller.metricsUrl, 'stageset_owned_watches')).to.equal(0);
    await afterLooks(stand.controller, 1, async () => await Promise.resolve());
    await edit(shop, web, { data: { colour: 'red' } });
    await shop.untilObject(web, isGreen);
    expect(await note(shop, 'DriftCorrected')).to.include('(data.colour by kubectl-edit)');
  });

  it('readiness is polled for', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('web')]);
    await shop.createStageSet(['app']);
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v1');
  });
});

describe('drift of what a tenant applied', () => {
  const stand = useController();

  async function tenant(
    verbs: readonly string[],
    spec: Record<string, unknown>,
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    const name = 'deployer';
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name } };
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs }];
    const subjects = [{ kind: 'ServiceAccount', name, namespace: shop.name }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
    await shop.create(
      withMetadata({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }, {}),
    );
    await shop.create({ ...role, kind: 'Role', rules });
    await shop.create({ ...role, kind: 'RoleBinding', subjects, roleRef });
    await deployed(shop, { serviceAccountName: name, ...spec });
    return shop;
  }

  it('is watched as the tenant', async () => {
    const shop = await tenant(['get', 'list', 'watch', 'create', 'patch', 'delete'], {});
    await edit(shop, web, { data: { colour: 'red' } });
    const started = performance.now();
    await shop.untilObject(web, isGreen);
    expect(performance.now() - started).to.be.below(1000);
  });

  it('waits for the interval where the tenant may not watch', async () => {
    const shop = await tenant(['get', 'list', 'create', 'patch', 'delete'], { interval: '3s' });
    await edit(shop, web, { data: { colour: 'red' } });
    await shop.untilObject(web, isGreen);
    const told = (): boolean =>
      stand.controller.log.some((line) => line.includes('objects are not watched'));
    const { signal } = shop.call;
    while (!told()) await pause(20, signal);
    expect(await shop.untilReason('Succeeded')).to.equal('Applied and verified 1 stage(s)');
  });
});
