import { anchorOf } from './ladder.ts';
import type { Evidence } from './migration-ledger.ts';
import type { MigrationQuestion } from './migration-question.ts';
import { compareVersions, parseVersion } from './semver.ts';
import type { VersionChange, WantedMigration } from './wanted-migrations.ts';

/** A change of the version that is not carried out, and nothing of it. */
export interface Refused {
  readonly kind: 'Refused';
  /** A reason of the Ready condition. */
  readonly reason:
    | 'DowngradeNotAllowed'
    | 'DowngradeRequiresMigration'
    | 'MigrationStageNotFound'
    | 'MigrationCoverageMissing'
    | 'InvalidVersion'
    | 'InvalidSpec';
  readonly message: string;
}

export function refused(reason: Refused['reason'], message: string): Refused {
  return { kind: 'Refused', reason, message };
}

/** What a refusal is judged by. */
interface Findings {
  readonly change: VersionChange;
  readonly wanted: readonly WantedMigration[];
  readonly evidence: ReadonlyMap<string, Evidence>;
}

/** Why a change of the version may not be carried out; undefined where it may. */
export function refusalOf(question: MigrationQuestion, findings: Findings): Refused | undefined {
  return (
    repeatedName(question) ??
    downgradeForbidden(question, findings) ??
    withoutWayBack(findings) ??
    lostMigration(question, findings) ??
    uncovered(question, findings) ??
    withoutStage(question, findings)
  );
}

/** A name is the key of a ledger: with two of a name, one would be done again (edge case 8, part B 13). */
function repeatedName({ ladder }: MigrationQuestion): Refused | undefined {
  const seen = new Set<string>();
  for (const { name } of ladder) {
    if (seen.has(name)) {
      const message = `two migrations are called ${name}; give each its own name`;
      return refused('InvalidSpec', message);
    }
    seen.add(name);
  }
  return undefined;
}

function downgradeForbidden(
  { allowDowngrade, current = '', desired: desiredText }: MigrationQuestion,
  { change, wanted }: Findings,
): Refused | undefined {
  if (allowDowngrade === true) return undefined;
  const undone = wanted.filter(
    ({ direction, purpose }) => direction === 'Down' && purpose === 'Revert',
  );
  const names = undone.map(({ migration }) => migration.name).join(', ');
  const allow = 'set spec.version.allowDowngrade to undo them by their down actions';
  if (compareVersions(change.desired, change.current) < 0) {
    const begun = undone.length === 0 ? '' : `; an unfinished change has carried out ${names}, too`;
    const message =
      `version ${desiredText} is lower than the deployed ${current}${begun}; deliver ${current} or a ` +
      'later version, or set spec.version.allowDowngrade';
    return refused('DowngradeNotAllowed', message);
  }
  const [highest] = undone.toSorted((one, other) => compareVersions(other.rung.to, one.rung.to));
  if (highest === undefined) return undefined;
  const message =
    `an unfinished change of the version has carried out migrations above ${desiredText}, at least in ` +
    `part: ${names}; deliver version ${highest.migration.to} or a later one, or ${allow}`;
  return refused('DowngradeNotAllowed', message);
}

function withoutWayBack({ wanted }: Findings): Refused | undefined {
  const stuck = wanted.filter(({ direction, steps }) => direction === 'Down' && steps.length === 0);
  if (stuck.length === 0) return undefined;
  const names = stuck.map(({ migration }) => migration.name).join(', ');
  const message = `migrations cannot be undone, since they have no down actions: ${names}; write them, or deliver a version that keeps them`;
  return refused('DowngradeRequiresMigration', message);
}

/** Something was carried out, and nobody can tell any more what that was or how it is undone. */
function lostMigration(question: MigrationQuestion, findings: Findings): Refused | undefined {
  const known = new Set(question.ladder.map(({ name }) => name));
  const lost = [...findings.evidence]
    .filter(([name, evidence]) => !known.has(name) && isMissed(name, evidence, question, findings))
    .map(([name]) => name);
  if (lost.length === 0) return undefined;
  const message =
    `an unfinished change of the version has carried out migrations, at least in part, that are no longer ` +
    `among the migrations: ${lost.join(', ')}; put them back, with down actions`;
  return refused('DowngradeRequiresMigration', message);
}

function isMissed(
  name: string,
  { up, down, whole }: Evidence,
  { pending = [] }: MigrationQuestion,
  { change: { current, desired } }: Findings,
): boolean {
  const isUndone = down.length > 0 && up.length === 0 && whole.length > 0;
  const to = parseVersion(pending.find((each) => each.name === name)?.to ?? '');
  if (to !== undefined) {
    const isAbove = compareVersions(to, current) > 0;
    const isReached = compareVersions(to, desired) <= 0;
    if (isAbove && isReached) return false;
    return isAbove || isReached || !isUndone;
  }
  const order = compareVersions(desired, current);
  if (order > 0) return down.length > 0;
  return order === 0 || !isUndone;
}

function uncovered(
  { requireCoverage, current = '', desired: desiredText }: MigrationQuestion,
  { change, wanted }: Findings,
): Refused | undefined {
  if (requireCoverage !== true || change.desired.major <= change.current.major) return undefined;
  if (wanted.some(({ direction, purpose }) => direction === 'Up' && purpose === 'Advance')) {
    return undefined;
  }
  const message =
    `no migration leads from ${current} towards ${desiredText}, which is another major version; add one, or ` +
    'unset spec.version.requireMigrationCoverage';
  return refused('MigrationCoverageMissing', message);
}

function withoutStage({ stages }: MigrationQuestion, { wanted }: Findings): Refused | undefined {
  const [lost] = wanted.filter(({ migration }) => anchorOf(migration, stages) === undefined);
  if (lost === undefined) return undefined;
  const { name, stage = '' } = lost.migration;
  const message = `migration ${name} runs before stage ${stage}, and no stage has that name or migrationAnchor; correct one of them`;
  return refused('MigrationStageNotFound', message);
}
