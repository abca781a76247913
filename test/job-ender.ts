import { ApiError } from '../src/kubernetes/api-error.ts';
import type { TestNamespace } from './test-namespace.ts';
import { untilObjects } from './watching.ts';

const jobKind = { apiVersion: 'batch/v1', kind: 'Job' };

/** Says of every Job of a namespace that it is complete, as its controller and a node would. */
export class JobEnder {
  readonly #shop: TestNamespace;
  #stopped = false;
  #working: Promise<void> | undefined;
  readonly #ended = new Set<string>();

  constructor(shop: TestNamespace) {
    this.#shop = shop;
  }

  start(): void {
    this.#working = this.#work();
  }

  /** Ends with the next change of a Job, or within two seconds. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    const { client, name: namespace } = this.#shop;
    while (!this.#stopped) {
      const found = await untilObjects(
        client,
        { ...jobKind, namespace },
        (jobs) => [...jobs.values()].find(({ metadata }) => !this.#ended.has(metadata.uid ?? '')),
        { within: 2000 },
      ).catch(() => undefined);
      if (found === undefined) continue;
      this.#ended.add(found.metadata.uid ?? '');
      await this.#end(found.metadata.name);
    }
  }

  async #end(name: string): Promise<void> {
    const { client, call, name: namespace } = this.#shop;
    const now = new Date().toISOString();
    const condition = (type: string): object => ({
      type,
      status: 'True',
      reason: 'CompletionsReached',
      message: '',
      lastProbeTime: now,
      lastTransitionTime: now,
    });
    const status = {
      startTime: now,
      completionTime: now,
      succeeded: 1,
      conditions: [condition('SuccessCriteriaMet'), condition('Complete')],
    };
    const patch = { type: 'Merge', body: { status }, subresource: 'status' } as const;
    await client.patch({ ...jobKind, namespace, name }, patch, call).catch((error: unknown) => {
      // It may be gone already.
      if (!(error instanceof ApiError)) throw error;
    });
  }
}
