import { setImmediate } from 'node:timers/promises';
import { TerminalError } from '../core/errors.ts';
import { entryOf } from '../core/inventory/entry.ts';
import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { describeObject, groupOf, referenceTo } from '../core/objects/identity.ts';
import { applyGroups } from '../core/objects/order.ts';
import { stampOwnership } from '../core/objects/ownership.ts';
import { substitutionFingerprint } from '../core/objects/substitution.ts';
import type { PinnedArtifact } from '../core/pinned-artifact.ts';
import type { ParsedLadder } from '../core/version/parse-ladder.ts';
import { isNoKindMatch } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isJsonObject } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { AccountName } from '../types/key-services.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { type InventoryEntry, type Stage, stagesApiVersion } from '../types/stages.ts';
import { ownIdentity } from './tenants.ts';

/** A stage that is built and checked, ready to be applied group by group. */
export interface PreparedStage {
  /** In the order of application (part A 5.2). */
  readonly groups: readonly (readonly KubernetesObject[])[];
  readonly entries: readonly InventoryEntry[];
  /** The kinds that the CRDs of the stage define, as `apiVersion/kind`. */
  readonly defines: DefinedKinds;
  readonly warnings: readonly string[];
  /** Of the variables that were substituted; empty when there were none. */
  readonly fingerprint: string;
}

/** Scope of kinds by `apiVersion/kind`. */
type DefinedKinds = ReadonlyMap<string, Scope>;

type Scope = 'Namespaced' | 'Cluster';

/**
 * Turns a pinned artifact into objects in two steps, both bounded and cached by digest; or into what
 * else is read of it.
 */
export interface BuildSteps {
  /** Has the artifact at hand, so that building it waits for no server. */
  readonly fetch: (input: BuildInput, signal: AbortSignal) => Promise<void>;
  readonly build: (input: BuildInput, signal: AbortSignal) => Promise<BuiltObjects>;
  /** Some of its files; those that it does not have are left out. */
  readonly files: (wanted: WantedFiles, signal: AbortSignal) => Promise<ArtifactFiles>;
  /** The migrations in it, frozen and shared by all who want the same. */
  readonly ladder: (wanted: WantedLadder, signal: AbortSignal) => Promise<ParsedLadder>;
}

interface FromArtifact {
  readonly artifact: PinnedArtifact;
  /** As that of a build. */
  readonly tenant: string;
}

export interface WantedFiles extends FromArtifact {
  /** From the root of the artifact, exactly as they are in it. */
  readonly paths: readonly string[];
}

export interface WantedLadder extends FromArtifact {
  /** Directory or file with the migrations; undefined or empty for all of the artifact. */
  readonly path: string | undefined;
}

interface BuiltObjects {
  readonly objects: readonly KubernetesObject[];
  readonly warnings: readonly string[];
  /** Values that were decrypted for them. */
  readonly secrets: readonly string[];
}

export interface BuildInput {
  readonly artifact: PinnedArtifact;
  readonly stage: Stage;
  /** For the expressions in the built manifests; with none they stay as they are. */
  readonly variables: ReadonlyMap<string, string>;
  /** Namespace of the StageSet, among which downloads and builds are shared fairly. */
  readonly tenant: string;
  /** Private keys by name; undefined where nothing is to be decrypted. */
  readonly keys: ReadonlyMap<string, Uint8Array> | undefined;
  /** That key services are asked as; undefined for the controller's own identity. */
  readonly account: AccountName | undefined;
}

export interface StageSurroundings {
  readonly owner: { readonly name: string; readonly namespace: string };
  /** Acts as the tenant. */
  readonly client: KubernetesClient;
  /** What the CRDs of earlier stages of the run define. */
  readonly defined: DefinedKinds;
  /** Told each value that was decrypted, so that no message quotes it. */
  readonly onSecretValue?: ((value: string) => void) | undefined;
}

/**
 * Builds a stage, gives each object its namespace and its owner's labels, and refuses
 * what an earlier stage of the same run claims already.
 *
 * @throws TerminalError or RetryableError, with the operation in the caller's hands.
 */
