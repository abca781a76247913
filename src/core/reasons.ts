import { cutMessage, longestMessage } from './conditions.ts';

/**
 * When a StageSet with a reason is looked at again without an event: `Steady` after the interval,
 * `RetryInterval`, `Minute`, `Backoff` after each failure longer, `Scheduled` when the gate that
 * holds or the run that goes on says so, `None` only for an event or a forced reconcile.
 */
export type RetryClass = 'Steady' | 'RetryInterval' | 'Minute' | 'Backoff' | 'Scheduled' | 'None';

interface ReasonTraits {
  /** Status of the Ready condition. */
  readonly status: 'True' | 'False' | 'Unknown';
  readonly retry: RetryClass;
  /** Whether there is something to do, so that the message links to the page that says what. */
  readonly runbook: boolean;
}

/**
 * Every reason that the Ready condition of a StageSet can carry (part A 1.7, part B 10). Where
 * nothing but a repair helps, it is checked for every minute, but for the two Dirty reasons, which
 * a person must clear.
 */
export const readyReasons = {
  Succeeded: { status: 'True', retry: 'Steady', runbook: false },
  Suspended: { status: 'False', retry: 'None', runbook: false },
  /** Ours: a new snapshot is being rolled out, and nothing holds it. */
  Progressing: { status: 'Unknown', retry: 'Scheduled', runbook: false },

  InvalidSpec: held('Minute'),
  SourceNotReady: held('RetryInterval'),
  ArtifactNotFound: held('RetryInterval'),
  ResolveFailed: held('Minute'),
  DependencyNotReady: held('RetryInterval'),
  Stalled: held('Minute'),
  RBACDenied: held('Minute'),

  StageFailed: held('Backoff'),
  StageProgressing: held('RetryInterval'),
  ImageUnverified: held('Minute'),
  PreviousRevisionUnavailable: held('Minute'),
  ActionDirty: held('None'),
  MigrationDirty: held('None'),
  MigrationFailed: held('Backoff'),

  AwaitingApproval: held('Minute'),
  InvalidVersion: held('Minute'),
  DowngradeNotAllowed: held('Minute'),
  DowngradeRequiresMigration: held('Minute'),
  MigrationStageNotFound: held('Minute'),
  MigrationArtifactInvalid: held('Minute'),
  MigrationSourceNotVerified: held('Minute'),
  MigrationSourceNotPinned: held('Minute'),
  MigrationCoverageMissing: held('Minute'),

  UpdateDeferred: held('Scheduled'),
  BudgetExhausted: held('Scheduled'),
  BudgetSourceUnavailable: held('Scheduled'),
  Soaking: held('Scheduled'),
  AwaitingPromotion: held('RetryInterval'),
  PromotionBlocked: held('Scheduled'),
} as const satisfies Readonly<Record<string, ReasonTraits>>;

export type ReadyReason = keyof typeof readyReasons;

function held<const Retry extends RetryClass>(
  retry: Retry,
): { readonly status: 'False'; readonly retry: Retry; readonly runbook: true } {
  return { status: 'False', retry, runbook: true };
}

export function isReadyReason(reason: string): reason is ReadyReason {
  return Object.hasOwn(readyReasons, reason);
}

/**
 * The message with a link to the page for its reason, where the reason has one:
 * `... (runbook: <base><reason in lower case>/)`. A long message is cut so that the link stays.
 * `base` ends with a slash; an unknown reason counts as one with a page.
 */
export function withRunbook(message: string, reason: string, base: string): string {
  if (isReadyReason(reason) && !readyReasons[reason].runbook) return message;
  const link = ` (runbook: ${base}${reason.toLowerCase()}/)`;
  return `${cutMessage(message, longestMessage - link.length)}${link}`;
}

/** A message as it was before `withRunbook`, but for what that cut off. */
export function withoutRunbook(message: string): string {
  return message.replace(/ \(runbook: [^()\s]+\)$/, '');
}
