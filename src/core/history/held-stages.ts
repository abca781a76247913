import type {
  Gate,
  HeldStage,
  Hold,
} from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { RecordedStage, StageRun, StageSet } from '../../types/stages.ts';
import { positiveDuration } from '../duration.ts';
import { needsOf } from '../gates/needs.ts';
import { promoteRequest } from '../gates/promote-annotation.ts';
import { decidePromotion } from '../gates/promotion.ts';
import { recordedGates } from '../gates/settle-promotion.ts';
import { type Instant, minutes } from '../time.ts';
import { hasEnded } from './record.ts';

/** A StageSet and its newest run, as they are stored. */
export interface RecordedRun {
  readonly stageSet: StageSet;
  /** Undefined where the StageSet has had no run. */
  readonly run: StageRun | undefined;
}

/**
 * The stages of the newest run and the gates that hold them now: what the controller decides when it
 * asks the gates at the same moment, from what it left in the status and in the record. No gate
 * holds where the run has ended, where the StageSet has another spec by now, or where it is deleted:
 * then there is nothing to pass.
 */
export function heldStages(recorded: RecordedRun, now: Instant): HeldStage[] {
  const { run } = recorded;
  return (run?.spec?.snapshot ?? []).map(({ stage, revision }) => ({
    name: stage,
    phase: entryOf(run, stage)?.phase ?? 'Pending',
    revision,
    holds: isAtGates(recorded, stage) ? holdsOf(recorded, stage, revision, now) : [],
  }));
}

/** Why no gate of the newest run can be passed whatever holds it; undefined where one may be. */
export function whyOver({ stageSet, run }: RecordedRun): string | undefined {
  const { metadata, spec } = stageSet;
  const phase = run?.status?.phase;
  if (metadata.deletionTimestamp !== undefined) return 'the StageSet is being deleted';
  if (hasEnded(phase)) return `run ${run?.spec?.runId ?? ''} has ended: ${phase ?? ''}`;
  if (run?.spec?.generation === metadata.generation) return undefined;
  const next =
    spec?.suspend === true
      ? 'the StageSet is suspended, and a new run begins when it is resumed'
      : 'a new run is about to begin';
  return `the spec of the StageSet has changed since run ${run?.spec?.runId ?? ''} began: ${next}`;
}

/** The record has an open hold of the stage: a wait for health is a held stage too, but no gate. */
function isAtGates(recorded: RecordedRun, stage: string): boolean {
  if (whyOver(recorded) !== undefined) return false;
  const entry = entryOf(recorded.run, stage);
  if (entry?.phase !== 'Held') return false;
  return (entry.gates ?? []).some(({ heldUntil }) => heldUntil === undefined);
}

function holdsOf(recorded: RecordedRun, stage: string, revision: string, now: Instant): Hold[] {
  if (isBeforeStage(recorded, stage)) return entryHolds(recorded, stage);
  return promotionHolds(recorded, stage, revision, now);
}

/** A stage that has not begun has no gates behind it yet that anybody could pass. */
function isBeforeStage({ run }: RecordedRun, stage: string): boolean {
  return (entryOf(run, stage)?.gates ?? []).some(
    ({ gate, heldUntil }) =>
      heldUntil === undefined &&
      isGate(gate) &&
      (gatesOfEntry.has(gate) || gate === 'MigrationDirty'),
  );
}

/** The gates before a stage, as the controller has put them on record. */
function entryHolds({ run }: RecordedRun, stage: string): Hold[] {
  const advances = run?.status?.advances ?? [];
  return (entryOf(run, stage)?.gates ?? []).flatMap((recorded): Hold[] => {
    const { gate, heldFrom, heldUntil, reason, awaits, until, command } = recorded;
    if (!isGate(gate) || !gatesOfEntry.has(gate) || heldUntil !== undefined) return [];
    if (reason === undefined || awaits === undefined) return [];
    const passed = advances.some((advance) => advance.stage === stage && advance.gate === gate);
    // Several people may have to approve: the controller says when that is enough.
    if (passed && gate !== 'VersionApproval') return [];
    return [
      {
        gate,
        stage,
        reason,
        since: heldFrom,
        ...(until === undefined ? {} : { until }),
        releasedBy: awaits,
        needs: needsOf({ releasedBy: awaits }),
        ...(command === undefined ? {} : { command }),
      },
    ];
  });
}

const gatesOfEntry: ReadonlySet<Gate> = new Set(['UpdateWindow', 'ErrorBudget', 'VersionApproval']);

function promotionHolds(
  { stageSet, run }: RecordedRun,
  stage: string,
  revision: string,
  now: Instant,
): Hold[] {
  const verdict = decidePromotion({
    stageSet,
    stage,
    promotion: stageSet.spec?.stages.find(({ name }) => name === stage)?.promotion,
    revision,
    ...recordedGates(stageSet, stage, revision),
    request: promoteRequest(stageSet),
    advances: run?.status?.advances ?? [],
    // Nothing is found out here: what is on record of it counts.
    answers: new Map(),
    retryInterval: positiveDuration(stageSet.spec?.retryInterval) ?? defaultInterval,
    trouble: undefined,
    open: [],
    now,
  });
  switch (verdict.kind) {
    case 'Promoted':
      return [];
    case 'Held':
      return [...verdict.hold.holds];
    case 'Asks':
    case 'Unreadable':
      return [...verdict.holds];
  }
}

/** It tells when something is due to be asked, which nothing is held by but what asks. */
const defaultInterval = minutes(10);

function entryOf(run: StageRun | undefined, stage: string): RecordedStage | undefined {
  return run?.status?.stages?.find(({ name }) => name === stage);
}

/** Every gate of the contract: what comes from outside is compared with these. */
const gates: ReadonlySet<string> = new Set<Gate>([
  'Suspended',
  'Dependency',
  'SourceNotReady',
  'UpdateWindow',
  'ErrorBudget',
  'VersionApproval',
  'Soak',
  'RestartGate',
  'EventGate',
  'Analysis',
  'ManualPromotion',
  'ImageVerification',
  'MigrationDirty',
  'ActionDirty',
]);

export function isGate(text: string): text is Gate {
  return gates.has(text);
}
