import parse, { type JsonPathQuery } from 'jsonpath-rfc9535/parser';
import { type FilterExpression, filterProblem } from './json-path-filter.ts';

/** What one segment of a path chooses among the children of a value. */
export type Selector =
  | { readonly kind: 'Name'; readonly name: string }
  | { readonly kind: 'Index'; readonly index: number }
  | { readonly kind: 'All' }
  | {
      readonly kind: 'Slice';
      readonly start: number | null;
      readonly end: number | null;
      readonly step: number | null;
    }
  | { readonly kind: 'Filter'; readonly expression: FilterExpression };

export interface Segment {
  /** Whether it looks at all values below, too: `..`. */
  readonly deep: boolean;
  readonly selectors: readonly Selector[];
}

export type JsonPath =
  | { readonly kind: 'Path'; readonly segments: readonly Segment[] }
  /** A clause about the text, without it: it may be anything. */
  | { readonly kind: 'Problem'; readonly problem: string };

type ParsedNode = JsonPathQuery['segments'][number]['node'];
type ParsedSelector = Extract<ParsedNode, { type: 'BracketedSelection' }>['selectors'][number];

const longest = 1024;
const example = 'give one such as {.budget.remaining}';

/**
 * Reads a JSONPath, in kubectl's forms (`{.a.b}`, `.a.b`, `{.metadata.labels.app\.kubernetes\.io/name}`)
 * or as RFC 9535 has it (`$.a['b']`). Of filters there is what both have in common: fields, `&&`, `||`,
 * `!` and comparisons with a literal; functions are left out, for some of them take a pattern of
 * whoever writes the path.
 */
export function compileJsonPath(text: string): JsonPath {
  if (text.length > longest) {
    return problem(`has ${text.length} characters; at most ${longest} are allowed`);
  }
  const query = rfcForm(text.trim());
  if (query === undefined) return problem(`is no JSONPath; ${example}`);
  let parsed: JsonPathQuery;
  try {
    parsed = parse(query);
  } catch {
    return problem(`is no JSONPath; ${example}`);
  }
  const segments: Segment[] = [];
  for (const { type, node } of parsed.segments) {
    const selectors = selectorsOf(node);
    if (typeof selectors === 'string') return problem(selectors);
    segments.push({ deep: type === 'DescendantSegment', selectors });
  }
  return { kind: 'Path', segments };
}

function problem(text: string): JsonPath {
  return { kind: 'Problem', problem: text };
}

/** What a segment selects, or why that is not supported. */
function selectorsOf(node: ParsedNode): readonly Selector[] | string {
  if (node.type !== 'BracketedSelection') {
    const all = node.type === 'WildcardSelector';
    return [all ? { kind: 'All' } : { kind: 'Name', name: node.value }];
  }
  const selectors: Selector[] = [];
  for (const each of node.selectors) {
    const unsupported = each.type === 'FilterSelector' ? filterProblem(each.value) : undefined;
    if (unsupported !== undefined) return unsupported;
    selectors.push(selectorOf(each));
  }
  return selectors;
}

function selectorOf(parsed: ParsedSelector): Selector {
  switch (parsed.type) {
    case 'NameSelector':
      return { kind: 'Name', name: parsed.value };
    case 'IndexSelector':
      return { kind: 'Index', index: parsed.value };
    case 'WildcardSelector':
      return { kind: 'All' };
    case 'SliceSelector':
      return { kind: 'Slice', start: parsed.start, end: parsed.end, step: parsed.step };
    case 'FilterSelector':
      return { kind: 'Filter', expression: parsed.value };
  }
}

/** The same path as RFC 9535 writes it; undefined for a text that is none in any form. */
function rfcForm(text: string): string | undefined {
  const inner = /^\{([\s\S]*)\}$/.exec(text)?.[1]?.trim() ?? text;
  if (inner === '.' || inner === '$' || inner === '@') return '$';
  const steps = /^[$@]/.test(inner) ? inner.slice(1) : inner;
  let query = '$';
  for (let at = 0; at < steps.length; ) {
    const step = stepAt(steps, at);
    if (step === undefined) return undefined;
    query += step.query;
    at = step.end;
  }
  return query === '$' ? undefined : query;
}

/** The segment that begins at a place, and where it ends. */
function stepAt(text: string, at: number): { query: string; end: number } | undefined {
  if (text[at] === '[') return bracketsAt(text, at);
  const dots = /^\.{1,2}/.exec(text.slice(at, at + 2))?.[0];
  if (dots === undefined) return undefined;
  const deep = dots === '..' ? '..' : '';
  const from = at + dots.length;
  if (text[from] === '*') return { query: `${deep}[*]`, end: from + 1 };
  if (text[from] === '[' && dots === '..') {
    const brackets = bracketsAt(text, from);
    return brackets === undefined ? undefined : { ...brackets, query: `..${brackets.query}` };
  }
  // As kubectl has it: a name goes on to what cannot be in one, unless that is escaped.
  const name = /^(?:\\[\s\S]|[^\s\\.,[\]{}()$@|?"'])+/.exec(text.slice(from))?.[0];
  if (name === undefined) return undefined;
  const quoted = name.replace(/\\([\s\S])/g, '$1').replace(/['\\]/g, '\\$&');
  return { query: `${deep}['${quoted}']`, end: from + name.length };
}

/** Everything up to the bracket that closes this one; what is in quotes does not count. */
function bracketsAt(text: string, at: number): { query: string; end: number } | undefined {
  let open = 0;
  let quote = '';
  for (let index = at; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (quote !== '') {
      if (character === '\\') index += 1;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '[') open += 1;
    else if (character === ']') open -= 1;
    if (open === 0) return { query: rfcEscapes(text.slice(at, index + 1)), end: index + 1 };
  }
  return undefined;
}

/** kubectl escapes a dot between quotes, too, which RFC 9535 does not know: `['app\.kubernetes\.io/name']`. */
function rfcEscapes(brackets: string): string {
  return brackets.replace(/\\([\s\S])/g, (escape, character: string) =>
    `bfnrtu/\\'"`.includes(character) ? escape : character,
  );
}
