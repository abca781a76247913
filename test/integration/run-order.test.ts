import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { configMap, deployment, toyDefinition } from '../objects.ts';
import { useController } from '../playground.ts';
import { phasesOf, readyOf, type TestNamespace } from '../test-namespace.ts';
import { happenedBefore } from '../watching.ts';

describe('a rollout in three stages', () => {
  const stand = useController();

  /** Three stages; the first two wait for a Deployment each. */
  async function begin(): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('database', 'v1', [deployment('database')]);
    await shop.publish('backend', 'v1', [configMap('backend'), deployment('backend')]);
    await shop.publish('frontend', 'v1', [configMap('frontend')]);
    await shop.createStageSet(['database', 'backend', 'frontend']);
    return shop;
  }

  it('touches no stage before the one in front of it is ready', async () => {
    const shop = await begin();

    await shop.untilPhase('database', 'Verifying');
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(Object.keys(await shop.inventories())).to.deep.equal(['database']);
    const databaseReady = await shop.reportDeployment('database', 'Available');

    await shop.untilPhase('backend', 'Verifying');
    expect(await shop.configMapNames()).to.deep.equal(['backend']);
    const backend = await shop.untilObject(configMap('backend'));
    expect(happenedBefore(databaseReady, backend)).to.equal(true);
    const backendReady = await shop.reportDeployment('backend', 'Available');

    await shop.untilReady('v1');
    const frontend = await shop.untilObject(configMap('frontend'));
    expect(happenedBefore(backendReady, frontend)).to.equal(true);
  });

  it('tells in the status which stage it is at, and what it waits for', async () => {
    const shop = await begin();

    const first = await shop.untilPhase('database', 'Verifying');
    expect(phasesOf(first)).to.deep.equal(['Verifying', 'Pending', 'Pending']);
    expect(readyOf(first)).to.include({
      status: 'Unknown',
      reason: 'Progressing',
      message:
        'Rolling out, stage 1 of 3 (database): 1 of 1 not ready: ' +
        `Deployment/${shop.name}/database: 0 of 1 replicas created`,
    });
    expect(first.status?.observedGeneration).to.equal(1);
    await shop.reportDeployment('database', 'Available');

    const second = await shop.untilPhase('backend', 'Verifying');
    expect(phasesOf(second)).to.deep.equal(['Ready', 'Verifying', 'Pending']);
    await shop.reportDeployment('backend', 'Available');

    const ready = await shop.untilReady('v1');
    expect(phasesOf(ready)).to.deep.equal(['Ready', 'Ready', 'Ready']);
    expect(readyOf(ready)).to.include({
      status: 'True',
      reason: 'Succeeded',
      message: 'Applied and verified 3 stage(s)',
      observedGeneration: 1,
    });
    expect(ready.status?.lastAppliedRevisions).to.deep.equal({
      [`${shop.name}/database`]: 'v1',
      [`${shop.name}/backend`]: 'v1',
      [`${shop.name}/frontend`]: 'v1',
    });
    expect(
      ready.status?.stages?.map(({ entriesCount, shards }) => [entriesCount, shards]),
    ).to.deep.equal([
      [1, 1],
      [2, 1],
      [1, 1],
    ]);
  });

  it('labels what it applies with the StageSet and the stage, and records it', async () => {
    const shop = await begin();
    await shop.reportDeployment('database', 'Available');
    await shop.reportDeployment('backend', 'Available');
    await shop.untilReady('v1');

    const backend = await shop.untilObject(configMap('backend'));
    const { 'applyset.kubernetes.io/part-of': partOf, ...labels } = backend.metadata.labels ?? {};
    expect(partOf).to.match(/^applyset-[-_A-Za-z0-9]{43}-v1$/);
    expect(labels).to.deep.equal({
      'stages.metio.wtf/name': 'shop',
      'stages.metio.wtf/namespace': shop.name,
      'stages.metio.wtf/stage': 'backend',
    });
    expect(backend.metadata.managedFields).to.have.lengthOf(1);
    expect(backend.metadata.managedFields?.[0]).to.include({
      manager: 'stageset-controller',
      operation: 'Apply',
    });
    expect(await shop.inventories()).to.deep.equal({
      database: [`${shop.name}_database_apps_Deployment`],
      backend: [`${shop.name}_backend__ConfigMap`, `${shop.name}_backend_apps_Deployment`],
      frontend: [`${shop.name}_frontend__ConfigMap`],
    });
  });

  it('can be followed with kubectl', async () => {
    const shop = await begin();
    const { kubectl } = shop.playground.cluster;
    const waiting = kubectl([
      ...['wait', 'stageset/shop', '-n', shop.name],
      ...['--for=condition=Ready', '--timeout=30s'],
    ]);
    await shop.untilPhase('database', 'Verifying');
    const during = await kubectl(['get', 'stagesets', '-n', shop.name]);
    const [titles = '', row = ''] = during.stdout.split('\n');
    expect(titles.trim().split(/ {2,}/)).to.deep.equal(['NAME', 'READY', 'STATUS', 'AGE']);
    expect(row).to.match(/^shop +Unknown +Rolling out, stage 1 of 3 \(database\)/);

    await shop.reportDeployment('database', 'Available');
    await shop.reportDeployment('backend', 'Available');
    expect((await waiting).stdout).to.equal('stageset.stages.metio.wtf/shop condition met\n');
    const after = await kubectl(['get', 'stagesets', '-n', shop.name, '--no-headers']);
    expect(after.stdout).to.match(/^shop +True +Applied and verified 3 stage\(s\)/);
  });

  it('announces the success as an event, and only once', async () => {
    const shop = await begin();
    await shop.reportDeployment('database', 'Available');
    await shop.reportDeployment('backend', 'Available');
    const event = await shop.untilEvent('Succeeded');
    expect(event).to.deep.include({
      type: 'Normal',
      reportingController: 'stageset-controller',
      note: 'Applied and verified 3 stage(s)',
    });

    await shop.request('again');
    await shop.untilStageSet(({ status }) => status?.lastHandledReconcileAt === 'again');
    expect(await shop.eventReasons()).to.deep.equal(['Succeeded']);
  });
});

