import { isProblem, type Problem } from '../problem.ts';

/** A place in a text that is read from left to right. */
export interface Cursor {
  readonly text: string;
  at: number;
}

/** Segments in the words of RFC 9535, without what they start from. */
export interface Segments {
  readonly expression: string;
  /** Whether they lead to one value at most, in every document. */
  readonly singular: boolean;
  /** Whether the same value may be led to again and again: `[0,0]`. */
  readonly union?: boolean;
}

/** Takes what matches at the cursor; the pattern is sticky. */
export function take(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text);
  if (match === null) return undefined;
  cursor.at += match[0].length;
  return match;
}

/**
 * Reads the segments of a path in kubectl's dialect up to something that is none: the end of the
 * text, or a `}`. Whatever else follows is for the caller to refuse.
 */
export function readSegments(cursor: Cursor): Segments | Problem {
  let expression = '';
  let singular = true;
  let descents = 0;
  let unions = 0;
  take(cursor, /[ \t]*[$@]?/y);
  for (;;) {
    take(cursor, /[ \t]+/y);
    const segment = readSegment(cursor);
    if (segment === undefined) return { expression, singular };
    if (isProblem(segment)) return segment;
    // Each descent looks at all that is below each value found so far.
    if (segment.expression.startsWith('..') && ++descents > 1) {
      return { problem: 'goes down with ".." more than once; name the fields in between' };
    }
    // Each union doubles the work, or worse.
    if (segment.union === true && ++unions > 1) {
      return { problem: 'chooses several items, as in [0,1], more than once; do so in one place' };
    }
    expression += segment.expression;
    singular &&= segment.singular;
  }
}

