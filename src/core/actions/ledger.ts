import type {
  Action,
  ActionScope,
  RunningAction,
  Stage,
  StageLedger,
  StageStatus,
  StartedAction,
} from '../../types/stages.ts';
import { isMigrationAction, type MigrationAction } from '../version/migration-actions.ts';
import { actionsOf, type Hook, hooks, isResumable, lifetimeActionsOf, scopeIn } from './action.ts';
import { interruptedActions } from './lifetime.ts';

/** Which actions of a stage are on record as done, for the revision that a run has pinned. */
export interface ActionLedger {
  readonly revision: string;
  /** Names of scope Revision, done for that revision; those of `onFailure` among them. */
  readonly done: readonly string[];
  /** The desired version, where the StageSet has one. */
  readonly version: string | undefined;
  /** Names of scope Version, done for that version. */
  readonly versionDone: readonly string[];
  /** Names of scope Lifetime that the StageLedger has as completed. */
  readonly lifetimeDone: readonly string[];
  /** Those that were started and of which no end is known. */
  readonly interrupted: readonly StartedAction[];
  /** What was under way when the status was written last, by a process that may have ended. */
  readonly resumed: RunningAction | undefined;
  /** The token of `reconcile-stage` that the ledger was cleared for last. */
  readonly token: string | undefined;
}

/** What a stage's ledger is read from. */
export interface LedgerInput {
  readonly stage: Stage;
  readonly status: StageStatus | undefined;
  readonly revision: string;
  readonly version: string | undefined;
  /** The first delivery with a version: what is done once for each counts as done (part B 2.3). */
  readonly baseline?: boolean;
  /** Token by which a person asks for the actions of this revision to be done anew. */
  readonly token: string | undefined;
  /** Undefined where the stage has no action of scope Lifetime. */
  readonly lifetime: StageLedger | undefined;
}

/** The ledger of a stage that a run comes to (part A 7.4). */
export function ledgerOf(input: LedgerInput): ActionLedger {
  const { stage, status, revision, version, lifetime } = input;
  // Cleared once for a token: what has been done since is not done again after a restart.
  const forced = input.token !== undefined && input.token !== status?.ledgerToken;
  const names = new Set(hooks.flatMap((hook) => actionsOf(stage, hook).map(({ name }) => name)));
  const kept = (list: readonly string[] | undefined): string[] =>
    (list ?? []).filter((name) => names.has(name));
  const same = status?.ledgerRevision === revision && !forced;
  const sameVersion = version !== undefined && status?.ledgerVersion === version;
  const ofStage = ({ stage: other }: { stage: string }): boolean => other === stage.name;
  const running = status?.runningAction;
  return {
    revision,
    done: same ? kept(status.executedActions) : [],
    version,
    versionDone: sameVersion
      ? kept(status.executedVersionActions)
      : input.baseline === true
        ? versionActionsOf(stage)
        : [],
    lifetimeDone: (lifetime?.status?.completedActions ?? [])
      .filter(ofStage)
      .map(({ action }) => action),
    interrupted: lifetime === undefined ? [] : interruptedActions(lifetime).filter(ofStage),
    resumed: running?.revision === revision && !forced ? running : undefined,
    token: input.token ?? status?.ledgerToken,
  };
}

function versionActionsOf(stage: Stage): string[] {
  return hooks.flatMap((hook) =>
    actionsOf(stage, hook)
      .filter((action) => !isMigrationAction(action) && scopeIn(hook, action) === 'Version')
      .map(({ name }) => name),
  );
}

/** Whether an action is to be done, and why; `/plan` shows the same words. */
export interface Standing {
  readonly verdict: 'WillRun' | 'Skip' | 'Halted';
  readonly scope: ActionScope;
  readonly reason: string;
}

