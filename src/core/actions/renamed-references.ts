import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import { isJsonObject } from '../validate/json-object.ts';

/** Kinds that other objects of an artifact refer to by name. */
export type NamedKind =
  | 'ConfigMap'
  | 'Secret'
  | 'ServiceAccount'
  | 'PersistentVolumeClaim'
  | 'Role'
  | 'ClusterRole';

/** The new name of an object of a namespace, or the old one where it was not renamed. */
export type NewName = (kind: NamedKind, namespace: string | undefined, name: string) => string;

/** The new name of an object of the same namespace. */
type NewNeighbour = (kind: NamedKind, name: string) => string;

/**
 * The object with what it names of its own artifact under the new names: in pod specs, the Secrets of
 * ServiceAccounts, and the roles and accounts of bindings.
 */
export function withRenamedReferences(
  object: KubernetesObject,
  newName: NewName,
): KubernetesObject {
  const { kind, metadata, spec } = object;
  const near: NewNeighbour = (named, name) => newName(named, metadata.namespace, name);
  switch (kind) {
    case 'ServiceAccount':
      return { ...object, ...renamedLists(object, ['imagePullSecrets', 'secrets'], near) };
    case 'RoleBinding':
    case 'ClusterRoleBinding':
      return renamedBinding(object, newName);
    case 'Pod':
      return isJsonObject(spec) ? { ...object, spec: renamedPodSpec(spec, near) } : object;
    default:
      return isJsonObject(spec) ? { ...object, spec: renamedTemplates(spec, near) } : object;
  }
}

function renamedBinding(object: KubernetesObject, newName: NewName): KubernetesObject {
  const { metadata, roleRef, subjects } = object;
  const renamed: JsonObject = {};
  if (isJsonObject(roleRef) && typeof roleRef['name'] === 'string') {
    const { name, kind } = roleRef;
    if (kind === 'Role') {
      renamed['roleRef'] = { ...roleRef, name: newName(kind, metadata.namespace, name) };
    } else if (kind === 'ClusterRole') {
      renamed['roleRef'] = { ...roleRef, name: newName(kind, undefined, name) };
    }
  }
  if (Array.isArray(subjects)) {
    renamed['subjects'] = (subjects as unknown[]).map((subject) => {
      if (!isJsonObject(subject) || subject['kind'] !== 'ServiceAccount') return subject;
      const { name, namespace } = subject;
      if (typeof name !== 'string') return subject;
      const home = typeof namespace === 'string' ? namespace : metadata.namespace;
      return { ...subject, name: newName('ServiceAccount', home, name) };
    });
  }
  return { ...object, ...renamed };
}

/** `template.spec` of Jobs and other workloads, and the same inside `jobTemplate.spec` of CronJobs. */
function renamedTemplates(spec: JsonObject, near: NewNeighbour): JsonObject {
  const { template, jobTemplate } = spec;
  if (isJsonObject(template) && isJsonObject(template['spec'])) {
    return { ...spec, template: { ...template, spec: renamedPodSpec(template['spec'], near) } };
  }
  if (isJsonObject(jobTemplate) && isJsonObject(jobTemplate['spec'])) {
    const inner = renamedTemplates(jobTemplate['spec'], near);
    return { ...spec, jobTemplate: { ...jobTemplate, spec: inner } };
  }
  return spec;
}

function renamedPodSpec(spec: JsonObject, near: NewNeighbour): JsonObject {
  const renamed: JsonObject = {
    ...walk(spec, near),
    ...renamedLists(spec, ['imagePullSecrets'], near),
  };
  for (const field of ['serviceAccountName', 'serviceAccount']) {
    const name = spec[field];
    if (typeof name === 'string') renamed[field] = near('ServiceAccount', name);
  }
  return renamed;
}

/** What a field of a pod spec, at whatever depth, refers to, and which of its fields has the name. */
const references: ReadonlyMap<string, readonly [NamedKind, ...string[]]> = new Map([
  ['configMap', ['ConfigMap', 'name']],
  ['configMapRef', ['ConfigMap', 'name']],
  ['configMapKeyRef', ['ConfigMap', 'name']],
  // A volume of its own says secretName, a part of a projected one says name.
  ['secret', ['Secret', 'secretName', 'name']],
  ['secretRef', ['Secret', 'name']],
  ['secretKeyRef', ['Secret', 'name']],
  ['nodePublishSecretRef', ['Secret', 'name']],
  ['persistentVolumeClaim', ['PersistentVolumeClaim', 'claimName']],
]);

function walk(fields: JsonObject, near: NewNeighbour): JsonObject {
  const walked: JsonObject = {};
  for (const [field, value] of Object.entries(fields)) {
    const reference = references.get(field);
    if (reference !== undefined && isJsonObject(value)) {
      const [kind, ...names] = reference;
      walked[field] = renamedIn(value, kind, names, near);
    } else if (Array.isArray(value)) {
      walked[field] = (value as unknown[]).map((item) =>
        isJsonObject(item) ? walk(item, near) : item,
      );
    } else {
      walked[field] = isJsonObject(value) ? walk(value, near) : value;
    }
  }
  return walked;
}

function renamedIn(
  reference: JsonObject,
  kind: NamedKind,
  fields: readonly string[],
  near: NewNeighbour,
): JsonObject {
  const renamed = { ...reference };
  for (const field of fields) {
    const name = reference[field];
    if (typeof name === 'string') renamed[field] = near(kind, name);
  }
  return renamed;
}

/** Lists of references to Secrets, as far as the object has them. */
function renamedLists(
  object: JsonObject,
  fields: readonly string[],
  near: NewNeighbour,
): JsonObject {
  const renamed: JsonObject = {};
  for (const field of fields) {
    const list = object[field];
    if (!Array.isArray(list)) continue;
    renamed[field] = (list as unknown[]).map((item) =>
      isJsonObject(item) ? renamedIn(item, 'Secret', ['name'], near) : item,
    );
  }
  return renamed;
}
