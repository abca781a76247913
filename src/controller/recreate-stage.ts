import type { ValidatedGroup } from '../apply/apply-group.ts';
import type { ApplyTarget } from '../apply/apply-target.ts';
import { deleteReplaced, namesOf, stillDeleting } from '../apply/recreate.ts';
import { RetryableError } from '../core/errors.ts';
import { referenceTo } from '../core/objects/identity.ts';
import { lookedAgain, tookTooLong, withDeletions } from '../core/recreation.ts';
import type { Applying, Recreating, StageStep } from '../core/run.ts';
import { nextLook, recreateBoundOf } from '../core/schedule.ts';
import type { Clock } from '../core/time.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { Reporter } from './reporter.ts';
import type { StageAt } from './stage-at.ts';

/**
 * Deletes what cannot be changed and may be replaced. The group is applied when all of it is gone,
 * also by a controller that knows nothing of the deletion: to that one the objects are new.
 *
 * @throws RetryableError where the same is replaced again and again for longer than the stage may take.
 */
export async function replace(
  { stageSet, stage }: StageAt,
  { group, groups, health, recreation }: Applying,
  { replacements }: ValidatedGroup,
  { target, reporter, clock }: { target: ApplyTarget; reporter: Reporter; clock: Clock },
  call: CallOptions,
): Promise<StageStep> {
  const now = clock();
  const names = namesOf(replacements);
  if (recreation !== undefined && tookTooLong(recreation, now)) {
    const again = names.slice(0, 3).join(', ');
    throw new RetryableError(`replaced again and again within the stage's timeout: ${again}`);
  }
  const remaining = await deleteReplaced(replacements, target, call);
  reporter.recreating(stageSet, stage.name, names);
  const deleted = replacements.map(({ desired }) => referenceTo(desired.object));
  const bound = recreateBoundOf(stageSet.spec ?? { stages: [] }, stage.name);
  return {
    kind: 'Recreating',
    group,
    groups,
    established: health,
    recreation: withDeletions(recreation, deleted, now, bound),
    remaining,
    looks: 0,
    nextLook: nextLook(now, 0),
  };
}

/** The step after a look whether the deleted objects are gone. */
export async function lookForDeleted(
  step: Recreating,
  client: KubernetesClient,
  clock: Clock,
  call: CallOptions,
): Promise<StageStep> {
  const remaining = await stillDeleting(step.remaining, client, call);
  return { kind: 'Recreating', ...lookedAgain(step, remaining, clock()) };
}
