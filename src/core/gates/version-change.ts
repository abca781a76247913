import type { Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { Migration } from '../../types/stages.ts';
import type { RunStage } from '../actions/action.ts';
import { requestedAtAnnotation } from '../annotations.ts';
import type { RunProgress } from '../run.ts';
import { after, type Instant, minutes, toRfc3339 } from '../time.ts';
import { isMigrationDirty } from '../version/migration-failure.ts';
import { recordedLedger } from '../version/migration-ledger.ts';
import { migrationsBefore, needsLadder, planMigrations } from '../version/plan-migrations.ts';
import type { RunVersion } from '../version/run-version.ts';
import { type LadderFound, type VersionAsk, versionAskKey } from '../version/version-asks.ts';
import { refusalBy } from '../version/wanted-version.ts';
import { decideApproval } from './approval.ts';
import type { EntryGate, EntryQuestion, EntryVerdict } from './entry-gate.ts';
import type { GateHold } from './gate-hold.ts';
import { heldSince } from './held-since.ts';
import { patchNeeds } from './needs.ts';
import { annotateCommand } from './override.ts';

/**
 * The change of the version that a run makes: it is planned once, when the run begins, held until it is
 * approved, and nothing of it is tried that cannot be done in full (part B 2.3 to 2.6).
 */
export const versionChange: EntryGate = (question) => {
  const { run, index, snapshot } = question;
  const { desiredVersion: desired } = run;
  if (desired === undefined || index > 0 || run.version?.approved === true) return { kind: 'Open' };
  const supposed = new Set(run.stages[index]?.passed);
  if (supposed.has('VersionApproval')) return openAsSupposed(question);
  const { status = {} } = snapshot.stageSet;
  const current = status.version === '' ? undefined : status.version;
  const ladder = ladderFor(question, { current, desired });
  if (ladder.kind !== 'Ladder') return ladder;
  const plan = planMigrations({
    current,
    desired,
    ladder: ladder.migrations,
    stages: run.spec.stages,
    ledger: recordedLedger(status),
    pending: status.pendingMigrations,
    allowDowngrade: run.spec.version?.allowDowngrade,
    requireCoverage: run.spec.version?.requireMigrationCoverage,
  });
  if (plan.kind === 'Refused') return refusedBy(question, plan.reason, plan.message);
  const { found } = ladder;
  const version: RunVersion = {
    current,
    desired,
    plan,
    ...(found === undefined ? {} : { ladder: { revision: found.revision, digest: found.digest } }),
    ...(found?.mutable === undefined ? {} : { mutable: found.mutable }),
    approved: false,
  };
  if (!supposed.has('MigrationDirty') && isMigrationDirty(snapshot.stageSet, run.id, plan)) {
    return dirty(question);
  }
  return approved(question, version);
};

type LadderAt =
  | {
      readonly kind: 'Ladder';
      readonly migrations: readonly Migration[];
      readonly found?: LadderFound;
    }
  | Extract<EntryVerdict, { kind: 'Ask' | 'Held' }>;

/** The migrations to plan with; those of an artifact are looked at anew by each run. */
function ladderFor(
  question: EntryQuestion,
  { current, desired }: { readonly current: string | undefined; readonly desired: string },
): LadderAt {
  const { run, snapshot } = question;
  const { migrations = [], migrationsSourceRef: source } = run.spec;
  if (source === undefined) return { kind: 'Ladder', migrations };
  const ledger = recordedLedger(snapshot.stageSet.status);
  if (!needsLadder({ current, desired, ledger })) return { kind: 'Ladder', migrations: [] };
  const ask: VersionAsk = { kind: 'Ladder', source };
  const answer = snapshot.versions.get(versionAskKey(ask));
  if (answer === undefined || !isFresh(answer.at, run.startedAt, snapshot.now)) {
    return { kind: 'Ask', asks: [ask] };
  }
  if (answer.kind === 'Ladder')
    return { kind: 'Ladder', migrations: answer.migrations, found: answer };
  const refusal = refusalBy(answer, 'SourceNotReady');
  if (refusal === undefined || refusal.until <= snapshot.now) return { kind: 'Ask', asks: [ask] };
  return heldBy(question, refusal.reason, refusal.message, refusal.until);
}

/** Of this run, also where its clock was set back since it began. */
function isFresh(at: Instant, since: Instant, now: Instant): boolean {
  return at <= now && (at >= since || since > now);
}

function approved(question: EntryQuestion, version: RunVersion): EntryVerdict {
  const { run, snapshot } = question;
  const { stageSet, advances, now } = snapshot;
  const { plan, desired, current } = version;
  const verdict = decideApproval({
    stageSet,
    spec: run.spec,
    plan,
    desired,
    current,
    advances: advances.filter(({ runId }) => runId === run.id).map(({ advance }) => advance),
    runId: run.id,
    now,
    since: heldSince(question, 'VersionApproval'),
  });
  if (verdict.kind === 'Open') {
    return { kind: 'Open', run: withMigrations(run, { ...version, approved: true }, snapshot) };
  }
  const { hold, reason, message } = verdict;
  return {
    kind: 'Held',
    run: { ...run, version },
    hold: { holds: [hold], reason, message, until: after(now, minutes(1)) },
  };
}

/** A plan looks behind a change that is held; behind one that cannot be planned there are no migrations. */
function openAsSupposed({ run, snapshot }: EntryQuestion): EntryVerdict {
  const { version } = run;
  if (version === undefined) return { kind: 'Open' };
  return { kind: 'Open', run: withMigrations(run, { ...version, approved: true }, snapshot) };
}

/** The run with each migration in the stage that it comes before. */
function withMigrations(
  run: RunProgress,
  version: RunVersion,
  { stageSet }: EntryQuestion['snapshot'],
): RunProgress {
  const stages = run.spec.stages.map((stage): RunStage => {
    const migrations = migrationsBefore(version.plan, stage.name);
    return migrations.length === 0 ? stage : { ...stage, migrations };
  });
  const migrationLedger = recordedLedger(stageSet.status);
  return { ...run, version, migrationLedger, spec: { ...run.spec, stages } };
}

function refusedBy(question: EntryQuestion, reason: string, message: string): EntryVerdict {
  return heldBy(question, reason, message, after(question.snapshot.now, minutes(1)));
}

/** Nothing of the change can be done until what is wrong is repaired. */
function heldBy(
  question: EntryQuestion,
  reason: string,
  message: string,
  until: Instant,
): Extract<EntryVerdict, { kind: 'Held' }> {
  const since = heldSince(question, 'VersionApproval') ?? question.snapshot.now;
  const hold: Hold = {
    gate: 'VersionApproval',
    reason: message,
    since: toRfc3339(since),
    releasedBy: 'Repair',
  };
  return { kind: 'Held', hold: { holds: [hold], reason, message, until } };
}

function dirty(question: EntryQuestion): EntryVerdict {
  const { stageSet } = question.snapshot;
  const { status = {} } = stageSet;
  const command = annotateCommand(stageSet, requestedAtAnnotation);
  const message =
    `Halted after ${status.migrationFailureCount ?? 0} failures of migrations in a row: repair what ` +
    `is broken, then ask for another try: ${command}`;
  const since = heldSince(question, 'MigrationDirty') ?? question.snapshot.now;
  const hold: GateHold = {
    holds: [
      {
        gate: 'MigrationDirty',
        reason: message,
        since: toRfc3339(since),
        releasedBy: 'Person',
        needs: patchNeeds,
        command,
      },
    ],
    reason: 'MigrationDirty',
    message,
    until: undefined,
  };
  return { kind: 'Held', hold };
}
