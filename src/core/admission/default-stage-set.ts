import type { AdmissionRequest } from '../../types/generated/admission.k8s.io.v1.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import { defaultApiVersion } from '../objects/source-artifact.ts';
import { writeNotes } from '../request-notes.ts';
import { requestedByAnnotation } from '../requested-by.ts';
import { defaultAccountOf } from '../service-account.ts';
import { specChangedByAnnotation } from '../spec-author.ts';
import { isJsonObject } from '../validate/json-object.ts';
import {
  type Mutation,
  noMutation,
  type PatchOperation,
  patchOfMap,
  pointer,
  sorted,
  withFields,
} from './json-patch.ts';
import { fieldOf, isBeingDeleted, isSpecKept, isStored } from './request.ts';
import { wantedNotes } from './requester-notes.ts';
import type { AdmissionSettings } from './settings.ts';
import { wantedSpecAuthor } from './spec-author-note.ts';

/** The annotations of the StageSet's namespace, as far as they were asked for and could be read. */
export type NamespaceAnnotations =
  | { readonly kind: 'Read'; readonly annotations: Readonly<Record<string, string>> }
  | { readonly kind: 'Unreadable' };

/** Whether the default of the namespace must be known to fill in what the StageSet leaves open. */
export function needsNamespace(request: AdmissionRequest): boolean {
  const { namespace = '' } = request;
  if (namespace === '' || !isMutable(request) || isSpecKept(request)) return false;
  return lacksAccount(request.object);
}

/**
 * Fills in what a StageSet leaves open and somebody else knows: the ServiceAccount, the apiVersion of
 * Flux sources, and who asks for something by an annotation. Only what is absent is set, but for the
 * notes, which are the webhook's alone. What the CRD has a default for is left to the API server.
 * Whoever only suspends, labels or annotates gets no other spec than the one that was there: it would
 * have to be valid then, and start a run.
 */
export function defaultStageSet(
  request: AdmissionRequest,
  settings: AdmissionSettings,
  namespace: NamespaceAnnotations,
): Mutation {
  if (!isMutable(request)) return noMutation;
  if (isSpecKept(request)) return { patch: notePatch(request, settings, []), warnings: [] };
  const account = defaultAccount(request, settings, namespace);
  const filled = [...accountPatch(request.object, account.name), ...sourcePatches(request.object)];
  const patch = [...filled, ...notePatch(request, settings, filled)];
  return { patch: sorted(patch), warnings: account.warnings };
}

/** Nothing that is being deleted is changed: it must be able to go whatever is wrong with it. */
function isMutable(request: AdmissionRequest): boolean {
  return isStored(request) && !isBeingDeleted(request);
}

/** An empty name is an absent one: the controller takes it for that, too. */
function lacksAccount(object: AdmissionRequest['object']): boolean {
  const spec = object?.['spec'];
  return isJsonObject(spec) && isAbsent(spec['serviceAccountName']);
}

interface DefaultAccount {
  readonly name: string | undefined;
  readonly warnings: readonly string[];
}

function defaultAccount(
  request: AdmissionRequest,
  { defaultServiceAccount }: AdmissionSettings,
  namespace: NamespaceAnnotations,
): DefaultAccount {
  if (!needsNamespace(request)) return { name: undefined, warnings: [] };
  if (namespace.kind === 'Unreadable') {
    const warning =
      'spec.serviceAccountName: the default of the namespace could not be read and is not filled in; ' +
      'name a ServiceAccount, or apply the StageSet again';
    return { name: undefined, warnings: [warning] };
  }
  const found = defaultAccountOf(namespace.annotations, defaultServiceAccount);
  switch (found.kind) {
    case 'Account':
      return { name: found.name, warnings: [] };
    case 'Controller':
      return { name: undefined, warnings: [] };
    case 'Invalid': {
      const warning = `spec.serviceAccountName: ${found.message}; correct it`;
      return { name: undefined, warnings: [warning.slice(0, 256)] };
    }
  }
}

function accountPatch(
  object: AdmissionRequest['object'],
  name: string | undefined,
): PatchOperation[] {
  if (name === undefined || !lacksAccount(object)) return [];
  return [set(fieldOf(object, 'spec'), 'serviceAccountName', name, '/spec')];
}

/** A producer is left alone: which API it is of, nobody can guess. */
function sourcePatches(object: AdmissionRequest['object']): PatchOperation[] {
  const { stages } = fieldOf(object, 'spec');
  if (!Array.isArray(stages)) return [];
  return stages.flatMap((stage: unknown, index): PatchOperation[] => {
    const reference = isJsonObject(stage) ? stage['sourceRef'] : undefined;
    if (!isJsonObject(reference) || !isAbsent(reference['apiVersion'])) return [];
    const { kind } = reference;
    if (kind !== undefined && typeof kind !== 'string') return [];
    const apiVersion = defaultApiVersion(kind);
    const at = pointer('spec', 'stages', index, 'sourceRef');
    return apiVersion === undefined ? [] : [set(reference, 'apiVersion', apiVersion, at)];
  });
}

/** @param filled what is done about the spec */
function notePatch(
  request: AdmissionRequest,
  settings: AdmissionSettings,
  filled: readonly PatchOperation[],
): PatchOperation[] {
  const metadata = request.object?.['metadata'];
  if (!isJsonObject(metadata)) return [];
  const spec = fieldOf(withFields(request.object ?? {}, filled), 'spec');
  return patchOfMap('/metadata/annotations', metadata['annotations'], {
    [requestedByAnnotation]: writeNotes(wantedNotes(request, settings)),
    [specChangedByAnnotation]: wantedSpecAuthor(request, spec),
  });
}

function set(object: JsonObject, field: string, value: string, at: string): PatchOperation {
  const op = Object.hasOwn(object, field) ? 'replace' : 'add';
  return { op, path: at + pointer(field), value };
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
