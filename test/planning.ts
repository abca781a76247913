import { join } from 'node:path';
import type { Playground } from '../dev/playground.ts';
import { type AllowedHost, readAllowedHost } from '../src/config/addresses.ts';
import { instant, minutes } from '../src/core/time.ts';
import { gateReaders } from '../src/gate-readers.ts';
import { MetricReader } from '../src/metrics-sources/metric-reader.ts';
import { Planner, type PlanQuestion } from '../src/planning/planner.ts';
import { remoteAccess } from '../src/remote-access.ts';
import { StageBuilder } from '../src/stage-builder.ts';
import type { StagePlanStatus } from '../src/types/generated/subresources.stages.metio.wtf.v1.ts';
import { stagesApiVersion } from '../src/types/stages.ts';
import { sharedCage } from './playground.ts';
import type { TestNamespace } from './test-namespace.ts';

/** Plans the StageSets of tests as a process of its own would. */
export class TestPlanner {
  readonly #builder: StageBuilder;
  readonly #planner: Planner;
  readonly #metrics: MetricReader;

  constructor(
    { client, cluster, artifacts }: Playground,
    allowedClusterHosts: readonly AllowedHost[] = [],
  ) {
    this.#builder = new StageBuilder({
      allowedArtifactHosts: [readAllowedHost({ origin: 'the playground', text: artifacts.host })],
      decryptionDirectory: '/dev/shm',
      kustomizeBinary: join(cluster.assets, 'kustomize'),
    });
    const exempt = [{ host: '127.0.0.1', port: undefined }];
    this.#metrics = new MetricReader({ allowedHosts: [], exempt });
    this.#planner = new Planner({
      client,
      remote: remoteAccess({ allowedClusterHosts }, {}),
      builder: this.#builder,
      readers: gateReaders(this.#metrics),
      ladders: {
        migrationSources: { verified: 'Optional', pinned: 'Optional' },
        allowedActionHosts: [],
      },
      settings: { defaultInterval: minutes(10), maxTeardownWait: minutes(10) },
      crossNamespaceReferences: 'Allowed',
      defaultServiceAccount: undefined,
      clock: () => instant(Date.now()),
    });
  }

  get planning(): Planner {
    return this.#planner;
  }

  async plan(
    { name: namespace, client, call }: TestNamespace,
    question: Partial<PlanQuestion> = {},
  ): Promise<StagePlanStatus> {
    const reference = { apiVersion: stagesApiVersion, kind: 'StageSet', namespace, name: 'shop' };
    const object = await client.get(reference, call);
    const usual = { suppose: {}, stages: undefined, dryRun: 'All', user: 'test' } as const;
    const asked = { ...usual, ...question };
    const plan = await this.#planner.plan({ object, ...asked }, call);
    (await sharedCage()).look('a plan', JSON.stringify(plan));
    return plan;
  }

  async close(): Promise<void> {
    await this.#planner.stop();
    await this.#builder.close();
  }
}

/** `<verb> <kind>/<name>` of every change of a plan, by stage. */
export function changesOf({ stages }: StagePlanStatus): Record<string, string[]> {
  return Object.fromEntries(
    stages.map(({ name, changes = [] }) => [
      name,
      changes.map(({ verb, kind, name: object }) => `${verb} ${kind}/${object}`),
    ]),
  );
}
