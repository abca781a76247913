import { type JsonValue, query } from 'jsonpath-rfc9535';
import { isProblem, type Problem } from '../problem.ts';
import { shapeOf } from '../validate/field-path.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { type Cursor, place, readSegments, take } from './json-path-text.ts';

/** A path that was read, in the words of RFC 9535. */
export interface JsonPath {
  readonly expression: string;
}

/** What a template consists of: text that stands for itself, and paths. */
export type JsonPathPart = string | JsonPath;

/** Characters. */
const longest = 1024;

/**
 * Reads one path in the dialect of `kubectl get -o jsonpath`: `{.status.replicas}`,
 * `{.spec.containers[0].image}`, `{.metadata.labels.app\.kubernetes\.io/version}`,
 * `{.items[?(@.name=="a")].value}`, `{..version}`. As kubectl's own commands have it, the braces and
 * a `$` before the first dot may be left out. There are no loops (`range`), and `..` may stand once.
 */
export function parseJsonPath(text: string): JsonPath | Problem {
  const parts = parseJsonPathTemplate(text);
  if (isProblem(parts)) return parts;
  const [path, ...rest] = parts;
  if (path === undefined) return { problem: 'is empty; write a JSONPath such as {.spec.replicas}' };
  if (typeof path === 'string' || rest.length > 0) {
    return { problem: 'must be one JSONPath in braces and nothing else, such as {.spec.replicas}' };
  }
  return path;
}

/**
 * Reads a template in the same dialect, in which text may stand before, between and behind paths in
 * braces: `v{.spec.major}.{.spec.minor}`.
 */
export function parseJsonPathTemplate(text: string): readonly JsonPathPart[] | Problem {
  if (text.length > longest) return { problem: `is longer than ${longest} characters; shorten it` };
  if (/\p{Surrogate}/u.test(text)) return { problem: 'has half a character; type it anew' };
  const bare = text.trim();
  if (bare === '') return [];
  const cursor: Cursor = { text: bare.includes('{') ? text : `{${bare}}`, at: 0 };
  const parts: JsonPathPart[] = [];
  while (cursor.at < cursor.text.length) {
    const [literal] = take(cursor, /[^{]+/y) ?? [];
    if (literal !== undefined) parts.push(literal);
    if (take(cursor, /\{/y) === undefined) continue;
    const path = readSegments(cursor);
    if (isProblem(path)) return path;
    if (take(cursor, /\}/y) === undefined) return { problem: misread(cursor) };
    parts.push({ expression: `$${path.expression}` });
  }
  return parts;
}

function misread(cursor: Cursor): string {
  if (cursor.at >= cursor.text.length) return 'has a "{" that is not closed';
  if (take(cursor, /(?:range|end)\b/y) !== undefined) {
    return 'has a loop (range), which is not supported; name the value itself';
  }
  return `is not understood ${place(cursor)}; write a JSONPath such as {.spec.replicas}`;
}

/**
 * All that a path leads to in a JSON document, in no order that means something: nothing where a
 * field is absent.
 */
export function valuesAt({ expression }: JsonPath, document: unknown): readonly unknown[] {
  return isJson(document) ? query(document, expression) : [];
}

/**
 * What a template says of a JSON document: its texts, and what its paths lead to. Each path must lead
 * to one text, number or boolean.
 */
export function textAt(parts: readonly JsonPathPart[], document: unknown): string | Problem {
  let text = '';
  for (const part of parts) {
    const piece = typeof part === 'string' ? part : pieceAt(part, document);
    if (typeof piece !== 'string') return piece;
    text += piece;
  }
  return text;
}

function pieceAt(path: JsonPath, document: unknown): string | Problem {
  const [value, ...more] = valuesAt(path, document);
  if (value === undefined) {
    // It is easily forgotten in names such as app.kubernetes.io/version.
    return { problem: 'leads to nothing; write \\. for a dot that belongs to a name' };
  }
  if (more.length > 0)
    return { problem: `leads to ${more.length + 1} values; make it lead to one` };
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return { problem: `leads to ${shapeOf(value)} and not to text` };
}

function isJson(document: unknown): document is JsonValue {
  return isJsonObject(document) || Array.isArray(document) || document === null;
}
