import type {
  Action,
  BaselineEntry,
  CompletedAction,
  CompletionAnchor,
  StageLedger,
  StageLedgerStatus,
  StageSet,
  StageSetSpec,
  StartedAction,
} from '../../types/stages.ts';
import { cutMessage, longestMessage, typedCondition } from '../conditions.ts';
import { type Instant, toRfc3339 } from '../time.ts';
import { lifetimeActionsOf } from './action.ts';

/** What a look at the object that witnesses a completion found. */
export type AnchorLook =
  | { readonly kind: 'Found'; readonly uid: string }
  | { readonly kind: 'NotFound' }
  | { readonly kind: 'Unreadable'; readonly message: string };

/** Key of an action in a map of anchors. Neither name can hold a slash. */
export function lifetimeKey({ stage, action }: BaselineEntry): string {
  return `${stage}/${action}`;
}

/** The witness of an action that has to be looked at before the ledger can be settled. */
export interface AskedAnchor {
  /** See `lifetimeKey`. */
  readonly key: string;
  readonly stage: string;
  readonly anchor: CompletionAnchor;
}

/** What of a ledger is no longer so, or is so from now on; see `settledStatus`. */
export interface LedgerSettlement {
  /** Completions whose witness is gone, as they are recorded. */
  readonly invalidated: readonly CompletedAction[];
  /** What the baseline says is done, and the ledger does not know yet. */
  readonly promoted: readonly CompletedAction[];
  /** Entries of the baseline that name no Lifetime action of the StageSet. */
  readonly unresolved: readonly BaselineEntry[];
  /** Generation of the ledger all of whose entries are taken over by this; undefined: some wait. */
  readonly generation: number | undefined;
  readonly at: Instant;
}

/** What people should hear of a ledger. */
export type LedgerEvent =
  /** A StageSet that has done nothing yet finds that actions of it are done. */
  | { readonly kind: 'Adopted'; readonly completions: number }
  /** The action runs again, since its witness is gone or is another object of that name. */
  | { readonly kind: 'Invalidated'; readonly completion: CompletedAction; readonly why: string }
  /** The completion counts all the same: an outage must never repeat a bootstrap. */
  | {
      readonly kind: 'AnchorUnreadable';
      readonly completion: CompletedAction;
      readonly why: string;
    }
  | { readonly kind: 'BaselineInvalid'; readonly message: string };

/** The witnesses to look at: of what is completed, and of what the baseline is about to complete. */
export function askedAnchors(spec: StageSetSpec, ledger: StageLedger): AskedAnchor[] {
  const completions = completionsOf(ledger);
  const baselined = new Set((ledger.spec?.baseline ?? []).map(lifetimeKey));
  return lifetimeActions(spec).flatMap(({ stage, action }): AskedAnchor[] => {
    if (action.completionAnchor === undefined) return [];
    const key = lifetimeKey({ stage, action: action.name });
    const completion = completions.find((done) => lifetimeKey(done) === key);
    if (completion?.anchor !== undefined) return [{ key, stage, anchor: completion.anchor }];
    const promotable = completion === undefined && baselined.has(key) && !isTakenOver(ledger);
    return promotable ? [{ key, stage, anchor: action.completionAnchor }] : [];
  });
}

/**
 * What has to change in a ledger (part A 7.6). A completion counts unless its witness is known to be
 * gone; one whose witness was not looked at, or could not be, is kept. An entry of the baseline whose
 * action has a witness is promoted once that was looked at, whatever was found; and only once, since
 * its completion may be dropped when the witness goes, and would come back else. An edit of the
 * baseline says it anew.
 *
 * @param anchors what was found, by `lifetimeKey`; see `askedAnchors`.
 */
