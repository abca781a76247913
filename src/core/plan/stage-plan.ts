import type {
  Hold,
  ObjectCounts,
  PlannedAction,
  PlannedChange,
  PlannedStage,
  RunTrigger,
  StagePlanStatus,
} from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { SourceReference } from '../../types/stages.ts';
import { digestOf } from '../hash.ts';
import { directionOf } from '../version/direction.ts';
import { migrationRows } from '../version/migration-rows.ts';
import type { RunVersion } from '../version/run-version.ts';
import { heldVerdict } from './holds.ts';

/** What a rehearsal of the next run found out. */
export interface Findings {
  readonly runId: string | undefined;
  readonly trigger: RunTrigger | undefined;
  /** The change of the version that the run would make. */
  readonly version?: RunVersion | undefined;
  /** What admission would refuse in the spec; undefined for a valid one. */
  readonly invalid: string | undefined;
  /** Gates that keep the run from beginning. */
  readonly holds: readonly Hold[];
  /** Those that were asked for, and those ahead of them, whose gates hold them too. */
  readonly stages: readonly StageFindings[];
  /** Names of the stages that were asked for; undefined for all. */
  readonly shown: readonly string[] | undefined;
}

export interface StageFindings {
  readonly name: string;
  /** Undefined of a stage that left the spec. */
  readonly sourceRef: SourceReference | undefined;
  readonly identity: string;
  readonly currentRevision: string | undefined;
  readonly revision: string | undefined;
  readonly changes: readonly PlannedChange[];
  readonly unchanged: number;
  /** Why the stage would fail, and whether the spec is to blame. */
  readonly failure: { readonly message: string; readonly blame: 'Spec' | 'World' } | undefined;
  /** Gates before this stage; those of the whole run are before its first stage. */
  readonly entryHolds: readonly Hold[];
  /** Gates between this stage and the next. */
  readonly holds: readonly Hold[];
  /** What becomes of its actions; empty until the run comes to the stage. */
  readonly actions: readonly PlannedAction[];
}

type PlanVerdict = StagePlanStatus['verdict'];

/** The plan, from what was found: what happens in each stage, what holds it, and the verdict. */
export function stagePlan(findings: Findings): StagePlanStatus {
  const { runId, trigger, invalid, shown } = findings;
  const all = plannedStages(findings);
  const stages = all.filter(({ name }) => shown?.includes(name) ?? true);
  const holds = [...findings.holds, ...findings.stages.flatMap(holdsOf)];
  const verdict = overall(findings, stages);
  return {
    ...(runId === undefined ? {} : { runId }),
    digest: planDigest(runId, holds, stages, verdict, versionOf(findings)),
    ...(trigger === undefined ? {} : { trigger }),
    verdict,
    message: invalid ?? sentence(verdict, holds, all),
    ...versionOf(findings),
    holds,
    stages,
  };
}

function versionOf({ version }: Findings): Pick<StagePlanStatus, 'version' | 'migrations'> {
  if (version === undefined) return {};
  const { current, desired, plan } = version;
  return {
    version: {
      ...(current === undefined ? {} : { current }),
      desired,
      direction: directionOf(plan),
    },
    migrations: migrationRows(plan),
  };
}

/** A stage behind one that is held or fails has to wait, whatever it would do. */
function plannedStages({ holds, stages }: Findings): PlannedStage[] {
  let ahead: PlanVerdict | undefined = heldVerdict(holds);
  return stages.map((stage) => {
    ahead ??= heldVerdict(stage.entryHolds);
    const own = ownVerdict(stage);
    const verdict = ahead !== undefined && own === 'WillApply' ? ahead : own;
    if (own === 'Invalid' || own === 'Blocked') ahead ??= 'Blocked';
    else ahead ??= heldVerdict(stage.holds);
    return planned(stage, verdict);
  });
}

function ownVerdict(stage: StageFindings): PlanVerdict {
  const { actions, changes, currentRevision, failure, holds, revision } = stage;
  if (failure !== undefined) return failure.blame === 'Spec' ? 'Invalid' : 'Blocked';
  if (changes.some(({ verb }) => verb === 'Conflict')) return 'Blocked';
  if (changes.length > 0 || revision !== currentRevision) return 'WillApply';
  // What answers to a failure is not planned.
  if (actions.some(isToRun)) return 'WillApply';
  return heldVerdict(holds) ?? 'UpToDate';
}

