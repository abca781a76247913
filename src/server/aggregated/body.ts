import type { IncomingMessage } from 'node:http';
import { TerminalError } from '../../core/errors.ts';
import { readYaml } from '../../core/objects/yaml.ts';
import { isJsonObject } from '../../core/validate/json-object.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import { readBytes, textOf } from '../request-body.ts';
import { validateRequest } from './contract.ts';
import { checkBounds, parseJson } from './json-text.ts';
import { type BodyForm, bodyFormOf } from './media-type.ts';
import { type FieldValidation, fieldValidationOf } from './query-options.ts';
import { StatusError } from './status-error.ts';

/** As etcd and kube-apiserver bound what they take. */
const mostBytes = 3 * 1024 * 1024;
/** Reading YAML takes fifty times as long as JSON, and nobody else is served meanwhile. */
const mostYamlBytes = 256 * 1024;

/** What the object of a body must be. */
export interface Expected {
  readonly apiVersion: string;
  readonly group: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

export interface ReadBody {
  readonly object: JsonObject;
  readonly warnings: readonly string[];
}

/**
 * Reads a body and judges it by the contract.
 * @returns the object with apiVersion, kind, name and namespace as in the path where it lacks them
 * @throws StatusError 400, 413, 415, 422; the signal's reason
 */
export async function readBody(
  request: IncomingMessage,
  query: URLSearchParams,
  expected: Expected,
  signal: AbortSignal,
): Promise<ReadBody> {
  const form = bodyFormOf(request.headers['content-type'], request.method ?? '');
  const validation = fieldValidationOf(query);
  const bytes =
    form === 'Yaml'
      ? await readBytes(request, mostYamlBytes, signal, '; JSON may be larger')
      : await readBytes(request, mostBytes, signal);
  const object = addressed(objectOf(bytes, form), expected);
  const { causes, unknown } = validateRequest(expected.kind, object);
  if (causes.length > 0) throw StatusError.invalid(expected, causes);
  return { object, warnings: judgeUnknown(unknown, validation) };
}

function objectOf(bytes: Buffer, form: BodyForm): JsonObject {
  const value = valueOf(bytes, form);
  if (!isJsonObject(value)) throw StatusError.badRequest('the body must be one object');
  const object = form === 'MergePatch' ? mergedIntoNothing(value) : value;
  return isJsonObject(object) ? object : {};
}

function valueOf(bytes: Buffer, form: BodyForm): unknown {
  const text = textOf(bytes);
  if (form !== 'Yaml') return parseJson(text);
  // The reader of YAML takes the last one of two equal keys where the text is JSON.
  if (/^\s*[[{]/.test(text) && isJson(text)) return parseJson(text);
  const [value, ...more] = yamlDocuments(text);
  if (more.length > 0) throw StatusError.badRequest('the body must be one document');
  checkBounds(value);
  return value;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function yamlDocuments(text: string): unknown[] {
  const values: unknown[] = [];
  try {
    for (const { value } of readYaml(text, 'body', 'Kubernetes')) {
      values.push(value);
      if (values.length > 1) break;
    }
  } catch (error) {
    // Its messages tell a position and a problem, and never a value.
    if (error instanceof TerminalError) throw StatusError.badRequest(error.message);
    throw error;
  }
  return values;
}

/** RFC 7386 with an empty object as the target: what is null goes. Depth is bounded before. */
function mergedIntoNothing(patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const kept = Object.entries(patch).filter(([, value]) => value !== null);
  return Object.fromEntries(kept.map(([key, value]) => [key, mergedIntoNothing(value)]));
}

/** Fills in what the path says, and refuses what contradicts it. */
function addressed(object: JsonObject, expected: Expected): JsonObject {
  const { metadata = {} } = object;
  agree('API version', object['apiVersion'], expected.apiVersion);
  agree('kind', object['kind'], expected.kind);
  if (!isJsonObject(metadata)) throw StatusError.badRequest('metadata must be an object');
  agree('name', metadata['name'], expected.name);
  agree('namespace', metadata['namespace'], expected.namespace);
  const { apiVersion, kind, name, namespace } = expected;
  return { ...object, apiVersion, kind, metadata: { ...metadata, name, namespace } };
}

function agree(what: string, given: unknown, wanted: string | undefined): void {
  if (given === undefined || given === '' || given === wanted) return;
  throw StatusError.badRequest(
    `the ${what} of the object (${shown(given)}) does not match the one of the request (${wanted ?? 'none'})`,
  );
}

function shown(given: unknown): string {
  return typeof given === 'string' ? given.slice(0, 253) : 'not text';
}

function judgeUnknown(unknown: readonly string[], validation: FieldValidation): string[] {
  const sentences = unknown.map((path) => `unknown field "${path}"`);
  switch (validation) {
    case 'Ignore':
      return [];
    case 'Warn':
      return sentences.slice(0, 20);
    case 'Strict':
      if (sentences.length === 0) return [];
      throw StatusError.badRequest(
        `strict decoding error: ${sentences.slice(0, 20).join(', ')}; ` +
          'with fieldValidation=Warn these fields are ignored',
      );
  }
}
