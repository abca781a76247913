import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type Scalar,
  YAMLError,
  type YAMLMap,
} from 'yaml';
import { manifestError, type SourcePosition } from './yaml-position.ts';
import { type PlainScalar, readPlainScalar, type YamlDialect } from './yaml-scalars.ts';

/** How many nodes the aliases of one file may stand for: more is an attack (billion laughs). */
const maxAliasedNodes = 100_000;
/** How many documents one file may have, empty ones as well: each costs far more than its bytes. */
export const maxDocuments = 100_000;
const maxDepth = 250;
const tooDeep = `is nested deeper than ${maxDepth} levels`;

/** One document of a file. Empty documents are left out. */
export interface YamlDocument {
  /** Plain JSON. */
  readonly value: unknown;
  readonly at: SourcePosition;
  /**
   * Whether the document uses what readers disagree about: dates, tags, anchors, merges, keys that
   * are not text. Where the result must be kustomize's, it must then be read by kustomize.
   */
  readonly unusual: boolean;
}

/**
 * The documents of a YAML or JSON text, one by one, so that only one of them is in memory in its
 * bulky parsed form. Scalars are resolved by our own rules and not by the library's, since those are
 * neither kustomize's nor kubectl's.
 *
 * @throws TerminalError with file, line and column.
 */
export function* readYaml(
  text: string,
  file: string,
  dialect: YamlDialect,
): Generator<YamlDocument> {
  const json = readJson(text);
  if (json !== undefined) {
    if (json !== null) yield { value: json, unusual: false, at: { file, line: 1 } };
    return;
  }
  const lines = new LineCounter();
  const locate: Locate = (offset) => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const aliased: Aliased = { nodes: 0 };
  let count = 0;
  for (const document of composed(text, lines, file)) {
    if ((count += 1) > maxDocuments) {
      throw manifestError(
        locate(document.range[0]),
        `is behind ${maxDocuments} other documents; split the file`,
      );
    }
    refuseErrors(document, locate);
    const walk = new Walk(dialect, locate, aliased);
    const value = walk.read(document.contents, 'Anywhere', 0);
    const [start] = document.contents?.range ?? [document.range[0]];
    if (value !== null) yield { value, unusual: walk.unusual, at: locate(start) };
  }
}

/**
 * Text from bytes; a byte order mark is taken off.
 *
 * @throws TerminalError when it is not UTF-8.
 */
export function decodeText(content: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw manifestError({ file }, 'is not UTF-8 text; save it as UTF-8');
  }
}

/**
 * Documents for kustomize to read: JSON, which every YAML reader reads the same, with the characters
 * escaped that YAML takes for line breaks or refuses, and JSON does not.
 */
export function stringify(documents: readonly unknown[]): string {
  return documents
    .map((document) => JSON.stringify(document).replace(notForYaml, escapeCharacter))
    .map((text) => `${text}\n`)
    .join('---\n');
}

const notForYaml = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function* composed(text: string, lines: LineCounter, file: string): Generator<Document.Parsed> {
  // Failsafe: every scalar is text, and duplicate keys are looked for in linear time by ourselves.
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' });
  try {
    yield* composer.compose(new Parser(lines.addNewLine).parse(text)) as Generator<Document.Parsed>;
  } catch (error) {
    if (error instanceof RangeError) throw manifestError({ file }, tooDeep);
    throw error;
  }
}

function refuseErrors(document: Document.Parsed, locate: Locate): void {
  const [error] = document.errors;
  if (error instanceof YAMLError) {
    const problem = /call stack/.test(error.message)
      ? tooDeep
      : `is not valid YAML: ${withoutSource(error.message)}`;
    throw manifestError(locate(error.pos[0]), problem);
  }
  if (document.directives.yaml.explicit === true) {
    throw manifestError(locate(document.range[0]), 'has a %YAML directive; remove it');
  }
}

/** What the parser quotes after a colon is content, and may be that of a Secret. */
function withoutSource(message: string): string {
  return message.replace(/(?<=\S): .*$/s, '');
}

