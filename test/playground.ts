import type { ControllerProcess } from '../dev/controller-process.ts';
import type { Playground, PlaygroundController } from '../dev/playground.ts';
import { isNotFound } from '../src/kubernetes/api-error.ts';
import type { KubernetesObject } from '../src/types/kubernetes.ts';
import { stagesApiVersion } from '../src/types/stages.ts';
import { type CagedPlayground, type CanaryCage, startCagedPlayground } from './canary.ts';
import { TestNamespace } from './test-namespace.ts';

let started: Promise<CagedPlayground> | undefined;

/** The one cluster of a test run: started for the first who asks, stopped after the last test. */
export async function sharedPlayground(): Promise<Playground> {
  started ??= startCagedPlayground({ name: 'run' });
  return await started;
}

/** Where texts of controllers are handed over that nobody else sees, such as plans. */
export async function sharedCage(): Promise<CanaryCage> {
  started ??= startCagedPlayground({ name: 'run' });
  return (await started).cage;
}

after('stop the shared cluster, out of which no value of a Secret may have got', async () => {
  await (await started)?.stop();
});

/** What the tests of one `describe` share: the cluster, and a controller while they run. */
export interface Stand {
  readonly playground: Playground;
  readonly controller: ControllerProcess;
  /** A fresh namespace, so that no test sees what another one left. */
  namespace(): Promise<TestNamespace>;
  /** Kills the controller, as a node that goes away does, and starts another. */
  killAndRestart(): Promise<void>;
}

/**
 * Starts a controller before the tests of the surrounding `describe` and stops it after them. Each
 * test's StageSets go with it, so that the controller has no work that is not the next test's.
 */
export function useController(options: PlaygroundController = {}): Stand {
  let playground: Playground | undefined;
  let controller: ControllerProcess | undefined;
  before('start a controller', async () => {
    playground = await sharedPlayground();
    controller = await playground.startController({ flags: ['--log-level=debug'], ...options });
  });
  afterEach('remove the StageSets of the test', async function () {
    if (this.currentTest?.state === 'failed') showLog(controller);
    if (playground !== undefined) await removeStageSets(playground);
  });
  after('stop the controller', async () => {
    await controller?.stop();
  });
  return {
    get playground() {
      return present(playground);
    },
    get controller() {
      return present(controller);
    },
    namespace: async () => await TestNamespace.create(present(playground)),
    killAndRestart: async () => {
      await present(controller).kill();
      const again = { flags: ['--log-level=debug'], ...options };
      controller = await present(playground).startController(again);
    },
  };
}

/** Removes all StageSets, whatever holds them; what they applied stays. */
export async function removeStageSets({ client }: Playground): Promise<void> {
  const call = { signal: AbortSignal.timeout(120_000) };
  const { items } = await client.list({ apiVersion: stagesApiVersion, kind: 'StageSet' }, call);
  const remove = async ({ apiVersion, kind, metadata }: KubernetesObject): Promise<void> => {
    const { name, namespace = '' } = metadata;
    const reference = { apiVersion, kind, namespace, name };
    await client.delete(reference, {}, call);
    const released = { type: 'Merge', body: { metadata: { finalizers: null } } } as const;
    await client.patch(reference, released, call).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  };
  for (let first = 0; first < items.length; first += 10) {
    await Promise.all(items.slice(first, first + 10).map(remove));
  }
}

export function showLog(controller: ControllerProcess | undefined): void {
  const tail = controller?.log.slice(-25).join('\n') ?? '(no controller)';
  process.stderr.write(`--- the end of the controller's log ---\n${tail}\n`);
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('This is there only while tests run');
  return value;
}
