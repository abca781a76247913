import { noDrift } from '../../../src/core/drift/drifted.ts';
import type { Failure } from '../../../src/core/failure.ts';
import { finalizer } from '../../../src/core/finalizer.ts';
import type { AwaitedHealth } from '../../../src/core/health/awaited.ts';
import type { PinnedArtifact } from '../../../src/core/pinned-artifact.ts';
import type { RunProgress, StageStep, Wait } from '../../../src/core/run.ts';
import { withStep } from '../../../src/core/run.ts';
import type { Snapshot, SourceObservation } from '../../../src/core/snapshot.ts';
import { instant, minutes } from '../../../src/core/time.ts';
import type { StageSet, StageSetSpec } from '../../../src/types/stages.ts';

/** The time of every snapshot that does not say another. */
export const noon = instant(Date.parse('2026-01-01T12:00:00Z'));

/** A spec with these stages, each fed by a source of its own name. */
export function specOf(stages: readonly string[], rest: Partial<StageSetSpec> = {}): StageSetSpec {
  return { stages: stages.map((name) => ({ name, sourceRef: { name } })), ...rest };
}

/** StageSet `team/shop`, generation 1, with our finalizer and without a status. */
export function stageSetOf(
  spec: StageSetSpec,
  { metadata = {}, status }: { metadata?: object; status?: StageSet['status'] } = {},
): StageSet {
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageSet',
    metadata: {
      name: 'shop',
      namespace: 'team',
      uid: 'uid-of-shop',
      generation: 1,
      finalizers: [finalizer],
      ...metadata,
    },
    spec,
    ...(status === undefined ? {} : { status }),
  };
}

/** The artifact of source `team/<name>`; its digest follows from the revision. */
export function artifactOf(name: string, revision = 'v1'): PinnedArtifact {
  return {
    source: `team/${name}`,
    url: `http://artifacts.example.com/${name}/${revision}.tar.gz`,
    revision,
    digest: `sha256:${revision}`,
  };
}

export function ready(name: string, revision = 'v1'): SourceObservation {
  return { kind: 'Ready', artifact: artifactOf(name, revision) };
}

export function unavailable(reason: string, message = 'not there'): SourceObservation {
  return { kind: 'Unavailable', reason, message };
}

/** The world at noon: the StageSet's sources are all ready at `v1`, and nothing has happened yet. */
export function snapshotOf(stageSet: StageSet, rest: Partial<Snapshot> = {}): Snapshot {
  const spec = stageSet.spec ?? { stages: [] };
  return {
    now: noon,
    settings: { defaultInterval: minutes(10), maxTeardownWait: minutes(60) },
    stageSet,
    spec,
    problems: [],
    dependencies: new Map(),
    sources: spec.stages.map(({ sourceRef }) => ready(sourceRef.name)),
    run: undefined,
    reassert: false,
    answers: new Map(),
    versions: new Map(),
    asking: false,
    building: false,
    attempt: 'None',
    drift: noDrift,
    advances: [],
    teardown: undefined,
    ...rest,
  };
}

/** The run with its stages at these steps; stages that are not named stay as they are. */
export function at(run: RunProgress, ...steps: readonly StageStep[]): RunProgress {
  return steps.reduce((moved, step, index) => withStep(moved, index, step), run);
}

export function health(name: string, status: AwaitedHealth['status'] = 'Current'): AwaitedHealth {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'team', name };
  const ifMissing = { status: 'NotFound', message: 'not found' } as const;
  return { object, ifMissing, status, message: `${status} it is` };
}

/** A wait that began at noon and is due for a look at noon, for five minutes. */
function waitFor(...awaited: readonly AwaitedHealth[]): Wait {
  return { since: noon, bound: minutes(5), looks: 1, nextLook: noon, health: awaited };
}

export const pending: StageStep = { kind: 'Pending' };
export const done: StageStep = { kind: 'Ready' };

export function applying(group = 0, groups = 1): StageStep {
  return { kind: 'Applying', group, groups, health: [] };
}

export function verifying(...awaited: readonly AwaitedHealth[]): Extract<StageStep, Wait> {
  return { kind: 'Verifying', ...waitFor(...awaited) };
}

export function establishing(...awaited: readonly AwaitedHealth[]): Extract<StageStep, Wait> {
  return { kind: 'Establishing', group: 1, groups: 2, ...waitFor(...awaited) };
}

export function failureOf(rest: Partial<Failure> = {}): Failure {
  return {
    reason: 'StageFailed',
    operation: 'apply',
    message: 'no such thing',
    retry: 'Backoff',
    ...rest,
  };
}