/** A text that is JSON as a whole: ten times faster than reading it as the YAML that it is too. */
function readJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  // JSON.parse would round these without a word.
  if (/\d{16}/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The position of an offset in the text. */
type Locate = (offset: number) => SourcePosition;

/** Bounds in a CRD's schema are doubles to the API server: they may be rounded (apiextensions). */
type Place = 'Anywhere' | 'Schema' | 'SchemaBound';

/** What the aliases of all documents of a file stand for so far. */
interface Aliased {
  nodes: number;
}

class Walk {
  readonly #dialect: YamlDialect;
  readonly #locate: Locate;
  readonly #aliased: Aliased;
  readonly #anchors = new Map<string, unknown>();
  readonly #open = new Set<unknown>();
  #aliasDepth = 0;
  unusual = false;

  constructor(dialect: YamlDialect, locate: Locate, aliased: Aliased) {
    this.#dialect = dialect;
    this.#locate = locate;
    this.#aliased = aliased;
  }

  read(node: unknown, place: Place, depth: number): unknown {
    if (depth > maxDepth) throw this.#error(node, tooDeep);
    if (this.#aliasDepth > 0 && (this.#aliased.nodes += 1) > maxAliasedNodes) {
      throw this.#error(node, `its aliases stand for more than ${maxAliasedNodes} values`);
    }
    if (isAlias(node)) return this.#readAlias(node.source, node, place, depth);
    this.#remember(node);
    if (isScalar(node)) return this.#readScalar(node, place);
    if (isMap(node)) return this.#inside(node, () => this.#readMap(node, place, depth));
    if (isSeq(node)) {
      return this.#inside(node, () => node.items.map((item) => this.read(item, place, depth + 1)));
    }
    return null;
  }

  #readMap(map: YAMLMap, place: Place, depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    const merged: unknown[] = [];
    for (const { key, value } of map.items) {
      if (isMergeKey(key)) {
        merged.push(value);
        continue;
      }
      const name = this.#readKey(key);
      if (Object.hasOwn(object, name)) throw this.#error(key, `the key ${name} is there twice`);
      assign(object, name, this.read(value, placeOf(name, place), depth + 1));
    }
    for (const source of merged) this.#merge(object, source, place, depth);
    return object;
  }

  /** YAML 1.1 merge: keys that are there already win, and earlier sources win over later ones. */
  #merge(object: Record<string, unknown>, source: unknown, place: Place, depth: number): void {
    this.unusual = true;
    const value = this.read(source, place, depth + 1);
    for (const part of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof part !== 'object' || part === null || Array.isArray(part)) {
        throw this.#error(source, '<< can merge mappings only');
      }
      for (const [name, member] of Object.entries(part)) {
        if (!Object.hasOwn(object, name)) assign(object, name, member);
      }
    }
  }

  #readKey(key: unknown): string {
    if (isAlias(key)) return this.#textOf(this.read(key, 'Anywhere', 0), key);
    this.#remember(key);
    if (!isScalar(key)) throw this.#error(key, 'a key must be text');
    if (!isPlain(key)) return sourceOf(key);
    const scalar = readPlainScalar(sourceOf(key), this.#dialect);
    if (scalar.kind === 'Value' && typeof scalar.value === 'string') return scalar.value;
    // kubectl takes these for their text; kustomize fails at them, and shows the whole object.
    const isText = scalar.kind === 'Integer' || typeof readValue(scalar) === 'boolean';
    if (this.#dialect === 'Kubernetes' && isText) return String(readValue(scalar));
    throw this.#error(key, `the key ${sourceOf(key)} must be text: put it in quotes`);
  }

  #textOf(value: unknown, key: unknown): string {
    if (typeof value === 'string') return value;
    throw this.#error(key, 'a key must be text');
  }

  #readScalar(scalar: Scalar, place: Place): unknown {
    if (scalar.tag !== undefined) return this.#readTagged(scalar, scalar.tag, place);
    if (!isPlain(scalar)) return sourceOf(scalar);
    return this.#valueOf(readPlainScalar(sourceOf(scalar), this.#dialect), scalar, place);
  }

  #readTagged(scalar: Scalar, tag: string, place: Place): unknown {
    this.unusual = true;
    switch (tag) {
      case '!':
      case 'tag:yaml.org,2002:str':
        return sourceOf(scalar);
      case 'tag:yaml.org,2002:int':
      case 'tag:yaml.org,2002:float':
      case 'tag:yaml.org,2002:bool':
      case 'tag:yaml.org,2002:null':
        return this.#valueOf(readPlainScalar(sourceOf(scalar), this.#dialect), scalar, place);
      default:
        // A tag may be a secret that begins with `!` and lacks its quotes.
        throw this.#error(scalar, 'its tag is not supported; remove it, or put the text in quotes');
    }
  }

  #valueOf(read: PlainScalar, scalar: Scalar, place: Place): unknown {
    switch (read.kind) {
      case 'Value':
        return read.value;
      case 'Date':
        this.unusual = true;
        return sourceOf(scalar);
      case 'Unrepresentable':
        throw this.#error(scalar, `${sourceOf(scalar)} has no JSON form; put it in quotes`);
      case 'Integer': {
        const value = Number(read.value);
        if (BigInt(value) === read.value || place === 'SchemaBound') return value;
        throw this.#error(
          scalar,
          'the integer would lose digits; use one up to 2^53, or put it in quotes ' +
            'where the field takes text',
        );
      }
    }
  }

  #readAlias(anchor: string, node: unknown, place: Place, depth: number): unknown {
    this.unusual = true;
    const target = this.#anchors.get(anchor);
    if (target === undefined) throw this.#error(node, `the anchor ${anchor} is not defined`);
    if (this.#open.has(target)) throw this.#error(node, `the alias ${anchor} contains itself`);
    this.#aliasDepth += 1;
    try {
      return this.read(target, place, depth + 1);
    } finally {
      this.#aliasDepth -= 1;
    }
  }

  #remember(node: unknown): void {
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (node.tag !== undefined && !isScalar(node)) this.unusual = true;
  }

  #inside<T>(node: unknown, read: () => T): T {
    this.#open.add(node);
    try {
      return read();
    } finally {
      this.#open.delete(node);
    }
  }

  #error(node: unknown, problem: string): Error {
    const ranged = isAlias(node) || isScalar(node) || isMap(node) || isSeq(node);
    return manifestError(this.#locate((ranged ? node.range?.[0] : undefined) ?? 0), problem);
  }
}

function readValue(scalar: PlainScalar): unknown {
  return 'value' in scalar ? scalar.value : undefined;
}

const schemaField = 'openAPIV3Schema';
const schemaBounds: ReadonlySet<string> = new Set(['maximum', 'minimum', 'multipleOf']);

function placeOf(key: string, within: Place): Place {
  if (key === schemaField) return 'Schema';
  if (within === 'Anywhere') return 'Anywhere';
  return schemaBounds.has(key) ? 'SchemaBound' : 'Schema';
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && isPlain(key) && key.source === '<<';
}

function isPlain(scalar: Scalar): boolean {
  return scalar.type === 'PLAIN' || scalar.type === undefined;
}

function sourceOf(scalar: Scalar): string {
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? '');
}

/** An own member even where the key is `__proto__`. */
function assign(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  } else {
    object[key] = value;
  }
}
