import type {
  Gate,
  HeldStage,
  Hold,
  StageAdvanceSpec,
} from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { Advance, StageRun, StageRunStatus } from '../../types/stages.ts';
import { cutMessage } from '../conditions.ts';
import { approvalRefusal } from '../gates/approval.ts';
import { needsOverride } from '../gates/needs.ts';
import type { Requester } from '../requested-by.ts';
import { type Instant, toRfc3339 } from '../time.ts';
import type { FieldFault } from './advance-spec.ts';
import { heldStages, type RecordedRun, whyOver } from './held-stages.ts';
import { fitted, isTooMany } from './record-size.ts';

/** A request to pass a gate, and the world as it is now. */
export interface AdvanceQuestion extends RecordedRun {
  readonly spec: StageAdvanceSpec;
  /** The authenticated user. */
  readonly requester: Requester;
  readonly via: Advance['via'];
  readonly now: Instant;
}

export type AdvanceVerdict =
  /** The same user passed this gate in this run before; nothing is to be written. */
  | { readonly kind: 'Recorded'; readonly advance: Advance }
  /** To be stored as the status of the newest run, unless that has changed meanwhile. */
  | { readonly kind: 'Record'; readonly advance: Advance; readonly status: StageRunStatus }
  /** The caller looked at another world than this one. */
  | {
      readonly kind: 'MovedOn';
      readonly message: string;
      /** The field that is outdated, and its value now; undefined where there is none. */
      readonly field: string;
      readonly current: string | undefined;
    }
  /** Nothing to pass, or not in this way. */
  | { readonly kind: 'Refused'; readonly faults: readonly FieldFault[] }
  | { readonly kind: 'Full'; readonly message: string };

/**
 * Whether a gate may be passed, and what is then on record. The right to override is not looked at:
 * whoever calls this has asked for it where `spec.override` is set.
 *
 * It says the same to the same request again (by run, stage, gate and user), also when the gate does
 * not hold any more; but never of an earlier run, since a passed gate is bound to its run.
 */
export function decideAdvance(question: AdvanceQuestion): AdvanceVerdict {
  const { run, spec, stageSet } = question;
  const newest = run?.spec?.runId;
  if (newest !== spec.runId) {
    const message =
      newest === undefined
        ? 'the StageSet has had no run yet'
        : `run ${spec.runId} is no longer the newest: ${newest} is; look at it and try again`;
    return { kind: 'MovedOn', message, field: 'spec.runId', current: newest };
  }
  const pinned = run?.spec?.snapshot.find(({ stage }) => stage === spec.stage);
  if (pinned === undefined) {
    const names = (run?.spec?.snapshot ?? []).map(({ stage }) => stage).join(', ');
    return refused(
      'spec.stage',
      `run ${newest} has no such stage; it has ${cutMessage(names, 512)}`,
    );
  }
  if (spec.revision !== undefined && spec.revision !== pinned.revision) {
    const message = `stage ${spec.stage} is at revision ${pinned.revision} in run ${newest}, not at ${spec.revision}`;
    return { kind: 'MovedOn', message, field: 'spec.revision', current: pinned.revision };
  }
  const stages = heldStages(question, question.now);
  const holds = stages.find(({ name }) => name === spec.stage)?.holds ?? [];
  const before = recordedBefore(question, holds);
  if (before !== undefined) return { kind: 'Recorded', advance: before };
  const over = whyOver(question);
  if (over !== undefined) {
    return { kind: 'MovedOn', message: over, field: 'spec.runId', current: undefined };
  }
  if (holds.length === 0) return refused('spec.stage', nothingHolds(question, stages));
  const hold = holdIn(holds, spec.gate);
  if (hold === undefined) {
    const reason = spec.gate === undefined ? 'FieldValueRequired' : 'FieldValueInvalid';
    return refused('spec.gate', whichGate(question, holds), reason);
  }
  if (needsOverride(hold) && spec.override !== true) {
    const why = `${hold.reason}; to pass it now set override to true and give a reason, which takes the verb override on stagesets/advance`;
    return refused('spec.override', why);
  }
  const unfit = hold.gate === 'VersionApproval' ? unfitApproval(question) : undefined;
  if (unfit !== undefined) return refused('spec.gate', unfit);
  return record(question, hold, stageSet.metadata.name);
}

