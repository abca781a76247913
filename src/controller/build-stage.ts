import { refuseDataLoss } from '../core/objects/conflict-policy.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { Stage } from '../types/stages.ts';
import { decryptionKeys } from './decryption-keys.ts';
import { during, OperationError } from './failure.ts';
import { ownerOf } from './owner.ts';
import {
  type BuildSteps,
  type PreparedStage,
  prepareStage,
  refuseReleasesOfOthers,
  refuseSharedObjects,
} from './prepare-stage.ts';
import type { StageAt } from './stage-at.ts';
import type { Targets } from './targets.ts';
import type { Tenants } from './tenants.ts';
import { resolveVariables, type VariableSource } from './variables.ts';

/**
 * The objects of a stage of a run, built from its pinned artifact and checked: what a run is about to
 * apply, and what a plan is about to compare. It asks for the permit once the artifact is at hand:
 * those whose servers are slow must not keep others from being built. Secret values that went into it
 * are added to the memory's.
 *
 * @throws the failure of the stage, with its operation
 */
export async function buildStage(
  at: StageAt,
  {
    builder,
    tenants,
    targets,
  }: { readonly builder: BuildSteps; readonly tenants: Tenants; readonly targets: Targets },
  permit: () => Promise<void>,
  call: CallOptions,
): Promise<PreparedStage> {
  const { stageSet, run, index, stage, memory } = at;
  const pinned = run.pinned[index];
  if (pinned === undefined) throw new Error(`stage ${stage.name} has no pinned artifact`);
  const secrets = secretSource(at, tenants);
  const keys = await during(
    'configure decryption',
    decryptionKeys(run.spec.decryption, secrets, call),
  );
  const resolved = resolveVariables(stage.postBuild, secrets, call);
  const variables = await during('resolve postBuild variables', resolved);
  const { client, identity } = await targets.readyTargetOf(stageSet, stage.name, call);
  const { onSecretValue } = secrets;
  const around = { owner: ownerOf(stageSet), client, defined: memory.defined, onSecretValue };
  const { namespace: tenant } = ownerOf(stageSet);
  // Decrypting is the whole StageSet's business, as reading its keys is.
  const { account } = tenants.tenantOf(stageSet);
  const input = { artifact: pinned, stage, variables, keys, account, tenant };
  await builder.fetch(input, call.signal);
  await permit();
  const prepared = await prepareStage(builder, input, around, call);
  refuseSharedObjects(prepared, stage.name, memory.desired);
  refuseConflictPolicy(prepared, stage);
  refuseReleasesOfOthers(prepared, identity, ownerOf(stageSet).namespace);
  return prepared;
}

/** What is secret is read as the account of the whole StageSet, whatever account the stage has (part A 9.1). */
function secretSource({ stageSet, memory }: StageAt, tenants: Tenants): VariableSource {
  const { client } = tenants.tenantOf(stageSet);
  const { namespace } = ownerOf(stageSet);
  return { namespace, client, onSecretValue: (value) => memory.secrets.add(value) };
}

/** @throws the refusal of the stage, as a failure of its own operation: see `refuseDataLoss`. */
function refuseConflictPolicy({ groups }: PreparedStage, stage: Stage): void {
  try {
    refuseDataLoss(groups.flat(), stage);
  } catch (error) {
    throw new OperationError('conflict policy', error);
  }
}