export function settleLedger(
  spec: StageSetSpec,
  ledger: StageLedger,
  anchors: ReadonlyMap<string, AnchorLook>,
  now: Instant,
): { readonly settlement: LedgerSettlement; readonly events: readonly LedgerEvent[] } {
  const actions = new Map(
    lifetimeActions(spec).map(({ stage, action }) => [
      lifetimeKey({ stage, action: action.name }),
      action,
    ]),
  );
  const events: LedgerEvent[] = [];
  const invalidated: CompletedAction[] = [];
  for (const completion of completionsOf(ledger)) {
    const event = judged(completion, actions, anchors);
    if (event === undefined) continue;
    events.push(event);
    if (event.kind === 'Invalidated') invalidated.push(completion);
  }
  const baseline = distinct(ledger.spec?.baseline ?? []);
  const recorded = new Set(completionsOf(ledger).map(lifetimeKey));
  const promoted: CompletedAction[] = [];
  let generation = ledger.metadata.generation;
  for (const entry of baseline) {
    const key = lifetimeKey(entry);
    const action = actions.get(key);
    if (action === undefined || recorded.has(key)) continue;
    const witnessed = action.completionAnchor !== undefined;
    if (witnessed && isTakenOver(ledger)) continue;
    if (witnessed && !anchors.has(key)) generation = undefined;
    else promoted.push(promotion(entry, action, anchors.get(key), now));
  }
  const unresolved = baseline.filter((entry) => !actions.has(lifetimeKey(entry)));
  const settlement = { invalidated, promoted, unresolved, generation, at: now };
  const warning = baselineWarning(ledger, settlement);
  return { settlement, events: warning === undefined ? events : [...events, warning] };
}

/** The event for a StageSet that has no stage on record and finds actions of it done, at most once. */
export function ledgerAdopted({ status }: StageSet, ledger: StageLedger): LedgerEvent | undefined {
  const completions = completionsOf(ledger).length;
  return status?.stages === undefined && completions > 0
    ? { kind: 'Adopted', completions }
    : undefined;
}

/**
 * Actions that were started and of which no end is known: the process ended in between. They are
 * reported, and not repeated on their own.
 */
export function interruptedActions(ledger: StageLedger): StartedAction[] {
  const completed = new Set(completionsOf(ledger).map(lifetimeKey));
  return (ledger.status?.startedActions ?? []).filter(
    (started) => !completed.has(lifetimeKey(started)),
  );
}

/** The status of a ledger after a settlement, which may have been made of an older state of it. */
export function settledStatus(
  ledger: StageLedger,
  { invalidated, promoted, unresolved, generation, at }: LedgerSettlement,
): StageLedgerStatus {
  const baseline = new Set((ledger.spec?.baseline ?? []).map(lifetimeKey));
  const kept = completionsOf(ledger).filter(
    (completion) => !invalidated.some((gone) => sameCompletion(gone, completion)),
  );
  const recorded = new Set(completionsOf(ledger).map(lifetimeKey));
  const added = promoted.filter(
    (completion) => baseline.has(lifetimeKey(completion)) && !recorded.has(lifetimeKey(completion)),
  );
  const settled = new Set(added.map(lifetimeKey));
  const status: StageLedgerStatus = { ...ledger.status };
  if (kept.length + added.length > 0 || status.completedActions !== undefined) {
    status.completedActions = [...kept, ...added];
  }
  if (status.startedActions !== undefined) {
    // A person has said how it ended.
    status.startedActions = status.startedActions.filter(
      (started) => !settled.has(lifetimeKey(started)),
    );
  }
  const conditions = settledConditions(
    ledger,
    unresolved.filter((entry) => baseline.has(lifetimeKey(entry))),
    generation,
    at,
  );
  return conditions === undefined ? status : { ...status, conditions };
}

/** The status with an action that is about to start; the same when it has been started already. */
export function withStart({ status = {} }: StageLedger, started: StartedAction): StageLedgerStatus {
  const before = status.startedActions ?? [];
  return before.some((other) => sameAction(other, started))
    ? status
    : { ...status, startedActions: [...before, started] };
}

/** The status with an action that was done here; it takes the place of what the baseline said. */
export function withCompletion(
  ledger: StageLedger,
  completion: CompletedAction,
): StageLedgerStatus {
  const others = completionsOf(ledger).filter((other) => !sameAction(other, completion));
  return { ...withoutStart(ledger, completion), completedActions: [...others, completion] };
}

/** The status without the record that an action was started. */
export function withoutStart(
  { status = {} }: StageLedger,
  action: BaselineEntry,
): StageLedgerStatus {
  return status.startedActions === undefined
    ? status
    : {
        ...status,
        startedActions: status.startedActions.filter((started) => !sameAction(started, action)),
      };
}

/** Whether a ledger has an action as completed. */
export function isCompleted(ledger: StageLedger, action: BaselineEntry): boolean {
  return completionsOf(ledger).some((completion) => sameAction(completion, action));
}

/** The record that an action was started; undefined when there is none. */
export function startOf(ledger: StageLedger, action: BaselineEntry): StartedAction | undefined {
  return ledger.status?.startedActions?.find((started) => sameAction(started, action));
}

const baselineValid = 'BaselineValid';

