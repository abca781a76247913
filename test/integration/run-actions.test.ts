import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { configMap } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { WebhookReceiver } from '../webhook-receiver.ts';

describe('the actions of a stage', () => {
  let playground: Playground;
  let controller: ControllerProcess;
  let receiver: WebhookReceiver;

  before(async () => {
    playground = await sharedPlayground();
    receiver = await WebhookReceiver.start();
    controller = await start();
  });
  afterEach(async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    await removeStageSets(playground);
  });
  after(async () => {
    await controller.stop();
    await receiver.stop();
  });

  async function start(): Promise<ControllerProcess> {
    const flags = ['--log-level=debug', `--local-action-hosts=${receiver.host}`];
    return await playground.startController({ flags });
  }

  function http(shop: TestNamespace, name: string, rest: Record<string, unknown> = {}): object {
    return { name, http: { url: receiver.url(`/${shop.name}/${name}`) }, ...rest };
  }

  async function release(
    shop: TestNamespace,
    actions: Record<string, unknown>,
    rest: Record<string, unknown> = {},
  ): Promise<void> {
    await shop.publish('dev', 'v1', [configMap('dev')]);
    await shop.createStageSet([{ name: 'dev', sourceRef: { name: 'dev' }, actions, ...rest }]);
  }

  it('are done around its apply, are in the status and on record, and not done again', async () => {
    const shop = await TestNamespace.create(playground);
    await shop.create(configMap('target', { was: 'here' }));
    await shop.create(configMap('gone'));
    await release(shop, {
      pre: [
        http(shop, 'one'),
        { name: 'nap', wait: { duration: '200ms' } },
        {
          name: 'label',
          patch: {
            target: { apiVersion: 'v1', kind: 'ConfigMap', name: 'target' },
            patch: 'metadata: {labels: {patched: "yes"}}',
          },
        },
      ],
      post: [
        {
          name: 'seen',
          wait: {
            target: { apiVersion: 'v1', kind: 'ConfigMap', name: 'dev' },
            expr: 'has(metadata.uid)',
          },
        },
        {
          name: 'remove',
          delete: { target: { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone' } },
        },
        http(shop, 'two'),
      ],
    });
    const { status } = await shop.untilReady('v1');
    expect(receiver.paths(`/${shop.name}/`)).to.deep.equal([
      `/${shop.name}/one`,
      `/${shop.name}/two`,
    ]);
    const stage = status?.stages?.[0];
    expect(stage?.executedActions).to.deep.equal(['one', 'nap', 'label', 'seen', 'remove', 'two']);
    expect(stage?.ledgerRevision).to.equal('v1');
    expect(stage?.runningAction).to.equal(undefined);
    const target = await shop.find(configMap('target'));
    expect(target?.metadata.labels?.['patched']).to.equal('yes');
    expect(await shop.find(configMap('gone'))).to.equal(undefined);

    await shop.publish('dev', 'v2', [configMap('dev', { release: 'v2' })]);
    await shop.untilReady('v2');
    expect(receiver.counts(`/${shop.name}/`)).to.deep.equal({
      [`/${shop.name}/one`]: 2,
      [`/${shop.name}/two`]: 2,
    });
    await shop.request('again');
    await shop.untilStageSet(({ status: now }) => now?.lastHandledReconcileAt === 'again');
    expect(receiver.paths(`/${shop.name}/`)).to.have.length(4);
  });

  it('in pre that fail leave the cluster untouched, and say what to do', async () => {
    const shop = await TestNamespace.create(playground);
    receiver.statuses.set(`/${shop.name}/bad`, 404);
    await release(shop, {
      pre: [http(shop, 'bad', { retries: 3 })],
      onFailure: [http(shop, 'tell')],
    });
    const message = await shop.untilReason('StageFailed');
    expect(message).to.match(
      new RegExp(
        `^Stage dev: pre-action: action bad: ${receiver.host} answered 404 instead of 2xx`,
      ),
    );
    expect(message).not.to.include('nobody may see');
    expect(await shop.configMapNames()).to.deep.equal([]);
    expect(receiver.counts(`/${shop.name}/`)).to.deep.equal({ [`/${shop.name}/bad`]: 1 });
  });

  it('in post that fail are followed by onFailure, once for a revision', async () => {
    const shop = await TestNamespace.create(playground);
    receiver.statuses.set(`/${shop.name}/bad`, 500);
    await release(shop, {
      post: [http(shop, 'bad', { retries: 1 })],
      onFailure: [http(shop, 'tell')],
    });
    await shop.untilReason('StageFailed');
    receiver.statuses.set(`/${shop.name}/bad`, 204);
    const { status } = await shop.untilReady('v1');
    expect(status?.stages?.[0]?.executedActions).to.deep.equal(['tell', 'bad']);
    expect(receiver.counts(`/${shop.name}/`)[`/${shop.name}/tell`]).to.equal(1);
    const event = await shop.untilEvent('OnFailureAction');
    expect(event['note'] ?? event['message']).to.include(
      'onFailure action tell of stage dev was done',
    );
  });
});