function readSegment(cursor: Cursor): Segments | Problem | undefined {
  const [start] = take(cursor, /\.\.|\.|(?=\[)/y) ?? [];
  if (start === undefined) return undefined;
  if (start === '.') return readName(cursor, '');
  const descent = start === '..';
  const prefix = descent ? '..' : '';
  const found = cursor.text[cursor.at] === '[' ? readBrackets(cursor) : readName(cursor, prefix);
  if (isProblem(found) || !descent) return found;
  const { expression } = found;
  const below = expression.startsWith('..') ? expression : `..${expression}`;
  return { ...found, expression: below, singular: false };
}

function readName(cursor: Cursor, prefix: string): Segments | Problem {
  const [name = ''] = take(cursor, /(?:\\[^]|[^\s.,[\]$@{}\\])*/y) ?? [];
  if (name === '') return { problem: `needs the name of a field behind the "." ${place(cursor)}` };
  if (name === '*') return { expression: `${prefix}[*]`, singular: false };
  return { expression: `${prefix}[${quoted(unescaped(name))}]`, singular: true };
}

/** Within `[...]`: an index, a slice, names in quotes, `*`, several of them, or a filter. */
function readBrackets(cursor: Cursor): Segments | Problem {
  if (cursor.text.startsWith('[?(', cursor.at)) return readFilter(cursor);
  const [, text] = take(cursor, /\[((?:'[^'\n]*'|"[^"\n]*"|[^\]'"\n])*)\]/y) ?? [];
  if (text === undefined) return { problem: `has a "[" that is not closed ${place(cursor)}` };
  const items = text.match(/(?:'[^']*'|"[^"]*"|[^,'"])+/g) ?? [];
  if (items.length === 0) return { problem: 'has nothing between "[" and "]"; write an index' };
  const [only = '', ...rest] = items.map((item) => item.trim());
  if (rest.length > 0) return union([only, ...rest]);
  const [, nested] = /^'(.*)'$/.exec(only) ?? [];
  return nested === undefined ? one(only) : fieldsWithin(nested);
}

/** kubectl takes a dot between quotes, too, for a step down, unless it is escaped. */
function fieldsWithin(text: string): Segments | Problem {
  const names = text.match(/(?:\\[^]|[^.\\])+/g) ?? [];
  if (names.length === 0) return { problem: 'has no name between the quotes' };
  const steps = names.map((name) => `[${quoted(unescaped(name))}]`);
  return { expression: steps.join(''), singular: true };
}

function one(item: string): Segments | Problem {
  const selector = selectorOf(item);
  if (typeof selector !== 'string') return selector;
  const singular = selector !== '*' && !/^[-\d]*:/.test(selector);
  return { expression: `[${selector}]`, singular };
}

/** Each item of a union looks at every value anew. */
const mostItems = 8;

function union(items: readonly string[]): Segments | Problem {
  if (items.length > mostItems) {
    return {
      problem: `chooses ${items.length} items in one place; at most ${mostItems} are allowed`,
    };
  }
  const selectors: string[] = [];
  for (const item of items) {
    const selector = selectorOf(item);
    if (typeof selector !== 'string') return selector;
    selectors.push(selector);
  }
  return { expression: `[${selectors.join(',')}]`, singular: false, union: true };
}

function selectorOf(item: string): string | Problem {
  if (item === '*') return item;
  const [, single, double] = /^(?:'(.*)'|"(.*)")$/.exec(item) ?? [];
  const name = single ?? double;
  if (name !== undefined) return quoted(unescaped(name));
  const [, start, end, step] = /^(-?\d+)?(:(?:-?\d+)?)?(:(?:-?\d+)?)?$/.exec(item) ?? [];
  if (start === undefined && end === undefined) {
    return { problem: 'has something between "[" and "]" that is no index, slice, name or filter' };
  }
  const numbers = [start, end?.slice(1), step?.slice(1)].map((digits) => integer(digits));
  if (numbers.some((number) => Number.isNaN(number))) {
    return { problem: 'has an index that is too large' };
  }
  const [from = '', to = '', by = ''] = numbers;
  if (by !== '' && by <= 0) return { problem: 'has a slice whose step is not above 0' };
  if (end === undefined) return String(from);
  return by === '' ? `${from}:${to}` : `${from}:${to}:${by}`;
}

function integer(digits = ''): number | undefined {
  if (digits === '') return undefined;
  const number = Number(digits) + 0;
  return Number.isSafeInteger(number) ? number : Number.NaN;
}

/** `[?(@.type=="Ready")]`, or `[?(@.type)]` for what has the field. */
function readFilter(cursor: Cursor): Segments | Problem {
  const pattern = /\[\?\(((?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|[^)"'\n])*)\)\]/y;
  const [, text] = take(cursor, pattern) ?? [];
  if (text === undefined)
    return { problem: `has a filter that does not end in ")]" ${place(cursor)}` };
  const [, left = text, operator, right = ''] = /^([^!<>=]+)([!<>=]+)([^]+)$/.exec(text) ?? [];
  const subject = operandPath(left);
  if (isProblem(subject)) return subject;
  if (operator === undefined) return { expression: `[?@${subject.expression}]`, singular: false };
  if (!['==', '!=', '<', '<=', '>', '>='].includes(operator)) {
    return { problem: 'has a filter with an operator that is none of ==, !=, <, <=, >, >=' };
  }
  const object = operand(right.trim());
  if (typeof object !== 'string') return object;
  if (!subject.singular) return severalCompared;
  return { expression: `[?${valueOf(subject)}${operator}${object}]`, singular: false };
}

function operand(text: string): string | Problem {
  if (/^(?:true|false)$/.test(text)) return text;
  if (/^[+-]?\d+(?:\.\d+)?$/.test(text)) return String(Number(text) + 0);
  const [, double, single] = /^(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)')$/.exec(text) ?? [];
  const words = double ?? single;
  if (words !== undefined) return quoted(unescaped(words));
  const path = operandPath(text);
  if (isProblem(path)) return path;
  return path.singular ? valueOf(path) : severalCompared;
}

/** By the function, since jsonpath-rfc9535 1.3.0 finds nothing behind an index that is compared. */
function valueOf({ expression }: Segments): string {
  return `value(@${expression})`;
}

const severalCompared: Problem = {
  problem: 'has a filter that compares several values at a time; let it name one field',
};

function operandPath(text: string): Segments | Problem {
  const cursor: Cursor = { text: text.trim(), at: 0 };
  if (!/^[@.[]/.test(cursor.text) || cursor.text.includes('[?(')) return unreadableFilter;
  const path = readSegments(cursor);
  if (isProblem(path)) return path;
  if (cursor.at < cursor.text.length || path.expression.includes('..')) return unreadableFilter;
  return path;
}

const unreadableFilter: Problem = {
  problem:
    'has a filter that is not understood; compare one field with one value, as in [?(@.type=="Ready")]',
};

/** kubectl drops every backslash: what stands behind it is taken as it is. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([^])/g, '$1');
}

/** A text in quotes, as both JSON and RFC 9535 read it. */
function quoted(text: string): string {
  return JSON.stringify(text);
}

export function place({ at }: Cursor): string {
  return `at character ${at + 1}`;
}
