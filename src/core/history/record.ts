import type { Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type {
  Advance,
  RecordedChange,
  RecordedHold,
  RecordedStage,
  RunPhase,
  StageRunStatus,
} from '../../types/stages.ts';
import { cutMessage } from '../conditions.ts';
import { promoteAnnotation } from '../gates/promote-annotation.ts';
import { releaserOf } from '../gates/promotion-holds.ts';
import { describeObject } from '../objects/identity.ts';
import type { Requester } from '../requested-by.ts';
import type { Verdict } from '../rest.ts';
import type { RunProgress, StageProgress } from '../run.ts';
import { type Instant, toRfc3339 } from '../time.ts';

/** What was changed so far in a stage, in this attempt at the run. */
export interface StageChanges {
  /** The first 200 of them. */
  readonly listed: readonly RecordedChange[];
  /** True count of those that were deleted as no longer wanted. */
  readonly pruned: number;
}

export interface RecordInput {
  /** As stored now, advances of others included. */
  readonly stored: StageRunStatus;
  /** As stored when this attempt began: earlier ones of the same run may have changed objects. */
  readonly base: StageRunStatus;
  readonly run: RunProgress;
  readonly verdict: Verdict | undefined;
  readonly changes: ReadonlyMap<string, StageChanges>;
  /** Who set an annotation, where somebody vouches for it. */
  readonly requester: (annotation: string) => Requester | undefined;
  readonly now: Instant;
}

const mostChanges = 200;
const longestNote = 4096;

/** Most characters of a record's status; the API server and etcd would take more. */
const largestRecord = 240 * 1024;

/** The record of a run as it is to be stored. Equal input gives an equal record. */
export function recordOf(input: RecordInput): StageRunStatus {
  for (let most = mostChanges; ; most = Math.floor(most / 2)) {
    const record = recordWith(most, input);
    if (most === 0 || JSON.stringify(record).length <= largestRecord) return record;
  }
}

function recordWith(mostListed: number, input: RecordInput): StageRunStatus {
  const { stored, run, verdict, now } = input;
  const phase = phaseOf(run);
  const ended = phase === 'Succeeded' || phase === 'Failed';
  const stages = [
    ...run.stages.map((stage) => recordedStage(stage, mostListed, input)),
    ...removedStages(mostListed, input),
  ];
  const { finishedAt, ...rest } = stored;
  const since = stored.phase === phase ? finishedAt : undefined;
  return {
    ...rest,
    phase,
    startedAt: stored.startedAt ?? toRfc3339(run.startedAt),
    ...(ended ? { finishedAt: since ?? toRfc3339(now) } : {}),
    ...(verdict === undefined ? {} : { message: cutMessage(verdict.message, longestNote) }),
    stages,
    ...withPromotions(input),
  };
}

/** The record of a run whose place a newer one takes, if it had not ended. */
export function supersededRecord(stored: StageRunStatus, now: Instant): StageRunStatus | undefined {
  if (hasEnded(stored.phase)) return undefined;
  return { ...stored, phase: 'Superseded', finishedAt: toRfc3339(now) };
}

/** Whether a run in this phase goes no further. */
export function hasEnded(phase: RunPhase | undefined): boolean {
  return phase !== undefined && endPhases.has(phase);
}

const endPhases: ReadonlySet<RunPhase> = new Set([
  'Succeeded',
  'Failed',
  'Superseded',
  'RolledBack',
]);

function phaseOf({ outcome }: RunProgress): RunPhase {
  switch (outcome?.kind) {
    case undefined:
      return 'Running';
    case 'Held':
    case 'Progressing':
      return 'Held';
    case 'Succeeded':
    case 'Failed':
      return outcome.kind;
  }
}

function recordedStage(
  stage: StageProgress,
  mostListed: number,
  input: RecordInput,
): RecordedStage {
  const { name, step } = stage;
  const before = entryOf(input.stored, name);
  // What an earlier attempt of the run did stays on record until this one gets to the stage.
  if (step.kind === 'Pending') {
    return withActs(pendingStage(stage, before, input), stage, mostListed);
  }
  const now = toRfc3339(input.now);
  const phase = stagePhase(stage, input.run);
  const over = phase === 'Ready' || phase === 'Failed';
  const since = before?.phase === phase ? before.finishedAt : undefined;
  const changes = changesOf(name, input).slice(0, mostListed);
  const gates = gatesOf(stage, input);
  const recorded: RecordedStage = {
    name,
    phase,
    startedAt: before?.startedAt ?? now,
    ...(over ? { finishedAt: since ?? now } : {}),
    objects: countsOf(stage, input),
    ...(changes.length === 0 ? {} : { changes }),
    ...(gates.length === 0 ? {} : { gates }),
    ...(before?.actions === undefined ? {} : { actions: before.actions }),
  };
  return withActs(recorded, stage, mostListed);
}

/** A stage that a gate keeps from beginning is held; once it is let in, the gate is closed. */
function pendingStage(
  stage: StageProgress,
  before: RecordedStage | undefined,
  input: RecordInput,
): RecordedStage {
  const known = before ?? { name: stage.name, phase: 'Pending' };
  const gates = gatesOf(stage, input);
  if (gates.length === 0) return known;
  const { outcome } = input.run;
  const held = outcome?.kind === 'Held' && outcome.stage === stage.name;
  const phase = held ? 'Held' : known.phase === 'Held' ? 'Pending' : known.phase;
  return { ...known, phase, gates };
}

/** What an earlier attempt did is not covered by what this one therefore skips. */
function withActs(
  recorded: RecordedStage,
  { acts = [] }: StageProgress,
  mostListed: number,
): RecordedStage {
  const known = new Map((recorded.actions ?? []).map((act) => [`${act.hook} ${act.name}`, act]));
  for (const { hook, name, type, outcome, startedAt, finishedAt, message } of acts) {
    const key = `${hook} ${name}`;
    if (outcome === 'Skipped' && known.has(key)) continue;
    known.set(key, {
      hook,
      name,
      type,
      outcome,
      ...(startedAt === undefined ? {} : { startedAt: toRfc3339(startedAt) }),
      ...(finishedAt === undefined ? {} : { finishedAt: toRfc3339(finishedAt) }),
      // Where not even the changes have room, the words of many actions have none.
      ...(message === undefined || mostListed === 0
        ? {}
        : { message: cutMessage(message, longestActionNote) }),
    });
  }
  return known.size === 0 ? recorded : { ...recorded, actions: [...known.values()] };
}

const longestActionNote = 1024;

/** Stages that are no longer in the spec had objects, which are deleted at the end of the run. */
function removedStages(mostListed: number, input: RecordInput): RecordedStage[] {
  const { run, stored, changes } = input;
  const named = new Set(run.stages.map(({ name }) => name));
  const names = new Set([...(stored.stages ?? []).map(({ name }) => name), ...changes.keys()]);
  return [...names]
    .filter((name) => !named.has(name))
    .map((name) => ({
      name,
      phase: 'Ready',
      objects: {
        pruned:
          (entryOf(input.base, name)?.objects?.pruned ?? 0) + (changes.get(name)?.pruned ?? 0),
      },
      changes: changesOf(name, input).slice(0, mostListed),
    }));
}

function stagePhase(
  { name, step }: StageProgress,
  { outcome }: RunProgress,
): RecordedStage['phase'] {
  switch (step.kind) {
    case 'Applying':
    case 'Recreating':
    case 'Establishing':
      return 'Applying';
    case 'Acting':
      if (step.hook === 'onFailure') return 'Failed';
      return step.hook === 'pre' ? 'Pending' : 'Verifying';
    case 'Verified':
      return 'Verifying';
    case 'Verifying':
      return outcome?.kind === 'Progressing' && outcome.stage === name ? 'Held' : 'Verifying';
    case 'AtGates':
      return 'Held';
    case 'Pending':
    case 'Ready':
    case 'Failed':
      return step.kind;
  }
}

function countsOf(
  { name, changes }: StageProgress,
  { base, changes: made }: RecordInput,
): NonNullable<RecordedStage['objects']> {
  const earlier = entryOf(base, name)?.objects ?? {};
  const pruned = made.get(name)?.pruned ?? 0;
  return {
    created: (earlier.created ?? 0) + changes.created,
    updated: (earlier.updated ?? 0) + changes.configured,
    recreated: (earlier.recreated ?? 0) + changes.recreated,
    pruned: (earlier.pruned ?? 0) + pruned,
    unchanged: changes.unchanged + changes.skipped,
  };
}

function changesOf(name: string, { base, changes }: RecordInput): RecordedChange[] {
  const all = [...(entryOf(base, name)?.changes ?? []), ...(changes.get(name)?.listed ?? [])];
  const known = new Map(all.map((change) => [`${change.verb} ${describeObject(change)}`, change]));
  return [...known.values()];
}

function gatesOf(stage: StageProgress, input: RecordInput): RecordedHold[] {
  const { stored, run } = input;
  const { name, step } = stage;
  const before = entryOf(stored, name)?.gates ?? [];
  const { outcome } = run;
  if (outcome?.kind === 'Held' && outcome.stage === name) {
    const holding = outcome.hold.holds.flatMap((hold) => recordedHold(hold) ?? []);
    const known = new Map(holding.map((hold) => [hold.gate, hold]));
    const open = new Set(before.filter(isOpen).map(gateOf));
    return capped([
      ...before.map((hold) => {
        const now = known.get(hold.gate);
        if (now === undefined) return closed(hold, stage, input);
        return isOpen(hold) ? { ...now, heldFrom: hold.heldFrom } : hold;
      }),
      ...holding.filter(({ gate }) => !open.has(gate)),
    ]);
  }
  const through = step.kind === 'Ready' || step.kind === 'Pending';
  return through ? before.map((hold) => closed(hold, stage, input)) : [...before];
}

/** As many as a record has room for: what holds now, and the last of what did. */
function capped(gates: readonly RecordedHold[]): RecordedHold[] {
  const open = gates.filter(isOpen);
  const over = gates.filter((gate) => !isOpen(gate));
  return [...over.slice(Math.max(0, over.length + open.length - mostGates)), ...open];
}

const mostGates = 200;

/** A gate that is not asked yet, since another one is before it, holds nothing. */
function recordedHold(hold: Hold): RecordedHold | undefined {
  const { gate, since, until, reason, releasedBy, command } = hold;
  if (since === undefined) return undefined;
  return {
    gate,
    heldFrom: since,
    reason: cutMessage(reason, longestReason),
    awaits: releasedBy,
    ...(until === undefined ? {} : { until }),
    ...(command === undefined ? {} : { command }),
  };
}

const longestReason = 1024;

function isOpen({ heldUntil }: RecordedHold): boolean {
  return heldUntil === undefined;
}

/** What a gate said while it held is of no use to whoever reads that it has let the stage pass. */
function closed(
  hold: RecordedHold,
  { name, step }: StageProgress,
  { stored, now }: RecordInput,
): RecordedHold {
  if (!isOpen(hold)) return hold;
  const { gate, heldFrom, awaits } = hold;
  const byPerson =
    (step.kind === 'Ready' && step.passage?.handled !== undefined) ||
    gate === 'ManualPromotion' ||
    (stored.advances ?? []).some((advance) => advance.stage === name && advance.gate === gate);
  const releasedBy = byPerson ? 'Person' : (awaits ?? releaserOf(gate));
  return { gate, heldFrom, heldUntil: toRfc3339(now), releasedBy };
}

function gateOf({ gate }: RecordedHold): string {
  return gate;
}

/** What an annotation took past its gates is an advance like any other. */
function withPromotions(input: RecordInput): Pick<StageRunStatus, 'advances'> {
  const { stored, run } = input;
  const made = run.stages.flatMap((stage) => promotionOf(stage, input));
  const advances = [...(stored.advances ?? []), ...passagesOf(input), ...made];
  return advances.length === 0 ? {} : { advances: advances.slice(-mostChanges) };
}

function promotionOf(
  { name, step }: StageProgress,
  { stored, run, requester, now }: RecordInput,
): Advance[] {
  const before = entryOf(stored, name);
  if (step.kind !== 'Ready' || step.passage?.handled === undefined) return [];
  // Once the stage is on record as ready, its advance is.
  if (before?.phase === 'Ready') return [];
  const held = before?.gates?.find(({ heldUntil }) => heldUntil === undefined)?.gate;
  const promotion = run.spec.stages.find((stage) => stage.name === name)?.promotion;
  const gate = held ?? (promotion?.soak === undefined ? 'ManualPromotion' : 'Soak');
  return [
    {
      at: toRfc3339(now),
      stage: name,
      gate,
      override: releaserOf(gate) !== 'Person',
      ...userOf(requester(promoteAnnotation)),
      via: 'Annotation',
    },
  ];
}

/** Each is on record once, however often the run is taken up again. */
function passagesOf({ stored, run, requester, now }: RecordInput): Advance[] {
  const known = (stored.advances ?? []).filter(({ via }) => via === 'Annotation');
  return (run.passages ?? []).flatMap(({ gate, stage, annotation }): Advance[] => {
    if (known.some((advance) => advance.gate === gate && advance.stage === stage)) return [];
    const user = userOf(requester(annotation));
    return [{ at: toRfc3339(now), stage, gate, override: true, ...user, via: 'Annotation' }];
  });
}

function userOf(requester: Requester | undefined): Partial<Advance> {
  if (requester === undefined) return {};
  const { user, uid, groups } = requester;
  return {
    user,
    ...(uid === undefined ? {} : { uid }),
    ...(groups === undefined ? {} : { groups: [...groups] }),
  };
}

function entryOf({ stages }: StageRunStatus, name: string): RecordedStage | undefined {
  return stages?.find((stage) => stage.name === name);
}
