import type { AdmissionRequest } from '../../types/generated/admission.k8s.io.v1.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { isJsonObject } from '../validate/json-object.ts';
import type { AdmissionSettings } from './settings.ts';

/** Whether the request is about an object as a whole, and not about its status. */
function isAboutObject({ subResource = '' }: AdmissionRequest): boolean {
  return subResource === '';
}

/** Whether the request stores a StageSet, StageInventory or StageRun, and not only its status. */
export function isStored(request: AdmissionRequest): boolean {
  const { operation } = request;
  return (operation === 'CREATE' || operation === 'UPDATE') && isAboutObject(request);
}

/**
 * Whether the stored object is being deleted. What the new one says does not count: before the API
 * server has put that right, it is whatever the user wrote.
 */
export function isBeingDeleted({ oldObject, operation }: AdmissionRequest): boolean {
  return operation === 'UPDATE' && typeof metadataOf(oldObject)['deletionTimestamp'] === 'string';
}

/** Whether the controller itself makes the request. */
export function isByController(
  { userInfo }: AdmissionRequest,
  { controllerUsers }: AdmissionSettings,
): boolean {
  const { username = '' } = userInfo;
  return username !== '' && controllerUsers.includes(username);
}

/** The name of the object; empty where the API server is yet to make one up. */
export function nameOf({ name = '', object }: AdmissionRequest): string {
  const given = metadataOf(object)['name'];
  return name === '' && typeof given === 'string' ? given : name;
}

/** Metadata of an object; empty where there is none. */
export function metadataOf(object: JsonObject | null | undefined): JsonObject {
  return fieldOf(object, 'metadata');
}

/** A field that is an object; empty where it is none. */
export function fieldOf(object: JsonObject | null | undefined, field: string): JsonObject {
  const value = object?.[field];
  return isJsonObject(value) ? value : {};
}

/** Whether two values are equal as JSON; an absent one equals only another. */
export function sameJson(one: unknown, other: unknown): boolean {
  return canonicalJson(one ?? null) === canonicalJson(other ?? null);
}

/** Whether an update leaves the spec as it was, but for `suspend`. */
export function isSpecKept({ object, oldObject, operation }: AdmissionRequest): boolean {
  if (operation !== 'UPDATE') return false;
  return sameJson(exceptSuspend(oldObject), exceptSuspend(object));
}

function exceptSuspend(object: AdmissionRequest['object']): JsonObject {
  const fields = Object.entries(fieldOf(object, 'spec'));
  return Object.fromEntries(fields.filter(([name]) => name !== 'suspend'));
}
