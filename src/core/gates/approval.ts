import type { Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { Advance, StageSet, StageSetSpec } from '../../types/stages.ts';
import { cutMessage } from '../conditions.ts';
import { requesterOf } from '../requested-by.ts';
import { specAuthorOf } from '../spec-author.ts';
import { type Instant, toRfc3339 } from '../time.ts';
import type { MigrationPlan } from '../version/plan-migrations.ts';
import { isSameVersion } from '../version/semver.ts';
import { advanceNeeds } from './needs.ts';

/** Approves a version of a StageSet (part A 2.2, part B 2.6). */
const approvedVersionAnnotation = 'stages.metio.wtf/approved-version';

/** What is known when a change of the version is to begin (part B 2.6). */
export interface ApprovalQuestion {
  readonly stageSet: StageSet;
  readonly spec: StageSetSpec;
  readonly plan: MigrationPlan;
  readonly desired: string;
  /** `status.version` */
  readonly current: string | undefined;
  /** The gates of this run that somebody passed by hand; a run has one desired version. */
  readonly advances: readonly Advance[];
  /** Id of the run, which an advance must name. */
  readonly runId: string;
  readonly now: Instant;
  /** Since when it holds; undefined where it did not until now. */
  readonly since: Instant | undefined;
}

export type ApprovalVerdict =
  | { readonly kind: 'Open' }
  | {
      readonly kind: 'Held';
      readonly hold: Hold;
      readonly reason: 'AwaitingApproval';
      /** For the Ready condition: which change, who is missing, and how to approve it. */
      readonly message: string;
    };

/**
 * Whether a change of the version may begin. An approval counts for the version that it names, and no
 * version is approved by another one's; where several approvals are asked for, they must be of different
 * users, and those that nobody vouches for do not count.
 */
export function decideApproval(question: ApprovalQuestion): ApprovalVerdict {
  if (!needsApproval(question)) return { kind: 'Open' };
  const standing = standingOf(question);
  const { missing } = standing;
  if (missing === 0) return { kind: 'Open' };
  const { desired, current = '', plan, now, since = now } = question;
  const count = plan.kind === 'Planned' ? plan.migrations.length : 0;
  const migrations = count === 0 ? 'no migration' : `${count} migration${count === 1 ? '' : 's'}`;
  const command = commandFor(question, standing);
  const reason =
    `The change from version ${current} to ${desired} (${migrations}) waits for ` +
    describeMissing(standing);
  return {
    kind: 'Held',
    hold: {
      gate: 'VersionApproval',
      reason,
      since: toRfc3339(since),
      // Nobody's approval helps while it is not known whose does not count.
      releasedBy: standing.excluded.kind === 'Unknown' ? 'Repair' : 'Person',
      needs: advanceNeeds,
      command,
    },
    reason: 'AwaitingApproval',
    message: `${reason}, since ${toRfc3339(since)}; to go on: ${command}`,
  };
}

/** A first delivery is no change, and neither is none (part B 2.6). */
function needsApproval({ spec, plan }: ApprovalQuestion): boolean {
  if (plan.kind !== 'Planned') return false;
  switch (spec.version?.approvalMode) {
    case undefined:
    case 'Never':
      return false;
    case 'OnMigrations':
      return plan.migrations.length > 0;
    case 'Always':
      return true;
  }
}

/** Who has approved, and what that comes to. */
interface ApprovalStanding {
  readonly required: number;
  /** Users who have approved and count, each once, in the order in which they did. */
  readonly approvedBy: readonly string[];
  /** Approvals that are still missing. */
  readonly missing: number;
  /** Somebody has set the annotation to this version. */
  readonly annotated: boolean;
  /** Who does not count although they may approve elsewhere. */
  readonly excluded: Exclusion;
}

type Exclusion =
  | { readonly kind: 'Nobody' }
  | { readonly kind: 'Author'; readonly user: string; readonly hasApproved: boolean }
  /** Whoever changed the spec does not count, and nobody knows who that is. */
  | { readonly kind: 'Unknown' };

function standingOf(question: ApprovalQuestion): ApprovalStanding {
  const { stageSet, spec, desired, advances } = question;
  const { required = 1, excludeSpecAuthor = false } = spec.version?.approvals ?? {};
  const named = stageSet.metadata.annotations?.[approvedVersionAnnotation]?.trim() ?? '';
  const annotated = isSameVersion(named, desired);
  const byAdvance = advances.filter(({ gate }) => gate === 'VersionApproval');
  const noted = annotated ? requesterOf(stageSet, approvedVersionAnnotation)?.user : undefined;
  const users = new Set(
    [...byAdvance.map(({ user }) => user), noted].filter(
      (user) => user !== undefined && user !== '',
    ),
  );
  const author = excludeSpecAuthor ? specAuthorOf(stageSet)?.user : undefined;
  const excluded = exclusion(excludeSpecAuthor, author, users);
  // One person can act as many ServiceAccounts.
  const told = required > 1 || excludeSpecAuthor;
  const approvedBy = [...users].flatMap((user) =>
    user === undefined || user === author || (told && isServiceAccount(user)) ? [] : [user],
  );
  // One approval of whomever is what the annotation means where no users are told apart.
  const anonymous = required === 1 && !excludeSpecAuthor && (annotated || byAdvance.length > 0);
  const counted = excluded.kind === 'Unknown' ? 0 : approvedBy.length;
  const missing = anonymous ? 0 : Math.max(0, required - counted);
  return { required, approvedBy, missing, annotated, excluded };
}

function isServiceAccount(user: string): boolean {
  return user.startsWith('system:serviceaccount:');
}

function exclusion(
  excludeSpecAuthor: boolean,
  author: string | undefined,
  users: ReadonlySet<string | undefined>,
): Exclusion {
  if (!excludeSpecAuthor) return { kind: 'Nobody' };
  if (author === undefined) return { kind: 'Unknown' };
  return { kind: 'Author', user: author, hasApproved: users.has(author) };
}

const mostNamed = 5;

function describeMissing({ required, approvedBy, missing, excluded }: ApprovalStanding): string {
  if (excluded.kind === 'Unknown') {
    return (
      'somebody to change the spec once more: whoever changed it does not count ' +
      '(approvals.excludeSpecAuthor), and the admission webhook has not noted who that was'
    );
  }
  const several = required > 1;
  const what = several ? `${missing} more of ${required} approvals` : 'approval';
  const names = approvedBy.slice(0, mostNamed).map((name) => cutMessage(name, 128));
  const more = approvedBy.length - names.length;
  const by = `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  const approved = names.length === 0 ? '' : ` (approved by ${by})`;
  if (excluded.kind === 'Nobody') return `${what}${approved}`;
  const author = cutMessage(excluded.user, 128);
  const vain = excluded.hasApproved ? ', whose approval does not count' : '';
  return `${what}${approved}, not by ${author}, who changed the spec last${vain}`;
}

/**
 * How to approve, to be pasted into a shell. The annotation has room for one user: where it is taken,
 * the next one approves by the API.
 */
function commandFor(question: ApprovalQuestion, standing: ApprovalStanding): string {
  const { stageSet, spec, desired, runId } = question;
  const { namespace = 'default', name } = stageSet.metadata;
  if (standing.excluded.kind === 'Unknown') {
    return `kubectl --namespace ${namespace} edit stageset/${name}`;
  }
  if (!standing.annotated) {
    return (
      `kubectl --namespace ${namespace} annotate --overwrite stageset/${name} ` +
      `${approvedVersionAnnotation}=${desired}`
    );
  }
  const body = { stage: spec.stages[0]?.name ?? '', gate: 'VersionApproval', runId };
  return (
    `kubectl --namespace ${namespace} patch stagesets.subresources.stages.metio.wtf ${name} ` +
    `--subresource=advance --type=merge --patch '${JSON.stringify({ spec: body })}'`
  );
}

/**
 * Why a user's approval of a version would not count, for whoever is asked to record it; undefined where
 * it would.
 */
export function approvalRefusal(
  { stageSet, spec }: Pick<ApprovalQuestion, 'stageSet' | 'spec'>,
  user: string,
): string | undefined {
  const { required = 1, excludeSpecAuthor = false } = spec.version?.approvals ?? {};
  if ((required > 1 || excludeSpecAuthor) && isServiceAccount(user)) {
    return (
      `${cutMessage(user, 128)} is a ServiceAccount, as which one person after another can act; ` +
      'spec.version.approvals asks for people'
    );
  }
  if (!excludeSpecAuthor) return undefined;
  if (specAuthorOf(stageSet)?.user !== user) return undefined;
  return (
    `${cutMessage(user, 128)} changed the spec last, and spec.version.approvals.excludeSpecAuthor lets ` +
    'somebody else approve it'
  );
}
