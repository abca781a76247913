import type { PinnedArtifact } from '../core/pinned-artifact.ts';
import type { VersionAsk } from '../core/version/version-asks.ts';
import {
  type VersionRoute,
  type VersionText,
  versionFromFiles,
  versionFromObjects,
  versionRoute,
} from '../core/version/version-text.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { Stage, StageSet } from '../types/stages.ts';
import { ownerOf } from './owner.ts';
import type { BuildSteps } from './prepare-stage.ts';
import type { Tenants } from './tenants.ts';
import { resolveVariables } from './variables.ts';
import { type Found, refused } from './version-found.ts';

export interface FindVersionOptions {
  readonly builder: BuildSteps;
  readonly tenants: Tenants;
}

/**
 * The version that a spec names (part B 2.1). A stage is built for it as a run builds it, from the
 * artifact that the run would use, but nothing is decrypted: a version is in plain text.
 *
 * @param secrets gets the values of Secrets that went into the build
 * @throws what keeps the version from being read
 */
export async function findVersion(
  { version, pinned }: Extract<VersionAsk, { kind: 'Version' }>,
  stageSet: StageSet,
  secrets: Set<string>,
  options: FindVersionOptions,
  call: CallOptions,
): Promise<Found> {
  const stages = stageSet.spec?.stages ?? [];
  const route = versionRoute(version, stages);
  if (route.kind === 'Version' || route.kind === 'Invalid') return answer(route);
  const [stage, artifact] = [stages[route.stage], pinned[route.stage]];
  if (stage === undefined || artifact === undefined) {
    const message = `the artifact of stage ${stage?.name ?? route.stage} is not known yet`;
    return { kind: 'Unreadable', message };
  }
  if (route.kind === 'FromArtifact') {
    const { namespace: tenant } = ownerOf(stageSet);
    const wanted = { artifact, paths: [route.source.path], tenant };
    return answer(versionFromFiles(route.source, await options.builder.files(wanted, call.signal)));
  }
  const found = await fromObjects(route, { stageSet, stage, artifact, secrets }, options, call);
  return answer(found.kind === 'Version' ? withoutSecrets(found, secrets) : found);
}

async function fromObjects(
  { source }: Extract<VersionRoute, { kind: 'FromObject' }>,
  {
    stageSet,
    stage,
    artifact,
    secrets,
  }: {
    readonly stageSet: StageSet;
    readonly stage: Stage;
    readonly artifact: PinnedArtifact;
    readonly secrets: Set<string>;
  },
  { builder, tenants }: FindVersionOptions,
  call: CallOptions,
): Promise<VersionText> {
  const { namespace } = ownerOf(stageSet);
  const { client } = tenants.tenantOf(stageSet);
  const onSecretValue = (value: string): void => void secrets.add(value);
  const reader = { namespace, client, onSecretValue };
  const variables = await resolveVariables(stage.postBuild, reader, call);
  const tenant = namespace;
  const input = { artifact, stage, variables, tenant, keys: undefined, account: undefined };
  await builder.fetch(input, call.signal);
  const { objects } = await builder.build(input, call.signal);
  return versionFromObjects(source, objects);
}

/** Shorter values are found everywhere; messages are searched for the same ones. */
const shortestSecret = 6;

/** The version is shown in the status, whatever it was put together from. */
function withoutSecrets(
  found: Extract<VersionText, { kind: 'Version' }>,
  secrets: ReadonlySet<string>,
): VersionText {
  const values = [...secrets].map((value) => value.trim());
  const shows = (value: string): boolean =>
    value.length >= shortestSecret && found.version.includes(value);
  if (!values.some(shows)) return found;
  const message =
    'the version has the value of a Secret in it, and everybody who sees the StageSet sees its ' +
    'version; substitute it from a ConfigMap';
  return { kind: 'Invalid', reason: 'InvalidVersion', message };
}

function answer(text: VersionText): Found {
  return text.kind === 'Version' ? text : refused(text);
}
