import { AppliedMemory } from '../apply/applied-memory.ts';
import { validateGroup, writeGroup } from '../apply/apply-group.ts';
import type { ApplyTarget } from '../apply/apply-target.ts';
import { healthOfApplied, lookAtHealth } from '../apply/look-at-health.ts';
import { RetryableError, TerminalError } from '../core/errors.ts';
import type { AwaitedHealth } from '../core/health/awaited.ts';
import { describeHealth } from '../core/health/summary.ts';
import type { StageSetExists } from '../core/objects/foreign-owner.ts';
import { describeObject } from '../core/objects/identity.ts';
import { applyGroups, othersBuildOn } from '../core/objects/order.ts';
import { stampActionOwnership } from '../core/objects/ownership.ts';
import { establishBound } from '../core/schedule.ts';
import { after, type Clock, milliseconds } from '../core/time.ts';
import { isNoKindMatch } from '../kubernetes/api-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { pause } from '../kubernetes/wait.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { causedBy } from './failure.ts';
import { ownerOf } from './owner.ts';
import { definedKinds, refuseReleasesOfOthers, scopesOf } from './prepare-stage.ts';
import type { ActionPlace } from './stage-at.ts';
import type { Targets } from './targets.ts';

export interface ApplyOptions {
  readonly targets: Targets;
  readonly stageSetExists: StageSetExists;
  readonly clock: Clock;
}

/** Between two looks at definitions and namespaces that what follows needs. */
const lookInterval = milliseconds(250);

/** By what the objects of actions are found: they carry no stage's label. */
function selectorOf({ stageSet }: ActionPlace): ApplyTarget['owner'] {
  return { ...ownerOf(stageSet), stage: '' };
}

/**
 * Applies the objects of an `apply` action, group by group as those of a stage, as the stage's account
 * (part A 7.3): no stage's label, no inventory, and a conflict that only a replacement would solve is
 * a failure. What belongs to somebody else is refused as for stages, and what a stage of the same
 * StageSet applies as well.
 */
export async function applyForAction(
  at: ActionPlace,
  objects: readonly KubernetesObject[],
  { targets, stageSetExists, clock }: ApplyOptions,
  call: CallOptions,
): Promise<AwaitedHealth[]> {
  const { stageSet, stage } = at;
  const owner = ownerOf(stageSet);
  const { client, identity } = await targets.readyTargetOf(stageSet, stage.name, call);
  const defined = definedKinds(objects);
  const scopes = await scopesOf(objects, defined, client, call);
  const stamped = stampActionOwnership(objects, owner, (apiVersion, kind) =>
    scopes.get(`${apiVersion}/${kind}`),
  );
  const groups = applyGroups(stamped);
  refuseReleasesOfOthers({ groups }, identity, owner.namespace);
  const target: ApplyTarget = {
    client,
    owner: selectorOf(at),
    scope: '',
    // It is applied once: there is nothing to remember for another time.
    memory: new AppliedMemory(),
    stageSetExists,
    conflicts: {},
  };
  const health: AwaitedHealth[] = [];
  for (const [index, group] of groups.entries()) {
    const applied = await applyGroup(group, defined, target, clock, call);
    const more = index + 1 < groups.length && othersBuildOn(group);
    health.push(...(more ? await established(applied, target, clock, call) : applied));
  }
  return health;
}

/** Health of what an `apply` action has applied, as it is now. */
export async function lookForAction(
  at: ActionPlace,
  health: readonly AwaitedHealth[],
  { targets, clock }: Pick<ApplyOptions, 'targets' | 'clock'>,
  call: CallOptions,
): Promise<readonly AwaitedHealth[]> {
  const { client } = await targets.targetOf(at.stageSet, at.stage.name, call);
  const looked = await lookAtHealth(health, { client, owner: selectorOf(at) }, clock(), call);
  return looked.health;
}

/** A kind that the artifact itself defines is served a moment after its definition is established. */
async function applyGroup(
  group: readonly KubernetesObject[],
  defined: ReadonlyMap<string, unknown>,
  target: ApplyTarget,
  clock: Clock,
  call: CallOptions,
): Promise<AwaitedHealth[]> {
  const end = after(clock(), establishBound);
  const own = group.some(({ apiVersion, kind }) => defined.has(`${apiVersion}/${kind}`));
  for (;;) {
    try {
      const validated = await validateGroup(group, target, call);
      const [replaced] = validated.replacements;
      if (replaced !== undefined) throw irreplaceable(replaced.desired.object);
      const applied = await writeGroup(validated, target, call);
      return healthOfApplied(applied, clock());
    } catch (error) {
      if (!own || !causedBy(error, isNoKindMatch) || clock() >= end) throw error;
      await pause(lookInterval, call.signal);
    }
  }
}

async function established(
  applied: readonly AwaitedHealth[],
  { client, owner }: ApplyTarget,
  clock: Clock,
  call: CallOptions,
): Promise<readonly AwaitedHealth[]> {
  const end = after(clock(), establishBound);
  let health = applied;
  while (health.some(({ status }) => status !== 'Current')) {
    if (clock() >= end) {
      throw new RetryableError(`what other objects need is not there: ${describeHealth(health)}`);
    }
    await pause(lookInterval, call.signal);
    ({ health } = await lookAtHealth(health, { client, owner }, clock(), call));
  }
  return health;
}

function irreplaceable(object: KubernetesObject): TerminalError {
  return new TerminalError(
    `${describeObject(object)} cannot be changed as wanted, and an action does not replace objects; ` +
      'delete it with an action of its own first, or apply it in a stage',
    { reason: 'StageFailed' },
  );
}
