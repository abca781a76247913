import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { parseStageRun } from '../../src/core/validate/schema.ts';
import { type StageRun, stagesApiVersion } from '../../src/types/stages.ts';
import { configMap } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { WebhookReceiver } from '../webhook-receiver.ts';

describe('the record of actions that fail', () => {
  let playground: Playground;
  let controller: ControllerProcess;
  let receiver: WebhookReceiver;

  before(async () => {
    playground = await sharedPlayground();
    receiver = await WebhookReceiver.start();
    const flags = ['--log-level=debug', `--local-action-hosts=${receiver.host}`];
    controller = await playground.startController({ flags });
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    await removeStageSets(playground);
  });
  after(async () => {
    await controller.stop();
    await receiver.stop();
  });

  function http(shop: TestNamespace, name: string, rest: Record<string, unknown> = {}): object {
    return { name, http: { url: receiver.url(`/${shop.name}/${name}`) }, ...rest };
  }

  async function newestRun(shop: TestNamespace, phase: string): Promise<StageRun> {
    const kind = { apiVersion: stagesApiVersion, kind: 'StageRun' };
    const runs = (objects: Iterable<unknown>): StageRun[] =>
      [...objects].flatMap((object) => {
        const parsed = parseStageRun(object);
        return parsed.ok && parsed.value.status?.phase === phase ? [parsed.value] : [];
      });
    const found = await shop.untilCollection(kind, (objects) => runs(objects.values()).length > 0);
    const [run] = runs(found.values()).sort(
      (one, other) => (other.spec?.sequence ?? 0) - (one.spec?.sequence ?? 0),
    );
    if (run === undefined) throw new Error('there is a run');
    return run;
  }

  it('[gap] that fail in pre leave the applied revision as it was (part A 1.2)', async () => {
    const shop = await TestNamespace.create(playground);
    await shop.publish('dev', 'v1', [configMap('dev', { release: 'v1' })]);
    const actions = { pre: [http(shop, 'gate')] };
    await shop.createStageSet([{ name: 'dev', sourceRef: { name: 'dev' }, actions }]);
    await shop.untilReady('v1');
    receiver.statuses.set(`/${shop.name}/gate`, 403);
    await shop.publish('dev', 'v2', [configMap('dev', { release: 'v2' })]);
    await shop.untilReason('StageFailed');
    const { status } = await shop.untilStageSet(
      ({ status: now }) => now?.stages?.[0]?.phase === 'Failed',
    );
    expect(status?.stages?.[0]?.appliedRevision).to.equal('v1');
    expect((await shop.find(configMap('dev')))?.['data']).to.deep.equal({ release: 'v1' });
    const run = await newestRun(shop, 'Failed');
    const [act] = run.status?.stages?.[0]?.actions ?? [];
    expect(act).to.include({ hook: 'pre', name: 'gate', outcome: 'Failed' });
    expect(act?.message).to.match(/^action gate: 127\.0\.0\.1:\d+ answered 403 instead of 2xx$/);
  });
});