describe('the order inside a stage', () => {
  const stand = useController();

  it('has webhooks and APIServices last, and the others not wait to be ready for them', async () => {
    const shop = await stand.namespace();
    const group = `${shop.name}.example.com`;
    const apiService: KubernetesObject = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `v1.${group}` },
      spec: { group, version: 'v1', groupPriorityMinimum: 10, versionPriority: 10 },
    };
    const webhook = (kind: string): KubernetesObject => ({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind,
      metadata: { name: shop.name },
      webhooks: [
        {
          name: `none.${group}`,
          admissionReviewVersions: ['v1'],
          sideEffects: 'None',
          failurePolicy: 'Ignore',
          clientConfig: { url: 'https://127.0.0.1:1/never' },
          objectSelector: { matchLabels: { [`${group}/none`]: 'such' } },
          rules: [
            {
              apiGroups: [group],
              apiVersions: ['v1'],
              resources: ['none'],
              operations: ['CREATE'],
            },
          ],
        },
      ],
    });
    const last = [
      apiService,
      webhook('MutatingWebhookConfiguration'),
      webhook('ValidatingWebhookConfiguration'),
    ];
    await shop.publish('app', 'v1', [...last, deployment('server'), configMap('settings')]);
    await shop.createStageSet(['app']);
    await shop.untilPhase('app', 'Verifying');
    const server = await shop.untilObject(deployment('server'));
    for (const { apiVersion, kind, metadata } of last) {
      const created = await shop.client.get({ apiVersion, kind, name: metadata.name }, shop.call);
      expect(happenedBefore(server, created), kind).to.equal(true);
    }
    await shop.reportDeployment('server', 'Available');
    await shop.untilReady('v1');
    // The cluster is shared, and these have no namespace to go with.
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
  });

  it('takes a definition with a placeholder for the CA bundle, and does not own that field', async () => {
    const shop = await stand.namespace();
    const definition = toyDefinition('Kite');
    const service = { name: 'convert', namespace: shop.name };
    const conversion = {
      strategy: 'Webhook',
      webhook: { clientConfig: { service, caBundle: 'Cg==' }, conversionReviewVersions: ['v1'] },
    };
    const spec = Object.assign({}, definition['spec'], { conversion });
    await shop.publish('app', 'v1', [{ ...definition, spec }]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    const { apiVersion, kind, metadata } = definition;
    const created = await shop.client.get({ apiVersion, kind, name: metadata.name }, shop.call);
    expect(JSON.stringify(created.metadata.managedFields)).not.to.include('f:caBundle');
  });
});
