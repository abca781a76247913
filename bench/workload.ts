import { type PackedArtifact, packFiles } from '../dev/artifacts/pack.ts';
import { publish } from '../dev/artifacts/publish.ts';
import type { Playground } from '../dev/playground.ts';
import type { KubernetesObject } from '../src/types/kubernetes.ts';
import { type StageActions, stagesApiVersion } from '../src/types/stages.ts';
import type { Size } from './arguments.ts';

/** Namespace of everything that a benchmark creates. */
export const namespace = 'bench';

export async function createNamespace({ client }: Playground): Promise<void> {
  const call = { signal: AbortSignal.timeout(60_000) };
  const metadata = { name: namespace };
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata }, {}, call);
}

/** Publishes a revision `v<round>@…` of every stage of every StageSet; each has objects of its own. */
export async function publishAll(
  playground: Playground,
  { stageSets, stages, objects }: Size,
  round: number,
): Promise<void> {
  const { client, artifacts } = playground;
  const names = Array.from({ length: stageSets }, (_, set) => set).flatMap((set) =>
    Array.from({ length: stages }, (_, stage) => ({ set, stage })),
  );
  const queue = names.values();
  const lane = async (): Promise<void> => {
    for (const { set, stage } of queue) {
      const artifact = await artifactOf(`set-${set}-stage-${stage}`, objects, round);
      const name = sourceName(set, stage);
      const revision = `v${round}@${artifact.digest}`;
      await publish(client, artifacts, { namespace, name, revision }, artifact);
    }
  };
  await Promise.all(Array.from({ length: 8 }, lane));
}

function sourceName(set: number, stage: number): string {
  return `set-${set}-stage-${stage}`;
}

async function artifactOf(prefix: string, objects: number, round: number): Promise<PackedArtifact> {
  const documents = Array.from({ length: objects }, (_, index) =>
    JSON.stringify(configMap(`${prefix}-${index}`, round)),
  );
  return await packFiles({ 'objects.yaml': documents.join('\n---\n') });
}

/** One object as every stage has them. */
export function configMap(name: string, round: number): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
    data: { round: String(round), text: 'x'.repeat(200) },
  };
}

/** What all stages have beside their objects. */
interface Release {
  readonly actions?: StageActions;
  /** Told the name of each StageSet that is created. */
  readonly onCreated?: (name: string) => void;
}

/** Creates all StageSets, fifty at a time. `interval` is that of each. */
export async function createAll(
  { client }: Playground,
  size: Size,
  interval: string,
  { actions, onCreated }: Release = {},
): Promise<void> {
  const queue = Array.from({ length: size.stageSets }, (_, set) => set).values();
  const lane = async (): Promise<void> => {
    for (const set of queue) {
      const call = { signal: AbortSignal.timeout(120_000) };
      const created = await client.create(stageSet(set, size, interval, actions), {}, call);
      onCreated?.(created.metadata.name);
    }
  };
  await Promise.all(Array.from({ length: 50 }, lane));
}

function stageSet(
  set: number,
  { stages }: Size,
  interval: string,
  actions: StageActions | undefined,
): KubernetesObject {
  return {
    apiVersion: stagesApiVersion,
    kind: 'StageSet',
    metadata: { name: `set-${set}`, namespace },
    spec: {
      interval,
      stages: Array.from({ length: stages }, (_, stage) => ({
        name: `stage-${stage}`,
        sourceRef: { kind: 'ExternalArtifact', name: sourceName(set, stage) },
        ...(actions === undefined ? {} : { actions }),
      })),
    },
  };
}
