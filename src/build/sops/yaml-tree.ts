import { readPlainScalar } from '../../core/objects/yaml-scalars.ts';
import { SopsProblem } from './decryption-error.ts';
import {
  type Branch,
  type CommentItem,
  commentValue,
  type Entry,
  type Leaf,
  type List,
  maxDepth,
  type Node,
  type PlainValue,
  textValue,
} from './tree.ts';
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  refuseDisputedBreaks,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
  type YamlComment,
  type YamlText,
} from './yaml-nodes.ts';
import type { ScalarPlace } from './yaml-scalars.ts';

export interface YamlTree {
  readonly branch: Branch;
  /** Where the text of a leaf stands, for writing another one in its place. */
  readonly places: ReadonlyMap<Leaf, ScalarPlace>;
}

/** How many nodes the aliases of a file may stand for: more is an attack (billion laughs). */
const mostAliased = 100_000;

/**
 * The documents of a YAML text as SOPS sees them (Go: `stores/yaml`): comments come before what they
 * are about, in the mapping or sequence that their column says; aliases are what they stand for.
 *
 * @throws SopsProblem
 */
export function yamlTrees({ documents, comments, columnOf }: YamlText): YamlTree[] {
  const reader = new TreeReader(comments, columnOf);
  return documents.map(({ contents, range }) => reader.document(contents, range[2]));
}

class TreeReader {
  readonly #comments: readonly YamlComment[];
  readonly #columnOf: (offset: number) => number;
  #places = new Map<Leaf, ScalarPlace>();
  #anchors = new Map<string, unknown>();
  readonly #open = new Set<unknown>();
  #next = 0;
  #aliasDepth = 0;
  #aliased = 0;

  constructor(comments: readonly YamlComment[], columnOf: (offset: number) => number) {
    this.#comments = comments;
    this.#columnOf = columnOf;
  }

  document(contents: unknown, end: number): YamlTree {
    this.#places = new Map();
    this.#anchors = new Map();
    const before = this.#before(startOf(contents) ?? end);
    const node = this.#node(contents, { depth: 0, end, place: nowhere });
    const branch = branchOf(node);
    const after = this.#before(end);
    const items = [...before, ...branch.items, ...after];
    return { branch: { kind: 'Branch', items }, places: this.#places };
  }

  #node(node: unknown, at: Position): Node {
    if (at.depth > maxDepth) throw problem(`it is nested deeper than ${maxDepth} levels`);
    if (this.#aliasDepth > 0 && (this.#aliased += 1) > mostAliased) {
      throw problem(`its aliases stand for more than ${mostAliased} values`);
    }
    if (isAlias(node)) return this.#alias(node.source, at);
    if (isScalar(node)) return this.#scalar(node, at.place);
    if (isMap(node)) return this.#inside(node, () => this.#branch(node, at));
    if (isSeq(node)) return this.#inside(node, () => this.#list(node, at));
    return { kind: 'Null' };
  }

  #inside<T>(node: YAMLMap | YAMLSeq, read: () => T): T {
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    this.#open.add(node);
    try {
      return read();
    } finally {
      this.#open.delete(node);
    }
  }

  #branch(map: YAMLMap, { depth, end }: Position): Branch {
    const column = map.flow === true ? undefined : this.#columnOf(startOf(map) ?? 0);
    const items: (Entry | CommentItem)[] = [];
    const keys = new Set<string>();
    for (const [index, { key, value }] of map.items.entries()) {
      const start = startOf(key) ?? 0;
      items.push(...this.#before(start));
      const name = this.#key(key);
      if (keys.has(name)) throw problem('a key is there twice');
      keys.add(name);
      const next = startOf(map.items[index + 1]?.key) ?? endWithin(map, end);
      if (isScalar(value) || isAlias(value)) items.push(...this.#onLineOf(value));
      const node = this.#node(value, {
        depth: depth + 1,
        end: next,
        place: { column, after: 'Key' },
      });
      const range = { start, end: valueEnd(value) ?? valueEnd(key) ?? start };
      items.push({ kind: 'Entry', key: name, value: node, range });
    }
    items.push(...this.#footOf(map, column, end));
    return { kind: 'Branch', items };
  }

  #list(seq: YAMLSeq, { depth, end }: Position): List {
    const column = seq.flow === true ? undefined : this.#columnOf(startOf(seq) ?? 0);
    const items: (Node | CommentItem)[] = [];
    for (const [index, item] of seq.items.entries()) {
      items.push(...this.#before(startOf(item) ?? 0));
      if (isScalar(item) || isAlias(item)) items.push(...this.#onLineOf(item));
      const next = startOf(seq.items[index + 1]) ?? endWithin(seq, end);
      items.push(
        this.#node(item, { depth: depth + 1, end: next, place: { column, after: 'Dash' } }),
      );
    }
    items.push(...this.#footOf(seq, column, end));
    return { kind: 'List', items };
  }

  #scalar(scalar: Scalar, place: ScalarPlace): Node {
    if (scalar.anchor !== undefined) this.#anchors.set(scalar.anchor, scalar);
    if (!isQuoted(scalar)) refuseDisputedBreaks(sourceOf(scalar));
    const value = valueOf(scalar);
    if (value === undefined) return { kind: 'Null' };
    const start = startOf(scalar) ?? 0;
    const leaf: Leaf = { kind: 'Leaf', value, range: { start, end: valueEnd(scalar) ?? start } };
    this.#places.set(leaf, place);
    return leaf;
  }

  #alias(name: string, at: Position): Node {
    const target = this.#anchors.get(name);
    if (target === undefined) throw problem('an alias has no anchor');
    if (this.#open.has(target)) throw problem('an alias contains itself');
    this.#aliasDepth += 1;
    try {
      return this.#node(target, { ...at, depth: at.depth + 1, end: 0 });
    } finally {
      this.#aliasDepth -= 1;
    }
  }

  #key(key: unknown): string {
    if (!isScalar(key)) throw problem('a key is not text');
    if (key.anchor !== undefined) this.#anchors.set(key.anchor, key);
    if (!isQuoted(key)) refuseDisputedBreaks(sourceOf(key));
    return sourceOf(key);
  }

  /** Comments that stand before an offset and belong to nothing yet. */
  #before(offset: number): CommentItem[] {
    return this.#take(({ start }) => start < offset);
  }

  /** Comments between a key and its value, and behind it on its line; they are about it. */
  #onLineOf(value: unknown): CommentItem[] {
    const end = valueEnd(value) ?? 0;
    const line = end - this.#columnOf(end);
    return this.#take(
      ({ start, column, alone }) => start < end || (!alone && start - column === line),
    );
  }

  /** Comments after the last item; those that are less indented belong further out. */
  #footOf(node: YAMLMap | YAMLSeq, column: number | undefined, end: number): CommentItem[] {
    if (this.#aliasDepth > 0) return [];
    if (column === undefined) return this.#before(valueEnd(node) ?? 0);
    return this.#take(
      (comment) => comment.start < end && (comment.column >= column || !comment.alone),
    );
  }

  #take(wanted: (comment: YamlComment) => boolean): CommentItem[] {
    const taken: CommentItem[] = [];
    if (this.#aliasDepth > 0) return taken;
    for (;;) {
      const comment = this.#comments[this.#next];
      if (comment === undefined || !wanted(comment)) return taken;
      this.#next += 1;
      const { start, end, text } = comment;
      taken.push({ kind: 'Comment', value: commentValue(text), range: { start, end } });
    }
  }
}

