import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { oneLine } from './one-line.ts';

/** A condition as some controller wrote it; only what is text is kept. */
export interface ReportedCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** An object with its `spec`, `status` and conditions narrowed; absent ones are empty. */
export interface ReadObject {
  readonly object: KubernetesObject;
  readonly spec: JsonObject;
  readonly status: JsonObject;
  readonly conditions: readonly ReportedCondition[];
}

/** Undefined when `status` or its conditions do not have the shape that the API conventions give. */
export function readObject(object: KubernetesObject): ReadObject | undefined {
  const status = object['status'] ?? {};
  if (!isJsonObject(status)) return undefined;
  const list = status['conditions'] ?? [];
  if (!Array.isArray(list)) return undefined;
  const entries: unknown[] = list;
  const conditions = entries.filter(isJsonObject).map(readCondition);
  if (conditions.length < entries.length) return undefined;
  const spec = isJsonObject(object['spec']) ? object['spec'] : {};
  return { object, spec, status, conditions };
}

function readCondition(condition: JsonObject): ReportedCondition {
  return {
    type: textIn(condition, 'type') ?? '',
    status: textIn(condition, 'status') ?? '',
    reason: textIn(condition, 'reason') ?? '',
    message: textIn(condition, 'message') ?? '',
  };
}

/** The whole number of that name, else the default: what another type holds counts as absent. */
export function countIn(fields: JsonObject, name: string, whenAbsent: number): number {
  return wholeIn(fields, name) ?? whenAbsent;
}

export function wholeIn(fields: JsonObject, name: string): number | undefined {
  const value = fields[name];
  return typeof value === 'number' && Number.isInteger(value) ? value : undefined;
}

export function textIn(fields: JsonObject, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}

/** The object of that name, empty when there is none. */
export function objectIn(fields: JsonObject, name: string): JsonObject {
  const value = fields[name];
  return isJsonObject(value) ? value : {};
}

/** The objects of a list of that name; items of another type are left out. */
export function objectsIn(fields: JsonObject, name: string): JsonObject[] {
  const value = fields[name];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** What a controller says about an object, on one line: `QuotaExceeded: no room for 3 Pods`. */
export function reported({ type, status, reason, message }: ReportedCondition): string {
  const text = [reason, message].filter((part) => part.trim() !== '').join(': ');
  return text === '' ? `condition ${type} is ${status}` : oneLine(text);
}
