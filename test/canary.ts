import { type ControllerProcess, observeControllers } from '../dev/controller-process.ts';
import { type Playground, startPlayground } from '../dev/playground.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import type { ListQuery } from '../src/kubernetes/lists.ts';
import { Reflector } from '../src/kubernetes/reflector.ts';
import { identityOnly } from '../src/kubernetes/store.ts';
import { stagesApiVersion } from '../src/types/stages.ts';

/**
 * A value that tests put into Secrets wherever a controller gets to see one. It is searched for in all
 * that controllers tell during the whole test run, in whichever cluster: see `Escapes`.
 */
export const canary = 'canary-Zx81qLw07';

/** What every private key in PEM has, whoever made it. */
const privateKey = 'PRIVATE KEY-----';

/** What stays of a text in base64, wherever it is in what was encoded. */
function encodingsOf(secret: string): string[] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.from(`${' '.repeat(offset)}${secret}`).toString('base64');
    // The characters at both ends depend on what is around.
    return text.slice(offset === 0 ? 0 : offset + 1, -4);
  });
}

/** What the fixtures of SOPS have sealed. */
const sealed = 'correct horse battery staple';

const traces = [canary, privateKey, sealed].flatMap((secret) => [secret, ...encodingsOf(secret)]);

/** Credentials that no test has to plant: keys of age, and tokens of ServiceAccounts. */
const credentials = /AGE-SECRET-KEY-1[0-9A-Z]{8}|\beyJhbGciOi[\w-]{8,}\.[\w-]{8}/;

/** The surroundings of a secret in a text, plain or in base64; undefined where none is in it. */
export function canaryIn(text: string): string | undefined {
  const found = [...traces.map((trace) => text.indexOf(trace)), text.search(credentials)];
  const first = found.find((at) => at >= 0);
  return first === undefined ? undefined : text.slice(Math.max(0, first - 200), first + 100);
}

/** Collects where secrets got out. */
export class Escapes {
  readonly #found: string[] = [];

  look(where: string, text: string): void {
    const found = canaryIn(text);
    if (found !== undefined && this.#found.length < 20) this.#found.push(`${where}: ${found}`);
  }

  /** @throws Error that says where a secret got out. */
  refuse(): void {
    if (this.#found.length === 0) return;
    throw new Error(`the value of a Secret got out:\n${this.#found.join('\n')}`);
  }
}

/** What all controller processes of this test run tell by themselves: logs and metrics. */
const escapes = new Escapes();

observeControllers({
  onLog: (line) => escapes.look('a log', line),
  beforeStop: async (process) => await lookAtMetrics(process),
});

async function lookAtMetrics({ metricsUrl }: ControllerProcess): Promise<void> {
  const signal = AbortSignal.timeout(5000);
  const answer = await fetch(metricsUrl, { signal }).catch(() => undefined);
  const text = await answer?.text().catch(() => undefined);
  if (text !== undefined) escapes.look('the metrics', text);
}

/** Ends every test run, of whichever files (`.mocharc`). */
export const mochaHooks = {
  afterAll(): void {
    escapes.refuse();
  },
};

/** Everything in its own cluster by which a controller tells something. */
const telling: readonly ListQuery[] = [
  { apiVersion: stagesApiVersion, kind: 'StageSet' },
  { apiVersion: stagesApiVersion, kind: 'StageRun' },
  { apiVersion: stagesApiVersion, kind: 'StageInventory' },
  { apiVersion: stagesApiVersion, kind: 'StageLedger' },
  { apiVersion: 'events.k8s.io/v1', kind: 'Event' },
  { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
];

/** What it leaves in a remote one beside the contents of a release. */
export const tellingRemotely: readonly ListQuery[] = [
  { apiVersion: 'events.k8s.io/v1', kind: 'Event' },
  { apiVersion: 'v1', kind: 'Namespace' },
  { apiVersion: 'v1', kind: 'ConfigMap', as: 'Metadata' },
  { apiVersion: 'v1', kind: 'Secret', as: 'Metadata' },
];

/**
 * Looks for secrets in each state of each object by which controllers tell something, and in what the
 * tests hand over.
 */
export class CanaryCage {
  readonly #escapes = new Escapes();
  readonly #reflectors: readonly Reflector[];

  constructor(client: KubernetesClient, kinds: readonly ListQuery[] = telling) {
    this.#reflectors = kinds.map(
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
    this.#escapes.look(where, text);
  }

  /** @throws Error that says where a secret got out. */
  async close(): Promise<void> {
    await Promise.all(this.#reflectors.map(async (reflector) => await reflector.stop()));
    this.#escapes.refuse();
  }
}

export interface CagedPlayground extends Playground {
  readonly cage: CanaryCage;
}

/** A cluster of whose controllers nothing may be told that is secret: stopping it fails otherwise. */
export async function startCagedPlayground(
  options: Parameters<typeof startPlayground>[0] = {},
): Promise<CagedPlayground> {
  const playground = await startPlayground(options);
  const cage = new CanaryCage(playground.client);
  const stop = async (): Promise<void> => {
    const end = cage.close();
    await Promise.allSettled([end]);
    await playground.stop();
    await end;
  };
  return { ...playground, cage, stop };
}