/** What becomes of an action when the run comes to it. */
export function standingOf(hook: Hook, action: Action, ledger: ActionLedger): Standing {
  const { name } = action;
  const scope = scopeIn(hook, action);
  if (isMigrationAction(action)) return migrationStanding(action);
  switch (scope) {
    case 'Revision':
      return ledger.done.includes(name)
        ? { verdict: 'Skip', scope, reason: `done for revision ${ledger.revision}` }
        : { verdict: 'WillRun', scope, reason: `not done for revision ${ledger.revision} yet` };
    case 'Version':
      return ledger.versionDone.includes(name)
        ? { verdict: 'Skip', scope, reason: `done for version ${ledger.version ?? ''}` }
        : { verdict: 'WillRun', scope, reason: `not done for version ${ledger.version ?? ''} yet` };
    case 'Lifetime':
      return lifetimeStanding(action, ledger);
  }
}

function migrationStanding({ ofMigration, done }: MigrationAction): Standing {
  const { migration, direction } = ofMigration;
  const what = direction === 'Up' ? 'migration' : 'undoing migration';
  return done
    ? { verdict: 'Skip', scope: 'Version', reason: `${what} ${migration.name} has done it` }
    : {
        verdict: 'WillRun',
        scope: 'Version',
        reason: `${what} ${migration.name} to ${migration.to}`,
      };
}

/** One that may have been done is not done again: a person has to say how it ended. */
function lifetimeStanding(action: Action, ledger: ActionLedger): Standing {
  const scope = 'Lifetime';
  if (ledger.lifetimeDone.includes(action.name)) {
    return { verdict: 'Skip', scope, reason: 'done once, on record in the StageLedger' };
  }
  const started = ledger.interrupted.find(({ action: name }) => name === action.name);
  if (started === undefined) return { verdict: 'WillRun', scope, reason: 'never done' };
  if (isResumable(action)) {
    return { verdict: 'WillRun', scope, reason: `started at ${started.startedAt}, goes on` };
  }
  const reason = `was started at ${started.startedAt} and nobody knows whether it was done`;
  return { verdict: 'Halted', scope, reason };
}

/** The ledger with one more action that is done. */
export function withDone(ledger: ActionLedger, hook: Hook, action: Action): ActionLedger {
  const { name } = action;
  // What migrations have done is on record of the whole StageSet.
  if (isMigrationAction(action)) return ledger;
  switch (scopeIn(hook, action)) {
    case 'Revision':
      return { ...ledger, done: withName(ledger.done, name) };
    case 'Version':
      return { ...ledger, versionDone: withName(ledger.versionDone, name) };
    case 'Lifetime':
      return {
        ...ledger,
        lifetimeDone: withName(ledger.lifetimeDone, name),
        interrupted: ledger.interrupted.filter(({ action: other }) => other !== name),
      };
  }
}

function withName(names: readonly string[], name: string): readonly string[] {
  return names.includes(name) ? names : [...names, name];
}

/**
 * The action that was under way when the process ended and that nobody goes on with: it is on record
 * as done, or no longer in the spec. What it made may still be there.
 */
export function leftBehind(stage: Stage, { resumed, ...ledger }: ActionLedger): string | undefined {
  if (resumed === undefined) return undefined;
  const { hook, name } = resumed;
  const action = actionsOf(stage, hook).find((each) => each.name === name);
  if (action === undefined) return name;
  const { verdict } = standingOf(hook, action, { ...ledger, resumed });
  return verdict === 'Skip' ? name : undefined;
}

/** Whether the stage still has an action that may be done only once and is not (part A 7.5). */
export function hasUnfinishedLifetime(stage: Stage, ledger: ActionLedger): boolean {
  return lifetimeActionsOf(stage).some(({ name }) => !ledger.lifetimeDone.includes(name));
}

/** Whether a stage has any action, so that a run has to know its ledger. */
export function hasActions(stage: Stage | undefined): boolean {
  return hooks.some((hook) => actionsOf(stage, hook).length > 0);
}