interface Position {
  readonly depth: number;
  /** Where what follows begins. */
  readonly end: number;
  readonly place: ScalarPlace;
}

const nowhere: ScalarPlace = { column: undefined, after: 'Key' };

function branchOf(node: Node): Branch {
  if (node.kind === 'Branch') return node;
  if (node.kind === 'Null') return { kind: 'Branch', items: [] };
  throw problem('a document is no mapping');
}

function valueOf(scalar: Scalar): PlainValue | undefined {
  const source = sourceOf(scalar);
  const isPlain = scalar.type === 'PLAIN' || scalar.type === undefined;
  if (scalar.tag === 'tag:yaml.org,2002:binary') {
    return { kind: 'Text', bytes: Buffer.from(source, 'base64') };
  }
  const isTyped = /^tag:yaml\.org,2002:(?:int|float|bool|null|timestamp)$/.test(scalar.tag ?? '');
  if (!isTyped && (scalar.tag !== undefined || !isPlain)) return textValue(source);
  const read = readPlainScalar(source, 'Kustomize');
  switch (read.kind) {
    case 'Integer':
      return read;
    case 'Date':
      return { kind: 'Time', text: goTime(source) };
    case 'Unrepresentable':
      return { kind: 'Float', value: infinite(source) };
    case 'Value':
      if (read.value === null) return undefined;
      if (typeof read.value === 'boolean') return { kind: 'Boolean', value: read.value };
      if (typeof read.value === 'number') return { kind: 'Float', value: read.value };
      return textValue(source);
  }
}

function infinite(source: string): number {
  if (/nan/i.test(source)) return Number.NaN;
  return source.startsWith('-') ? -Infinity : Infinity;
}

/** A date of YAML 1.1 as Go writes a time: RFC 3339, in UTC unless it says another zone. */
function goTime(source: string): string {
  const parts = /^(\d+)-(\d+)-(\d+)(?:[Tt ](\d+):(\d+):(\d+)(\.\d+)?(Z|[-+]\d\d:\d\d)?)?$/.exec(
    source,
  );
  const [
    ,
    year = '',
    month = '',
    day = '',
    hour = '0',
    minute = '0',
    second = '0',
    fraction = '',
    zone = 'Z',
  ] = parts ?? [];
  const two = (text: string): string => text.padStart(2, '0');
  const time = `${two(hour)}:${two(minute)}:${two(second)}${fraction.replace(/\.?0+$/, '')}`;
  return `${year}-${two(month)}-${two(day)}T${time}${zone === '+00:00' ? 'Z' : zone}`;
}

function isQuoted({ type }: Scalar): boolean {
  return type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
}

function sourceOf(scalar: Scalar): string {
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? '');
}

function startOf(node: unknown): number | undefined {
  return rangeOf(node)?.[0];
}

function valueEnd(node: unknown): number | undefined {
  return rangeOf(node)?.[1];
}

function endWithin(node: YAMLMap | YAMLSeq, end: number): number {
  return node.flow === true ? (valueEnd(node) ?? end) : end;
}

function rangeOf(node: unknown): readonly [number, number, number] | undefined {
  const ranged = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node);
  return (ranged ? node.range : undefined) ?? undefined;
}

function problem(detail: string): SopsProblem {
  return new SopsProblem('format', detail);
}