/** Why an approval of this user would not count. */
function unfitApproval({ stageSet, requester }: AdvanceQuestion): string | undefined {
  const { spec } = stageSet;
  return spec === undefined ? undefined : approvalRefusal({ stageSet, spec }, requester.user);
}

function record(question: AdvanceQuestion, hold: Hold, stageSet: string): AdvanceVerdict {
  const status = question.run?.status ?? {};
  const advance = advanceOf(question, hold);
  const advances = [...(status.advances ?? []), advance];
  if (isTooMany(advances)) {
    const message =
      `the record of run ${question.spec.runId} of StageSet ${stageSet} has no room for one more ` +
      'advance: a run keeps at most 200 of them and 96 KiB; the next run has a record of its own';
    return { kind: 'Full', message };
  }
  return { kind: 'Record', advance, status: fitted({ ...status, advances }) };
}

function advanceOf({ spec, requester, via, now }: AdvanceQuestion, hold: Hold): Advance {
  const { user, uid, groups = [] } = recordable(requester);
  return {
    at: toRfc3339(now),
    user,
    ...(uid === undefined ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups: [...groups] }),
    stage: spec.stage,
    gate: hold.gate,
    override: needsOverride(hold),
    ...(spec.reason === undefined ? {} : { reason: spec.reason }),
    via,
  };
}

/** Cut to what a record takes. */
function recordable({ user, uid, groups = [] }: Requester): Requester {
  return {
    user: cutMessage(user, 512),
    ...(uid === undefined || uid === '' ? {} : { uid: cutMessage(uid, 512) }),
    groups: groups.slice(0, 32).map((group) => cutMessage(group, 512)),
  };
}

/** The newest advance of the same user that the request asks for again. */
function recordedBefore(
  { run, spec, requester }: AdvanceQuestion,
  holds: readonly Hold[],
): Advance | undefined {
  // Without a gate it is about the one that holds, as long as one does.
  if (spec.gate === undefined && holds.length > 0) return undefined;
  const { user, uid } = recordable(requester);
  return run?.status?.advances?.findLast(
    (advance) =>
      advance.stage === spec.stage &&
      (spec.gate === undefined || advance.gate === spec.gate) &&
      advance.user === user &&
      advance.uid === uid,
  );
}

function holdIn(holds: readonly Hold[], gate: Gate | undefined): Hold | undefined {
  if (gate === undefined) return holds.length === 1 ? holds[0] : undefined;
  return holds.find((hold) => hold.gate === gate);
}

function nothingHolds({ run, spec }: AdvanceQuestion, stages: readonly HeldStage[]): string {
  const own = stages.find(({ name }) => name === spec.stage);
  const passed = passedBy(run, spec.stage, spec.gate);
  const held = stages.find(({ holds }) => holds.length > 0);
  const elsewhere = held === undefined ? 'no gate holds the run' : `stage ${held.name} is held`;
  return `no gate holds stage ${spec.stage}, which is ${own?.phase ?? 'Pending'}${passed}; ${elsewhere}`;
}

function whichGate({ run, spec }: AdvanceQuestion, holds: readonly Hold[]): string {
  const names = holds.map(({ gate }) => gate).join(' and ');
  if (spec.gate === undefined) return `say which gate: ${names} hold stage ${spec.stage}`;
  const passed = passedBy(run, spec.stage, spec.gate);
  return `gate ${spec.gate} does not hold stage ${spec.stage}${passed}; ${names} does`;
}

/** Whoever comes second shall know that somebody else was first. */
function passedBy(run: StageRun | undefined, stage: string, gate: Gate | undefined): string {
  const advance = run?.status?.advances?.findLast(
    (one) => one.stage === stage && (gate === undefined || one.gate === gate),
  );
  if (advance === undefined) return '';
  return ` (${advance.gate} was passed by ${advance.user ?? 'somebody'} at ${advance.at})`;
}

function refused(
  field: string,
  why: string,
  reason: FieldFault['reason'] = 'FieldValueInvalid',
): AdvanceVerdict {
  const what = reason === 'FieldValueRequired' ? 'Required' : 'Invalid';
  return { kind: 'Refused', faults: [{ reason, field, message: `${what} value: ${why}` }] };
}
