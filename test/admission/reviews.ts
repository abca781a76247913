import type { PatchOperation } from '../../src/core/admission/json-patch.ts';
import type { AdmissionSettings } from '../../src/core/admission/settings.ts';
import type { AdmissionRequest } from '../../src/types/generated/admission.k8s.io.v1.ts';
import type { JsonObject } from '../../src/types/kubernetes.ts';

export const controller = 'system:serviceaccount:stageset-system:stageset-controller';

export const settings: AdmissionSettings = {
  controllerUsers: [controller],
  defaultServiceAccount: undefined,
  crossNamespaceReferences: 'Allowed',
};

export const jane = {
  username: 'jane',
  uid: 'uid-of-jane',
  groups: ['dev', 'system:authenticated'],
};

const resources = {
  StageSet: 'stagesets',
  StageInventory: 'stageinventories',
  StageRun: 'stageruns',
} as const;

/** A request of Jane's for an object of ours in namespace `team`. */
export function requestFor(
  kind: keyof typeof resources,
  fields: Partial<AdmissionRequest>,
): AdmissionRequest {
  const group = 'stages.metio.wtf';
  return {
    uid: 'review-1',
    kind: { group, version: 'v1', kind },
    resource: { group, version: 'v1', resource: resources[kind] },
    name: 'shop',
    namespace: 'team',
    operation: fields.oldObject === undefined ? 'CREATE' : 'UPDATE',
    userInfo: jane,
    object: null,
    ...fields,
  };
}

/** StageSet `team/shop`. */
export function stageSet(spec: JsonObject, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageSet',
    metadata: { name: 'shop', namespace: 'team', ...metadata },
    spec,
  };
}

/** The object after a JSON Patch of the three operations that a webhook sends. */
export function patched(object: JsonObject, patch: readonly PatchOperation[]): JsonObject {
  const copy = structuredClone(object);
  for (const operation of patch) {
    const way = operation.path
      .split('/')
      .slice(1)
      .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = way.pop() ?? '';
    let parent: unknown = copy;
    for (const part of way) parent = memberOf(parent, part, operation.path);
    if (typeof parent !== 'object' || parent === null || Array.isArray(parent)) {
      throw new Error(`${operation.path} is in no object`);
    }
    const target = parent as JsonObject;
    // RFC 6902: what is replaced or removed must be there.
    if (operation.op !== 'add') memberOf(target, last, operation.path);
    if (operation.op === 'remove') Reflect.deleteProperty(target, last);
    else target[last] = structuredClone(operation.value);
  }
  return copy;
}

function memberOf(parent: unknown, part: string, path: string): unknown {
  if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, part)) {
    throw new Error(`${path} is not there`);
  }
  return (parent as JsonObject)[part];
}
