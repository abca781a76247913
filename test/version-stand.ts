import { join } from 'node:path';
import type { Playground } from '../dev/playground.ts';
import { readAllowedHost } from '../src/config/addresses.ts';
import { Tenants } from '../src/controller/tenants.ts';
import { type VersionAnswersOptions, versionAnswerTo } from '../src/controller/version-answers.ts';
import { type Instant, instant } from '../src/core/time.ts';
import type { VersionAnswer, VersionAsk } from '../src/core/version/version-asks.ts';
import { TokenStore } from '../src/kubernetes/tokens.ts';
import type { CallOptions } from '../src/kubernetes/transport.ts';
import { StageBuilder } from '../src/stage-builder.ts';
import {
  type Stage,
  type StageSet,
  type StageSetSpec,
  stagesApiVersion,
} from '../src/types/stages.ts';
import { sharedCage, sharedPlayground } from './playground.ts';
import { TestNamespace } from './test-namespace.ts';

/** When all answers of these tests are found. */
export const noon: Instant = instant(Date.parse('2030-01-01T12:00:00Z'));

type Rules = Pick<VersionAnswersOptions, 'migrationSources' | 'allowedActionHosts'>;

/** What tests of versions and ladders share: what finds them out, without a controller. */
export interface VersionStand {
  readonly playground: Playground;
  namespace(): Promise<TestNamespace>;
  answer(
    ask: VersionAsk,
    stageSet: StageSet,
    rules?: Partial<Rules>,
    call?: CallOptions,
  ): Promise<VersionAnswer>;
}

/** Starts with empty caches for the tests of the surrounding `describe`. */
export function useVersionAnswers(): VersionStand {
  let world: { playground: Playground; builder: StageBuilder; tenants: Tenants } | undefined;
  const present = (): NonNullable<typeof world> => {
    if (world === undefined) throw new Error('This is there only while tests run');
    return world;
  };
  before('open a builder', async () => {
    const playground = await sharedPlayground();
    const { artifacts, client, cluster } = playground;
    const builder = new StageBuilder({
      allowedArtifactHosts: [readAllowedHost({ origin: 'the playground', text: artifacts.host })],
      decryptionDirectory: '/dev/shm',
      kustomizeBinary: join(cluster.assets, 'kustomize'),
    });
    const tenants = new Tenants(client, new TokenStore(client), { of: () => undefined });
    world = { playground, builder, tenants };
  });
  after('close it', async () => {
    await world?.builder.close();
  });
  return {
    get playground() {
      return present().playground;
    },
    namespace: async () => await TestNamespace.create(present().playground),
    answer: async (ask, stageSet, rules = {}, call = { signal: AbortSignal.timeout(60_000) }) => {
      const { builder, tenants } = present();
      const options = {
        builder,
        tenants,
        migrationSources: { verified: 'Optional', pinned: 'Optional' },
        allowedActionHosts: [],
        clock: () => noon,
        ...rules,
      } as const;
      const answer = await versionAnswerTo(ask, stageSet, options, call);
      (await sharedCage()).look('an answer of a version', JSON.stringify(answer));
      return answer;
    },
  };
}

/** A StageSet of a namespace that acts as `deployer`; a stage that is only a name has that source. */
export function stageSetIn(
  { name: namespace }: TestNamespace,
  stages: readonly (string | Stage)[],
  spec: Partial<StageSetSpec> = {},
): StageSet {
  return {
    apiVersion: stagesApiVersion,
    kind: 'StageSet',
    metadata: { name: 'shop', namespace, uid: 'uid-of-the-stageset' },
    spec: {
      serviceAccountName: 'deployer',
      ...spec,
      stages: stages.map((stage) =>
        typeof stage === 'string' ? { name: stage, sourceRef: { name: stage } } : stage,
      ),
    },
  };
}