export async function prepareStage(
  builder: BuildSteps,
  input: BuildInput,
  { owner, client, defined, onSecretValue }: StageSurroundings,
  call: CallOptions,
): Promise<PreparedStage> {
  const built = await builder.build(input, call.signal);
  for (const value of built.secrets) onSecretValue?.(value);
  const defines = definedKinds(built.objects);
  const scopes = await scopesOf(built.objects, new Map([...defined, ...defines]), client, call);
  const objects = stampOwnership(
    built.objects,
    { ...owner, stage: input.stage.name },
    (apiVersion, kind) => scopes.get(`${apiVersion}/${kind}`),
  );
  // Each of these is tens of milliseconds for ten thousand objects.
  await setImmediate();
  const groups = applyGroups(objects);
  await setImmediate();
  return {
    groups,
    entries: objects.map((object) => entryOf(object)),
    defines,
    warnings: built.warnings,
    fingerprint: substitutionFingerprint(input.variables),
  };
}

/** Scope of every kind in the stage, by the CRDs of the run first, then by the target's discovery. */
export async function scopesOf(
  objects: readonly KubernetesObject[],
  defined: DefinedKinds,
  client: KubernetesClient,
  call: CallOptions,
): Promise<Map<string, Scope>> {
  const scopes = new Map(defined);
  for (const { apiVersion, kind } of objects) {
    const key = `${apiVersion}/${kind}`;
    if (scopes.has(key)) continue;
    try {
      const mapping = await client.discovery.mappingFor(apiVersion, kind, call);
      scopes.set(key, mapping.scope);
    } catch (error) {
      // The apply will say which kind is missing, for every object of it.
      if (!isNoKindMatch(error)) throw error;
    }
  }
  return scopes;
}

/** The kinds that the stage's CRDs define, with their scope. */
export function definedKinds(objects: readonly KubernetesObject[]): Map<string, Scope> {
  const scopes = new Map<string, Scope>();
  for (const { kind, spec } of objects) {
    if (kind !== 'CustomResourceDefinition' || !isJsonObject(spec)) continue;
    const { group, names, versions, scope } = spec;
    if (!isJsonObject(names) || !Array.isArray(versions)) continue;
    for (const version of versions as unknown[]) {
      if (!isJsonObject(version)) continue;
      const key = `${String(group)}/${String(version['name'])}/${String(names['kind'])}`;
      scopes.set(key, scope === 'Cluster' ? 'Cluster' : 'Namespaced');
    }
  }
  return scopes;
}

/**
 * Refuses a stage that claims an object of an earlier stage of the same run (part A 5.8): two stages
 * would take it from each other for ever.
 *
 * @throws TerminalError with reason `InvalidSpec`, naming the object and both stages.
 */
export function refuseSharedObjects(
  prepared: PreparedStage,
  stage: string,
  claimed: ReadonlyMap<string, readonly InventoryEntry[]>,
): void {
  const mine = new Map(
    prepared.groups.flat().map((object) => [entryOf(object).id, object] as const),
  );
  for (const [other, entries] of claimed) {
    if (other === stage) continue;
    for (const { id } of entries) {
      const object = mine.get(id);
      if (object === undefined) continue;
      throw new TerminalError(
        `stages ${other} and ${stage} both contain ${describeObject(object)}; ` +
          'keep it in one of them',
        {
          reason: 'InvalidSpec',
          object: { apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name },
        },
      );
    }
  }
}

/**
 * Refuses releases and records of others in a stage without an account: it is applied as the
 * controller, which may write those of everybody.
 *
 * @throws TerminalError that names the object.
 */
export function refuseReleasesOfOthers(
  { groups }: Pick<PreparedStage, 'groups'>,
  identity: string,
  namespace: string,
): void {
  if (identity !== ownIdentity) return;
  for (const object of groups.flat()) {
    if (groupOf(object.apiVersion) !== groupOf(stagesApiVersion)) continue;
    if (object.kind === 'StageSet' && object.metadata.namespace === namespace) continue;
    throw new TerminalError(
      `${describeObject(object)} is not applied with the controller's own rights; ` +
        'set serviceAccountName to an account that may write it',
      { reason: 'StageFailed', object: referenceTo(object) },
    );
  }
}
