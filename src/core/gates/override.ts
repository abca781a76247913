import type { BoundOverride, StageSet } from '../../types/stages.ts';
import { digestOf } from '../hash.ts';

/** Opens closed update windows for the revisions that wait when it is set (part A 2.2). */
export const updateNowAnnotation = 'stages.metio.wtf/update-now';

/** Lets the revisions past error budgets that wait when it is set (part A 2.2). */
export const budgetOverrideAnnotation = 'stages.metio.wtf/budget-override';

/** What is known of one kind of override. */
export interface OverrideQuestion {
  /** Value of the annotation; empty is absent. */
  readonly token: string | undefined;
  /** The token that was acted on last. */
  readonly lastHandled: string | undefined;
  /** The override that was in effect when it was last looked at. */
  readonly bound: BoundOverride | undefined;
  /** Digest of the revisions that are pinned now. */
  readonly revisions: string;
  /** Whether all of them are applied, by a run that came to its end. */
  readonly fullyApplied: boolean;
}

export interface OverrideVerdict {
  /** Whether the gate is open because of it. */
  readonly effective: boolean;
  /** To be kept in the status. */
  readonly bound: BoundOverride | undefined;
  /** To be kept in the status as the token that was acted on last. */
  readonly handled: string | undefined;
}

/** What an annotation lets a run past. */
export type OverrideKind = 'Update' | 'Budget';

/** The overrides that a run has looked at. One that was in effect stays so until the run ends. */
export type RunOverrides = Partial<Readonly<Record<OverrideKind, OverrideVerdict>>>;

/**
 * A token counts once, for the revisions that are pinned when it is seen first: through failures,
 * soaks and restarts, until all of them are applied or others take their place. It counts on when
 * the annotation is gone, since whoever applies the StageSet from Git may remove it at any time. A
 * new token binds anew. (The gap of part B 1.5; likewise for budgets, part B 4.4.)
 */
export function decideOverride(question: OverrideQuestion): OverrideVerdict {
  const { token = '', lastHandled, bound, revisions, fullyApplied } = question;
  if (token !== '' && token !== lastHandled && token !== bound?.token) {
    return { effective: true, bound: { token, revisions }, handled: token };
  }
  const handled = bound?.token ?? lastHandled;
  const stands = bound !== undefined && bound.revisions === revisions && !fullyApplied;
  return stands
    ? { effective: true, bound, handled }
    : { effective: false, bound: undefined, handled };
}

/** A digest that is equal for equal revisions of the same stages, in any order. */
export function revisionsDigest(
  stages: readonly { readonly stage: string; readonly revision: string }[],
): string {
  return digestOf(Object.fromEntries(stages.map(({ stage, revision }) => [stage, revision])));
}

/** The command that opens the windows now, to be pasted into a shell. */
export function updateNowCommand(stageSet: StageSet): string {
  return annotateCommand(stageSet, updateNowAnnotation);
}

/** The command that lets pass what the budgets hold, to be pasted into a shell. */
export function budgetOverrideCommand(stageSet: StageSet): string {
  return annotateCommand(stageSet, budgetOverrideAnnotation);
}

/** The command that sets an annotation to a value that it has never had, to be pasted into a shell. */
export function annotateCommand({ metadata }: StageSet, annotation: string): string {
  const { namespace = 'default', name } = metadata;
  return `kubectl annotate stageset ${name} -n ${namespace} --overwrite ${annotation}="$(date +%s)"`;
}
