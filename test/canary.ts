import type { ControllerProcess } from '../dev/controller-process.ts';
import type { Playground, PlaygroundController } from '../dev/playground.ts';
import { Reflector } from '../src/kubernetes/reflector.ts';
import { identityOnly } from '../src/kubernetes/store.ts';
import { stagesApiVersion } from '../src/types/stages.ts';

/**
 * A value that tests put into Secrets wherever a controller gets to see one. It is searched for in all
 * that controllers tell during the whole test run: see `CanaryCage`.
 */
export const canary = 'canary-Zx81qLw07';

/** What stays of the canary in the base64 of a text, wherever it is in it. */
const encoded = [0, 1, 2].map((offset) => {
  const text = Buffer.from(`${' '.repeat(offset)}${canary}`).toString('base64');
  // The characters at both ends depend on what is around.
  return text.slice(offset === 0 ? 0 : offset + 1, -4);
});

/** The surroundings of the canary in a text, plain or in base64; undefined where it is not in it. */
export function canaryIn(text: string): string | undefined {
  const found = [canary, ...encoded].map((trace) => text.indexOf(trace)).find((at) => at >= 0);
  return found === undefined ? undefined : text.slice(Math.max(0, found - 200), found + 100);
}

/** Everything in the cluster by which a controller tells something. */
const telling = [
  { apiVersion: stagesApiVersion, kind: 'StageSet' },
  { apiVersion: stagesApiVersion, kind: 'StageRun' },
  { apiVersion: stagesApiVersion, kind: 'StageInventory' },
  { apiVersion: stagesApiVersion, kind: 'StageLedger' },
  { apiVersion: 'events.k8s.io/v1', kind: 'Event' },
];

/**
 * Looks for the canary in each state of each object by which controllers tell something, in each line
 * that they log, in the metrics that they end with, and in what the tests hand over.
 */
export class CanaryCage {
  /** Where it got out, with a part of the text. */
  readonly escapes: string[] = [];
  readonly #reflectors: readonly Reflector[];

  constructor({ client }: Playground) {
    this.#reflectors = telling.map(
      (query) =>
        new Reflector(client, query, {
          transform: (object) => {
            this.look(`${query.kind} ${object.metadata.name}`, JSON.stringify(object));
            return identityOnly(object);
          },
        }),
    );
    for (const reflector of this.#reflectors) reflector.start();
  }

  look(where: string, text: string): void {
    const found = canaryIn(text);
    if (found !== undefined && this.escapes.length < 20) this.escapes.push(`${where}: ${found}`);
  }

  /** The playground, with all of its controllers watched. */
  around(playground: Playground): Playground {
    const startController = async (asked: PlaygroundController = {}): Promise<ControllerProcess> =>
      await playground.startController({
        ...asked,
        onLog: (line) => {
          this.look('a log', line);
          asked.onLog?.(line);
        },
      });
    return { ...playground, startController };
  }

  async lookAtMetrics({ metricsUrl }: ControllerProcess): Promise<void> {
    const answer = await fetch(metricsUrl).catch(() => undefined);
    if (answer !== undefined) this.look('the metrics', await answer.text());
  }

  /** @throws Error that says where the canary got out. */
  async close(): Promise<void> {
    await Promise.all(this.#reflectors.map(async (reflector) => await reflector.stop()));
    if (this.escapes.length === 0) return;
    throw new Error(`the value of a Secret got out:\n${this.escapes.join('\n')}`);
  }
}
