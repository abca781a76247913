import type { ControllerProcess } from '../dev/controller-process.ts';
import type { Playground } from '../dev/playground.ts';
import { configMap } from './objects.ts';
import { removeStageSets, sharedPlayground, showLog } from './playground.ts';
import { TestNamespace } from './test-namespace.ts';
import { WebhookReceiver } from './webhook-receiver.ts';

/** What tests of actions share: a controller that may call a server of theirs. */
export interface ActionStand {
  readonly playground: Playground;
  readonly controller: ControllerProcess;
  readonly receiver: WebhookReceiver;
  /** A namespace with the source `app` at v1. */
  namespace(): Promise<TestNamespace>;
  /** An http action that calls the receiver at `/<namespace>/<name>`. */
  http(shop: TestNamespace, name: string, rest?: Record<string, unknown>): Record<string, unknown>;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** As `useController`, and with a receiver of http actions. */
export function useActions(): ActionStand {
  let world: { playground: Playground; receiver: WebhookReceiver } | undefined;
  let controller: ControllerProcess | undefined;
  const present = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('This is there only while tests run');
    return value;
  };
  const start = async (): Promise<void> => {
    const { playground, receiver } = present(world);
    const flags = ['--log-level=debug', `--local-action-hosts=${receiver.host}`];
    controller = await playground.startController({ flags });
  };
  before('start a controller and a receiver', async () => {
    world = { playground: await sharedPlayground(), receiver: await WebhookReceiver.start() };
    await start();
  });
  afterEach('remove the StageSets of the test', async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    if (world !== undefined) await removeStageSets(world.playground);
  });
  after('stop them', async () => {
    await controller?.stop();
    await world?.receiver.stop();
  });
  return {
    get playground() {
      return present(world).playground;
    },
    get controller() {
      return present(controller);
    },
    get receiver() {
      return present(world).receiver;
    },
    namespace: async () => {
      const shop = await TestNamespace.create(present(world).playground);
      await shop.publish('app', 'v1', [configMap('app')]);
      return shop;
    },
    http: (shop, name, rest = {}) => ({
      name,
      http: { url: present(world).receiver.url(`/${shop.name}/${name}`) },
      ...rest,
    }),
    kill: async () => {
      await present(controller).kill();
    },
    start,
  };
}