function completionsOf({ status }: StageLedger): readonly CompletedAction[] {
  return status?.completedActions ?? [];
}

function lifetimeActions(spec: StageSetSpec): { stage: string; action: Action }[] {
  return spec.stages.flatMap((stage) =>
    lifetimeActionsOf(stage).map((action) => ({ stage: stage.name, action })),
  );
}

/** What a look at its witness means for a completion; undefined when nothing. */
function judged(
  completion: CompletedAction,
  actions: ReadonlyMap<string, Action>,
  anchors: ReadonlyMap<string, AnchorLook>,
): Extract<LedgerEvent, { kind: 'Invalidated' | 'AnchorUnreadable' }> | undefined {
  const key = lifetimeKey(completion);
  const look = anchors.get(key);
  // Who takes the witness out of the spec does not want its end to mean anything any more.
  const asked = actions.get(key)?.completionAnchor !== undefined;
  if (!asked || completion.anchor === undefined || look === undefined) return undefined;
  switch (look.kind) {
    case 'Unreadable':
      return { kind: 'AnchorUnreadable', completion, why: look.message };
    case 'NotFound':
      return { kind: 'Invalidated', completion, why: 'is gone' };
    case 'Found':
      if (look.uid === completion.anchor.uid) return undefined;
      return { kind: 'Invalidated', completion, why: 'is another object now' };
  }
}

function promotion(
  { stage, action }: BaselineEntry,
  { completionAnchor }: Action,
  look: AnchorLook | undefined,
  now: Instant,
): CompletedAction {
  const anchor =
    completionAnchor !== undefined && look?.kind === 'Found'
      ? { anchor: { ...completionAnchor, uid: look.uid } }
      : {};
  return { stage, action, origin: 'Baselined', ...anchor, completedAt: toRfc3339(now) };
}

/** Whether all that the baseline says, as it is now, has been put on record before. */
function isTakenOver({ metadata, status }: StageLedger): boolean {
  const condition = status?.conditions?.find(({ type }) => type === baselineValid);
  const { status: verdict, observedGeneration } = condition ?? {};
  return (
    verdict === 'True' &&
    observedGeneration !== undefined &&
    observedGeneration === metadata.generation
  );
}

function baselineWarning(
  ledger: StageLedger,
  { unresolved }: LedgerSettlement,
): LedgerEvent | undefined {
  if (unresolved.length === 0) return undefined;
  const message = unresolvedMessage(unresolved);
  const before = ledger.status?.conditions?.find(({ type }) => type === baselineValid);
  const known = before?.status === 'False' && before.message === message;
  return known ? undefined : { kind: 'BaselineInvalid', message };
}

function unresolvedMessage(unresolved: readonly BaselineEntry[]): string {
  const names = unresolved.map(lifetimeKey).join(', ');
  const message =
    'These entries of spec.baseline name no pre or post action of scope Lifetime of the StageSet; ' +
    `correct or remove them, or they count as soon as there is such an action: ${names}`;
  return cutMessage(message, longestMessage);
}

/** Undefined as long as there never was a baseline. */
function settledConditions(
  { spec, status }: StageLedger,
  unresolved: readonly BaselineEntry[],
  observedGeneration: number | undefined,
  at: Instant,
): StageLedgerStatus['conditions'] {
  const before = status?.conditions?.find(({ type }) => type === baselineValid);
  if (before === undefined && (spec?.baseline ?? []).length === 0) return undefined;
  const verdict =
    unresolved.length === 0
      ? {
          status: 'True' as const,
          reason: 'AllResolved',
          message: 'Every entry of spec.baseline names an action of scope Lifetime',
        }
      : {
          status: 'False' as const,
          reason: 'Unresolved',
          message: unresolvedMessage(unresolved),
        };
  const condition = typedCondition(baselineValid, before, { ...verdict, observedGeneration }, at);
  const others = (status?.conditions ?? []).filter(({ type }) => type !== baselineValid);
  return [...others, condition];
}

function distinct(entries: readonly BaselineEntry[]): BaselineEntry[] {
  return [...new Map(entries.map((entry) => [lifetimeKey(entry), entry])).values()];
}

function sameAction(one: BaselineEntry, other: BaselineEntry): boolean {
  return lifetimeKey(one) === lifetimeKey(other);
}

/** An action that was completed again in between has another witness. */
function sameCompletion(one: CompletedAction, other: CompletedAction): boolean {
  return sameAction(one, other) && one.anchor?.uid === other.anchor?.uid;
}
