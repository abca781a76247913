import type { StageAdvanceSpec } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { isGate } from './held-stages.ts';

/** What is wrong with one field, as `metav1.StatusCause` has it. */
export interface FieldFault {
  readonly reason: 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueNotSupported';
  readonly field: string;
  readonly message: string;
}

export type ReadAdvance =
  | { readonly ok: true; readonly spec: StageAdvanceSpec }
  | { readonly ok: false; readonly faults: readonly FieldFault[] };

/** Characters of each text at most, as the contract has it. */
const longest = { stage: 63, runId: 64, revision: 1024, planDigest: 128, reason: 1024 } as const;

/**
 * Narrows the body of a request to what it asks for. A merge patch has no schema that could require
 * a field, so that what is missing is told here.
 */
export function readAdvance(body: unknown): ReadAdvance {
  const faults: FieldFault[] = [];
  const given = isJsonObject(body) && isJsonObject(body['spec']) ? body['spec'] : {};
  const stage = text(given, 'stage', faults) ?? required('stage', faults);
  const runId = text(given, 'runId', faults) ?? required('runId', faults);
  const gate = text(given, 'gate', faults);
  if (gate !== undefined && !isGate(gate)) {
    faults.push({
      reason: 'FieldValueNotSupported',
      field: 'spec.gate',
      message: `Unsupported value: ${JSON.stringify(gate.slice(0, 64))}: no gate is called so`,
    });
  }
  const override = flag(given, 'override', faults);
  const revision = text(given, 'revision', faults);
  const planDigest = text(given, 'planDigest', faults);
  const reason = text(given, 'reason', faults);
  if (override && (reason ?? '').trim() === '') {
    faults.push({
      reason: 'FieldValueRequired',
      field: 'spec.reason',
      message: 'Required value: say why the gate is overridden',
    });
  }
  if (faults.length > 0) return { ok: false, faults };
  return {
    ok: true,
    spec: {
      stage,
      ...(gate !== undefined && isGate(gate) ? { gate } : {}),
      runId,
      ...(revision === undefined ? {} : { revision }),
      ...(planDigest === undefined ? {} : { planDigest }),
      ...(override ? { override } : {}),
      ...(reason === undefined ? {} : { reason }),
    },
  };
}

/** Null and the empty text count as absent: a merge patch deletes by null. */
function text(given: JsonObject, name: string, faults: FieldFault[]): string | undefined {
  const value = given[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') {
    faults.push(invalid(name, 'must be a string'));
    return undefined;
  }
  const most = new Map<string, number>(Object.entries(longest)).get(name) ?? Infinity;
  if (most !== Infinity && Array.from(value).length > most) {
    faults.push(invalid(name, `may not be longer than ${most} characters`));
  }
  return value;
}

function flag(given: JsonObject, name: string, faults: FieldFault[]): boolean {
  const value = given[name];
  if (value === undefined || value === null || typeof value === 'boolean') return value === true;
  faults.push(invalid(name, 'must be true or false'));
  return false;
}

function required(name: string, faults: FieldFault[]): string {
  const field = `spec.${name}`;
  // A value of the wrong type has been told already.
  if (!faults.some((fault) => fault.field === field)) {
    const message = `Required value: take it from the answer to GET`;
    faults.push({ reason: 'FieldValueRequired', field, message });
  }
  return '';
}

function invalid(name: string, why: string): FieldFault {
  return { reason: 'FieldValueInvalid', field: `spec.${name}`, message: `Invalid value: ${why}` };
}
