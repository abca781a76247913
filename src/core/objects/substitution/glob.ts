import type { Limits } from './limits.ts';

/** What one element of a pattern stands for; `Run` for any number of characters. */
type Element =
  | { readonly kind: 'Run' }
  | { readonly kind: 'One'; readonly accepts: (character: string) => boolean };

/** A pattern of the shell: `*`, `?`, `[a-z]`, `[!a-z]`, and a backslash before what is literal. */
export class Glob {
  readonly #elements: readonly Element[];

  constructor(pattern: string) {
    this.#elements = parse(Array.from(pattern));
  }

  /** What is left of a text without the shortest or longest beginning that matches. */
  withoutPrefix(text: string, which: 'Shortest' | 'Longest', limits: Limits): string {
    const characters = Array.from(text);
    const matched = matchingLength(this.#elements, characters, which, limits);
    return characters.slice(matched).join('');
  }

  /** What is left of a text without the shortest or longest end that matches. */
  withoutSuffix(text: string, which: 'Shortest' | 'Longest', limits: Limits): string {
    const characters = Array.from(text);
    const backwards = characters.toReversed();
    const matched = matchingLength(this.#elements.toReversed(), backwards, which, limits);
    return characters.slice(0, characters.length - matched).join('');
  }
}

/**
 * How many characters of the beginning match all elements; 0 when none do. All ways to match are
 * followed at once, so that no pattern takes longer than its length times that of the text.
 */
function matchingLength(
  elements: readonly Element[],
  characters: readonly string[],
  which: 'Shortest' | 'Longest',
  limits: Limits,
): number {
  let reached = behindRuns([0], elements);
  let longest = 0;
  for (const [index, character] of characters.entries()) {
    if (reached.has(elements.length)) {
      if (which === 'Shortest') return index;
      longest = index;
    }
    if (reached.size === 0) return longest;
    limits.spend(reached.size);
    const next: number[] = [];
    for (const position of reached) {
      const element = elements[position];
      if (element?.kind === 'Run') next.push(position);
      else if (element?.accepts(character) === true) next.push(position + 1);
    }
    reached = behindRuns(next, elements);
  }
  return reached.has(elements.length) ? characters.length : longest;
}

/** The positions, and those behind runs, since a run may be of no characters. */
function behindRuns(positions: readonly number[], elements: readonly Element[]): Set<number> {
  const reached = new Set<number>();
  for (const position of positions) {
    let behind = position;
    while (!reached.has(behind)) {
      reached.add(behind);
      if (elements[behind]?.kind === 'Run') behind += 1;
    }
  }
  return reached;
}

function parse(pattern: readonly string[]): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at] ?? '';
    const bracket = character === '[' ? bracketAt(pattern, at) : undefined;
    if (bracket !== undefined) {
      elements.push({ kind: 'One', accepts: bracket.accepts });
      at = bracket.end;
    } else if (character === '*') {
      if (elements.at(-1)?.kind !== 'Run') elements.push({ kind: 'Run' });
    } else if (character === '?') {
      elements.push({ kind: 'One', accepts: () => true });
    } else {
      if (character === '\\' && at + 1 < pattern.length) at += 1;
      elements.push(literal(pattern[at] ?? ''));
    }
  }
  return elements;
}

function literal(wanted: string): Element {
  return { kind: 'One', accepts: (character) => character === wanted };
}

interface Bracket {
  readonly accepts: (character: string) => boolean;
  /** Position of the closing bracket. */
  readonly end: number;
}

/** A set of characters in brackets; undefined where the bracket is not closed and so is literal. */
function bracketAt(pattern: readonly string[], start: number): Bracket | undefined {
  let at = start + 1;
  const negated = pattern[at] === '!' || pattern[at] === '^';
  if (negated) at += 1;
  const first = at;
  const ranges: { readonly from: number; readonly to: number }[] = [];
  // A closing bracket in the first place is one of the set.
  while (at < pattern.length && (pattern[at] !== ']' || at === first)) {
    const from = memberAt(pattern, at);
    const isRange =
      pattern[from.next] === '-' &&
      pattern[from.next + 1] !== undefined &&
      pattern[from.next + 1] !== ']';
    const to = isRange ? memberAt(pattern, from.next + 1) : from;
    ranges.push({ from: from.code, to: to.code });
    at = to.next;
  }
  if (at >= pattern.length) return undefined;
  const accepts = (character: string): boolean => {
    const code = character.codePointAt(0) ?? 0;
    return ranges.some(({ from, to }) => from <= code && code <= to) !== negated;
  };
  return { accepts, end: at };
}

function memberAt(pattern: readonly string[], at: number): { code: number; next: number } {
  const escaped = pattern[at] === '\\' && at + 1 < pattern.length;
  const place = escaped ? at + 1 : at;
  return { code: pattern[place]?.codePointAt(0) ?? 0, next: place + 1 };
}
