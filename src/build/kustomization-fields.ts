import { manifestError, type SourcePosition } from '../core/objects/yaml-position.ts';
import { isJsonObject } from '../core/validate/json-object.ts';
import type { JsonObject } from '../types/kubernetes.ts';

/** A mapping of a kustomization, and where it is written. */
export interface Fields {
  readonly fields: JsonObject;
  readonly at: SourcePosition;
  /** What it is part of, for messages: empty, or such as `patches[0].`. */
  readonly prefix: string;
}

/** The text of a field, or undefined when it is absent. @throws TerminalError for anything else. */
export function textOf({ fields, at, prefix }: Fields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  throw manifestError(at, `${prefix}${name} must be text`);
}

/** The texts of a list. @throws TerminalError when it is no list of texts. */
export function textsOf({ fields, at, prefix }: Fields, name: string): string[] {
  return listOf({ fields, at, prefix }, name).map((value, index) => {
    if (typeof value === 'string') return value;
    throw manifestError(at, `${prefix}${name}[${index}] must be text`);
  });
}

/** The mappings of a list. @throws TerminalError when it is no list of mappings. */
export function mappingsOf({ fields, at, prefix }: Fields, name: string): Fields[] {
  return listOf({ fields, at, prefix }, name).map((value, index) => {
    const where = `${prefix}${name}[${index}]`;
    if (isJsonObject(value)) return { fields: value, at, prefix: `${where}.` };
    throw manifestError(at, `${where} must be a mapping`);
  });
}

/**
 * Refuses fields that are not known. kustomize matches names without regard to case (`Resources`
 * means `resources`), so that a field that is not known exactly could be one that loads files.
 */
export function refuseUnknownFields(
  { fields, at, prefix }: Fields,
  known: ReadonlySet<string>,
): void {
  for (const name of Object.keys(fields)) {
    if (!known.has(name)) {
      throw manifestError(
        at,
        `the field ${prefix}${name} is not one of a kustomization; remove it`,
      );
    }
  }
}

/** Refuses other spellings of names that load files: other case, or letters that fold to ASCII. */
export function refuseOtherSpellings(
  { fields, at, prefix }: Fields,
  names: readonly string[],
): void {
  for (const name of Object.keys(fields)) {
    const isAscii = /^[\x20-\x7e]*$/.test(name);
    const meant = names.find((known) => known.toLowerCase() === name.toLowerCase());
    if (!isAscii || (meant !== undefined && meant !== name)) {
      throw manifestError(at, `the field ${prefix}${name} must be written ${meant ?? 'in ASCII'}`);
    }
  }
}

function listOf({ fields, at, prefix }: Fields, name: string): readonly unknown[] {
  const value = fields[name];
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value as unknown[];
  throw manifestError(at, `${prefix}${name} must be a list`);
}
