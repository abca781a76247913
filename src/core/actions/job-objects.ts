import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import type { JobAction } from '../../types/stages.ts';
import { TerminalError } from '../errors.ts';
import { digestOf, sha256Hex } from '../hash.ts';
import { describeObject, identityOf, referenceTo } from '../objects/identity.ts';
import { longestLabel } from '../objects/label-value.ts';
import type { ScopeOf } from '../objects/ownership.ts';
import { isJsonObject } from '../validate/json-object.ts';
import {
  type Attempting,
  actionLabels,
  attemptAnnotation,
  attemptMark,
  isJob,
  type JobOwner,
  renderedAnnotation,
} from './action-marks.ts';
import { type NamedKind, withRenamedReferences } from './renamed-references.ts';

/**
 * What a `job` action creates of a rendered artifact (part A 7.3): every object under a name of this
 * revision and action, in the StageSet's namespace unless it names one, with the labels of its owner.
 * What they refer to among each other is renamed along. A Job does not remove itself when it is done:
 * its end has to be seen first.
 *
 * @throws TerminalError where nothing could be waited for, or what cannot be renamed is among it.
 */
export function jobObjects(
  rendered: { readonly revision: string; readonly objects: readonly KubernetesObject[] },
  job: JobAction,
  owner: JobOwner & Attempting,
  scopeOf: ScopeOf,
): KubernetesObject[] {
  const { objects, revision } = rendered;
  const { stageSet, stage, action } = owner;
  if (!objects.some(isJob)) {
    throw refused('the artifact has no Job to wait for; an apply action is for everything else');
  }
  const place = `${stageSet.namespace}/${stageSet.name}/${stage}/${action.name}`;
  const suffix = sha256Hex(`${revision}\n${place}`).slice(0, 8);
  const homed = objects.map((object) => inNamespace(object, stageSet.namespace, scopeOf));
  const renamed = newNames(homed, suffix);
  const newNameOf = (kind: NamedKind, namespace: string | undefined, name: string): string =>
    renamed.get(keyOf(kind, namespace, name)) ?? name;
  return homed.map((object) => {
    const { name, namespace } = object.metadata;
    const own = renamed.get(keyOf(object.kind, namespace, name)) ?? name;
    const referring = withRenamedReferences(withoutTimeToLive(object), newNameOf);
    const metadata = { ...object.metadata, name: own };
    return stamped({ ...referring, metadata }, job, owner);
  });
}

/** The new name of each object by its kind, namespace and name. */
function newNames(objects: readonly KubernetesObject[], suffix: string): Map<string, string> {
  const renamed = new Map<string, string>();
  const taken = new Map<string, KubernetesObject>();
  for (const object of objects) {
    refuseUnrenamable(object);
    const { namespace, name } = object.metadata;
    const newName = nameWith(name, suffix);
    const identity = identityOf({ ...referenceTo(object), name: newName });
    const twin = taken.get(identity);
    if (twin !== undefined) {
      throw refused(
        `${describeObject(twin)} and ${describeObject(object)} would both be called ${newName}; ` +
          'give them names that differ within the first 54 characters',
      );
    }
    taken.set(identity, object);
    renamed.set(keyOf(object.kind, namespace, name), newName);
  }
  return renamed;
}

function refuseUnrenamable(object: KubernetesObject): void {
  if (object.kind !== 'Namespace' && object.kind !== 'CustomResourceDefinition') return;
  throw refused(
    `${describeObject(object)} cannot be in the artifact of a job action, whose objects all get ` +
      'names of their own; put it into a stage or an apply action',
  );
}

function refused(message: string): TerminalError {
  return new TerminalError(message, { reason: 'StageFailed' });
}

function keyOf(kind: string, namespace: string | undefined, name: string): string {
  return `${kind}/${namespace ?? ''}/${name}`;
}

/** `<name>-<suffix>` of at most 63 characters, which is what a Job's pods can be labelled with. */
function nameWith(name: string, suffix: string): string {
  const base = name.slice(0, longestLabel - suffix.length - 1).replace(/[^a-z0-9]+$/, '');
  return `${base}-${suffix}`;
}

function inNamespace(object: KubernetesObject, own: string, scopeOf: ScopeOf): KubernetesObject {
  const { namespace, ...metadata } = object.metadata;
  if (scopeOf(object.apiVersion, object.kind) === 'Cluster') return { ...object, metadata };
  const home = namespace === undefined || namespace === '' ? own : namespace;
  return { ...object, metadata: { ...metadata, namespace: home } };
}

function withoutTimeToLive(object: KubernetesObject): KubernetesObject {
  if (!isJob(object) || !isJsonObject(object['spec'])) return object;
  return { ...object, spec: without(object['spec'], 'ttlSecondsAfterFinished') };
}

function stamped(
  object: KubernetesObject,
  job: JobAction,
  owner: JobOwner & Attempting,
): KubernetesObject {
  const { labels, annotations } = object.metadata;
  const metadata = {
    ...object.metadata,
    labels: { ...labels, ...actionLabels(owner) },
    annotations: {
      ...annotations,
      [attemptAnnotation]: attemptMark(owner),
      [renderedAnnotation]: renderedDigest(object, job),
    },
  };
  return { ...object, metadata };
}

/** Of a Secret, neither its data nor what could be guessed from a digest of them. */
function renderedDigest(object: KubernetesObject, job: JobAction): string {
  const isSecret = object.kind === 'Secret' && object.apiVersion === 'v1';
  const shown = isSecret ? without(object, 'data', 'stringData') : object;
  return digestOf({ object: shown, job }).slice(0, 32);
}

function without(object: JsonObject, ...fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)));
}
