import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import type { Migration, StageSet } from '../../src/types/stages.ts';
import { configMap } from '../objects.ts';
import { TestPlanner } from '../planning.ts';
import { useController } from '../playground.ts';
import { readyOf, type TestNamespace } from '../test-namespace.ts';
import { WebhookReceiver } from '../webhook-receiver.ts';

describe('versions and migrations', () => {
  const stand = useController({ flags: ['--local-action-hosts=127.0.0.1', '--log-level=debug'] });
  let planner: TestPlanner;
  let receiver: WebhookReceiver;

  before(async () => {
    planner = new TestPlanner(stand.playground);
    receiver = await WebhookReceiver.start();
  });
  after(async () => {
    await planner.close();
    await receiver.stop();
  });

  function call(name: string, path: string): Record<string, unknown> {
    return { name, http: { url: receiver.url(`/${path}`), method: 'POST' } };
  }

  function ladder(to: string, stage: string | undefined, path: string): Record<string, unknown> {
    return {
      name: `to-${to}`,
      to,
      ...(stage === undefined ? {} : { stage }),
      actions: [call('first', `${path}/up/${to}/first`), call('second', `${path}/up/${to}/second`)],
      down: [call('back', `${path}/down/${to}`)],
    };
  }

  async function delivered(
    version: Record<string, unknown>,
    spec: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('dev', { release: 'one' })]);
    await shop.publish('prod', 'v1', [configMap('prod')]);
    await shop.createStageSet(['dev', 'prod'], { version, ...spec });
    await shop.untilReady('v1');
    return shop;
  }

  function calls(shop: TestNamespace): string[] {
    return receiver.paths(`/${shop.name}/`);
  }

  function isAt(version: string): (stageSet: StageSet) => boolean {
    return ({ status }) => status?.version === version;
  }

  function laddersOf(shop: TestNamespace): unknown {
    return [ladder('2.0.0', 'prod', shop.name), ladder('1.5.0', undefined, shop.name)];
  }

  it('take the first version as it is, and migrate from there on, before the stage that is named', async () => {
    const shop = await delivered({ value: '1.0.0' });
    expect((await shop.untilStageSet(isAt('1.0.0'))).status?.version).to.equal('1.0.0');
    await shop.untilEvent('MigrationsBaselined');
    await shop.changeSpec({ version: { value: 'v2.0.0' }, migrations: laddersOf(shop) });
    const { status } = await shop.untilStageSet(isAt('v2.0.0'));
    expect(calls(shop)).to.deep.equal([
      `/${shop.name}/up/1.5.0/first`,
      `/${shop.name}/up/1.5.0/second`,
      `/${shop.name}/up/2.0.0/first`,
      `/${shop.name}/up/2.0.0/second`,
    ]);
    expect(status?.executedMigrations).to.equal(undefined);
    expect(status?.pendingMigrations).to.equal(undefined);
    await shop.untilEvent('MigrationCompleted');
  });

  it('go back by what is declared for that, and only where that is allowed', async () => {
    const shop = await delivered({ value: '2.0.0' });
    await shop.changeSpec({ version: { value: '1.0.0' }, migrations: laddersOf(shop) });
    expect(await shop.untilReason('DowngradeNotAllowed')).to.include('1.0.0');
    await shop.changeSpec({ version: { value: '1.0.0', allowDowngrade: true } });
    await shop.untilStageSet(isAt('1.0.0'));
    expect(calls(shop)).to.deep.equal([`/${shop.name}/down/1.5.0`, `/${shop.name}/down/2.0.0`]);
  });

  it('wait for the approval of exactly that version, and keep what is deployed meanwhile (gap: part B 2.6)', async () => {
    const shop = await delivered({ value: '1.0.0', approvalMode: 'OnMigrations' });
    await shop.changeSpec({
      version: { value: '2.0.0', approvalMode: 'OnMigrations' },
      migrations: laddersOf(shop),
    });
    const message = await shop.untilReason('AwaitingApproval');
    expect(message).to.include('2.0.0').and.to.include('approved-version');
    const held = await shop.untilStageSet(({ status }) => status?.pendingVersion === '2.0.0');
    expect(held.status?.pendingMigrations?.map(({ name }) => name)).to.deep.equal([
      'to-1.5.0',
      'to-2.0.0',
    ]);
    expect(calls(shop)).to.deep.equal([]);
    const plan = await planner.plan(shop);
    expect(plan.version).to.deep.equal({ current: '1.0.0', desired: '2.0.0', direction: 'Up' });
    expect(plan.migrations?.map(({ name }) => name)).to.deep.equal(['to-1.5.0', 'to-2.0.0']);
    expect(plan.holds[0]).to.deep.include({ gate: 'VersionApproval', releasedBy: 'Person' });
    const [, prod] = plan.stages;
    expect(prod?.objects.unchanged).to.equal(1);
    expect(prod?.actions?.map(({ hook, verdict }) => `${hook} ${verdict}`)).to.deep.equal([
      'migration WillRun',
      'migration WillRun',
    ]);

    const other = await planner.plan(shop, { suppose: { version: '1.5.0' } });
    expect(other.version?.desired).to.equal('1.5.0');
    expect(other.migrations?.map(({ name }) => name)).to.deep.equal(['to-1.5.0']);

    await shop.patch(configMap('dev'), { data: { release: 'drifted' } });
    await shop.untilObject(configMap('dev'), isAsDelivered);
    await shop.annotate({ 'stages.metio.wtf/approved-version': '1.9.0' });
    await stand.killAndRestart();
    expect(await shop.untilReason('AwaitingApproval')).to.include('2.0.0');
    await shop.annotate({ 'stages.metio.wtf/approved-version': 'v2.0.0' });
    const { status } = await shop.untilStageSet(isAt('2.0.0'));
    expect(status?.pendingVersion).to.equal(undefined);
  });

  it('resume behind the action that is done, when one has failed', async () => {
    const shop = await delivered({ value: '1.0.0' });
    const path = `${shop.name}/up/2.0.0/second`;
    receiver.statuses.set(`/${path}`, 404);
    const migrations = [ladder('2.0.0', 'prod', shop.name)] as unknown as Migration[];
    await shop.changeSpec({ version: { value: '2.0.0' }, migrations });
    const message = await shop.untilReason('MigrationFailed');
    expect(message).to.include('migration to-2.0.0 (to 2.0.0)').and.to.include('404');
    const failed = await shop.untilStageSet(({ status }) => status?.migrationFailureCount === 1);
    expect(
      failed.status?.executedMigrationActions?.some((entry) => entry.endsWith('/first')),
    ).to.equal(true);
    expect(readyOf(failed)?.status).to.equal('False');
    receiver.statuses.delete(`/${path}`);
    await shop.request('again');
    await shop.untilStageSet(isAt('2.0.0'));
    expect(calls(shop).filter((each) => each.endsWith('/first'))).to.have.length(1);
  });

  it('have actions of scope Version done once for each, whatever the revision', async () => {
    const shop = await stand.namespace();
    const migrate = { ...call('migrate', `${shop.name}/version`), scope: 'Version' };
    const dev = { name: 'dev', sourceRef: { name: 'dev' }, actions: { pre: [migrate] } };
    await shop.publish('dev', 'v1', [configMap('dev')]);
    await shop.createStageSet([dev], { version: { value: '1.0.0' } });
    await shop.untilStageSet(isAt('1.0.0'));
    // The first version is the one that is there: what is done once for each counts as done.
    expect(calls(shop)).to.deep.equal([]);
    await shop.changeSpec({ version: { value: '1.1.0' } });
    await shop.untilStageSet(isAt('1.1.0'));
    expect(calls(shop)).to.deep.equal([`/${shop.name}/version`]);
    await shop.publish('dev', 'v2', [configMap('dev', { release: 'two' })]);
    await shop.untilReady('v2');
    expect(calls(shop)).to.have.length(1);
    await shop.untilEvent('ActionSkipped');
  });

  it('take the version from an object that a stage renders', async () => {
    const labelled = (version: string): KubernetesObject => {
      const plain = configMap('about');
      const labels = { 'app.kubernetes.io/version': version };
      return { ...plain, metadata: { ...plain.metadata, labels } };
    };
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [labelled('1.0.0')]);
    const fromObject = { kind: 'ConfigMap', name: 'about' };
    await shop.createStageSet(['dev'], { version: { fromObject }, migrations: laddersOf(shop) });
    await shop.untilStageSet(isAt('1.0.0'));
    await shop.publish('dev', 'v2', [labelled('1.5.0')]);
    await shop.untilStageSet(isAt('1.5.0'));
    expect(calls(shop)).to.have.length(2);
  });
});

function isAsDelivered(object: KubernetesObject): boolean {
  return !JSON.stringify(object['data'] ?? {}).includes('drifted');
}
