import type { JsonObject } from '../../types/kubernetes.ts';
import type { PatchAction } from '../../types/stages.ts';
import { TerminalError } from '../errors.ts';
import { readYaml } from '../objects/yaml.ts';
import { isJsonObject } from '../validate/json-object.ts';

/** A patch as JSON: fields that overlay those of the object, or operations on it (RFC 6902). */
export type PatchBody =
  | { readonly type: 'merge'; readonly body: JsonObject }
  | { readonly type: 'json6902'; readonly body: readonly JsonObject[] };

/**
 * Reads the text of a patch action, which is YAML or JSON.
 *
 * @throws TerminalError that quotes nothing of the text but names of operations.
 */
export function readPatch({
  patch,
  type = 'merge',
}: Pick<PatchAction, 'patch' | 'type'>): PatchBody {
  const [document, ...more] = readYaml(patch, 'patch', 'Kubernetes');
  if (document === undefined) throw invalid('is empty');
  if (more.length > 0) throw invalid('has several documents; write one action for each');
  const { value } = document;
  if (type === 'merge') {
    if (isJsonObject(value)) return { type, body: value };
    throw invalid(
      'must be an object with the fields to change; lists of operations are of type json6902',
    );
  }
  if (!Array.isArray(value)) throw invalid('of type json6902 must be a list of operations');
  return { type, body: value.map(operation) };
}

const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test'];

function operation(value: unknown, index: number): JsonObject {
  const where = `operation ${index + 1}`;
  if (!isJsonObject(value)) throw invalid(`${where} is no object with op and path`);
  const { op, path, from } = value;
  if (typeof op !== 'string' || !operations.includes(op)) {
    throw invalid(`${where} has an op that is none of ${operations.join(', ')}`);
  }
  if (typeof path !== 'string') throw invalid(`${where} (${op}) has no path`);
  if ((op === 'move' || op === 'copy') && typeof from !== 'string') {
    throw invalid(`${where} (${op}) has no from`);
  }
  if (['add', 'replace', 'test'].includes(op) && value['value'] === undefined) {
    throw invalid(`${where} (${op}) has no value`);
  }
  return value;
}

function invalid(what: string): TerminalError {
  return new TerminalError(`the patch ${what}`, { reason: 'InvalidSpec' });
}