function planned(stage: StageFindings, verdict: PlanVerdict): PlannedStage {
  const { name, sourceRef, identity, currentRevision, revision, failure } = stage;
  return {
    name,
    ...(sourceRef === undefined ? {} : { sourceRef }),
    identity,
    ...(currentRevision === undefined ? {} : { currentRevision }),
    ...(revision === undefined ? {} : { revision }),
    verdict,
    ...(failure === undefined ? {} : { error: failure.message }),
    objects: countsOf(stage),
    changes: [...stage.changes],
    actions: [...stage.actions],
    holds: holdsOf(stage),
  };
}

function holdsOf({ entryHolds, holds }: StageFindings): Hold[] {
  return [...entryHolds, ...holds];
}

function countsOf({ changes, unchanged }: StageFindings): ObjectCounts {
  const count = (...verbs: PlannedChange['verb'][]): number =>
    changes.filter(({ verb }) => verbs.includes(verb)).length;
  return {
    create: count('Create'),
    update: count('Update', 'Move'),
    recreate: count('Recreate'),
    prune: count('Prune'),
    conflict: count('Conflict'),
    unchanged,
  };
}

/** The first thing that somebody who follows the run from its beginning would notice. */
function overall({ holds, invalid }: Findings, stages: readonly PlannedStage[]): PlanVerdict {
  if (invalid !== undefined) return 'Invalid';
  const first = stages.find(({ verdict }) => verdict !== 'UpToDate')?.verdict;
  return heldVerdict(holds) ?? first ?? 'UpToDate';
}

function sentence(
  verdict: PlanVerdict,
  [hold]: readonly Hold[],
  stages: readonly PlannedStage[],
): string {
  if (verdict === 'UpToDate') return 'Everything is as wanted: the next run changes nothing';
  if (verdict === 'WillApply') return `The next run ${deeds(stages)}`;
  const failing = stages.find(({ error }) => error !== undefined);
  if (hold === undefined && failing?.error !== undefined) {
    return `Stage ${failing.name} would fail: ${failing.error}`;
  }
  const refused = stages.find(({ objects }) => objects.conflict > 0);
  if (hold === undefined && refused !== undefined) {
    return `Stage ${refused.name} would fail: ${refused.objects.conflict} objects cannot be applied`;
  }
  return hold?.reason ?? 'The run is held';
}

function deeds(stages: readonly PlannedStage[]): string {
  const total = (verb: keyof ObjectCounts): number =>
    stages.reduce((sum, { objects }) => sum + objects[verb], 0);
  const parts = [
    [total('create'), 'creates'],
    [total('update'), 'updates'],
    [total('recreate'), 'recreates'],
    [total('prune'), 'prunes'],
  ] as const;
  const done = parts.filter(([count]) => count > 0).map(([count, verb]) => `${verb} ${count}`);
  const objects = done.length === 0 ? 'changes no object' : `${done.join(', ')} objects`;
  const actions = stages.flatMap((stage) => (stage.actions ?? []).filter(isToRun)).length;
  return actions === 0 ? objects : `${objects} and does ${actions} actions`;
}

function isToRun({ verdict, hook }: PlannedAction): boolean {
  return verdict === 'WillRun' && hook !== 'onFailure';
}

/** Equal for equal decisions, whenever they are made: nothing that has a time in it counts. */
function planDigest(
  runId: string | undefined,
  holds: readonly Hold[],
  stages: readonly PlannedStage[],
  verdict: PlanVerdict,
  version: Pick<StagePlanStatus, 'version' | 'migrations'>,
): string {
  const timeless = (all: readonly Hold[]): unknown =>
    all.map(({ gate, stage = '', releasedBy }) => ({ gate, stage, releasedBy }));
  return `sha256:${digestOf({
    runId: runId ?? '',
    verdict,
    ...version,
    holds: timeless(holds),
    stages: stages.map((stage) => ({ ...stage, holds: timeless(stage.holds ?? []) })),
  })}`;
}
