import type {
  Gate,
  HeldStage,
  Hold,
} from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { RecordedStage, StageRun, StageSet } from '../../types/stages.ts';
import { promoteRequest } from '../gates/promote-annotation.ts';
import { decidePromotion } from '../gates/promotion.ts';
import { recordedGates } from '../gates/settle-promotion.ts';
import type { Instant } from '../time.ts';
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

/** Why nothing of the newest run can be passed any more; undefined where it is still the newest. */
export function isOver({ stageSet, run }: RecordedRun): boolean {
  return (
    hasEnded(run?.status?.phase) ||
    run?.spec?.generation !== stageSet.metadata.generation ||
    stageSet.metadata.deletionTimestamp !== undefined
  );
}

/** The record has an open hold of the stage: a wait for health is a held stage too, but no gate. */
function isAtGates(recorded: RecordedRun, stage: string): boolean {
  if (isOver(recorded)) return false;
  const entry = entryOf(recorded.run, stage);
  if (entry?.phase !== 'Held') return false;
  return (entry.gates ?? []).some(({ heldUntil }) => heldUntil === undefined);
}

function holdsOf(
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
    now,
  });
  return verdict.kind === 'Held' ? [...verdict.hold.holds] : [];
}

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
