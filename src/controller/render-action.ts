import type { RenderedAction } from '../actions/action-context.ts';
import { findSealed } from '../core/actions/sealed-objects.ts';
import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';
import { describeObject } from '../core/objects/identity.ts';
import { leavesNamespace } from '../core/objects/source-artifact.ts';
import type { SourceObservation } from '../core/snapshot.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { JobAction, Stage } from '../types/stages.ts';
import { ownerOf } from './owner.ts';
import type { BuildSteps } from './prepare-stage.ts';
import { SourceReader } from './source-reader.ts';
import type { ActionPlace } from './stage-at.ts';
import type { Tenants } from './tenants.ts';

export interface RenderOptions {
  readonly builder: BuildSteps;
  readonly tenants: Tenants;
  readonly crossNamespaceReferences: 'Allowed' | 'Refused';
}

/**
 * The objects in the artifact of a `job` or `apply` action (part A 7.3). Its source is read as the
 * stage's account and not as the controller, and in the local cluster, where all sources are, also
 * when the target is a remote one. Downloads and builds are shared with those of stages. Nothing is
 * patched, substituted or decrypted.
 *
 * @throws RetryableError for a source without an artifact that is ready, DeniedError for one that the
 * account may not read, TerminalError for a reference that is refused, and for encrypted files.
 */
export async function renderAction(
  { stageSet, stage }: ActionPlace,
  { sourceRef, path }: JobAction,
  { builder, tenants, crossNamespaceReferences }: RenderOptions,
  call: CallOptions,
): Promise<RenderedAction> {
  const { namespace } = ownerOf(stageSet);
  const { client } = tenants.tenantOf(stageSet, stage.name);
  const reader = new SourceReader({ client, crossNamespaceReferences });
  const source = await reader.observeOne(sourceRef, namespace, call);
  if (source.kind === 'Unavailable') {
    const refused = crossNamespaceReferences === 'Refused' && leavesNamespace(sourceRef, namespace);
    throw unavailable(source, refused ? 'Never' : 'Later');
  }
  const { artifact } = source;
  const plain: Stage = { name: stage.name, sourceRef, ...(path === undefined ? {} : { path }) };
  const input = {
    artifact,
    stage: plain,
    variables: new Map<string, string>(),
    tenant: namespace,
    keys: undefined,
    account: undefined,
  };
  await builder.fetch(input, call.signal);
  const { objects } = await builder.build(input, call.signal);
  refuseSealed(objects);
  return { revision: artifact.revision, objects };
}

function unavailable(
  { reason, message }: Extract<SourceObservation, { kind: 'Unavailable' }>,
  ready: 'Never' | 'Later',
): Error {
  if (reason === 'RBACDenied') return new DeniedError(message, { reason });
  if (reason === 'InvalidSpec' || ready === 'Never') return new TerminalError(message, { reason });
  return new RetryableError(message);
}

/** Applying what is encrypted would put the cipher text into the cluster. */
function refuseSealed(objects: readonly KubernetesObject[]): void {
  const sealed = findSealed(objects);
  if (sealed === undefined) return;
  const name = describeObject(sealed);
  const which = name.includes('ENC[') ? 'an object' : name;
  throw new TerminalError(
    `${which} in the artifact is encrypted with SOPS, and what job and apply actions use is not ` +
      'decrypted; put it into a stage, or refer to a Secret that a stage applies',
    { reason: 'StageFailed' },
  );
}
