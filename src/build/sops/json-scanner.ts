import { SopsProblem } from './decryption-error.ts';
import { type Branch, type Entry, type List, maxDepth, type Node, textValue } from './tree.ts';

const space = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON has none in texts
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const words = /true|false|null/y;

/**
 * A JSON text as a tree, with the places of its values. JSON.parse would lose the order of keys such
 * as `1`, and the digits of large integers.
 *
 * @throws SopsProblem when it is not JSON or is nested too deep.
 */
export function scanJson(text: string): Node {
  const scanner = new Scanner(text);
  try {
    const node = scanner.node(0);
    scanner.end();
    return node;
  } catch (error) {
    // A regular expression remembers each character of a text that goes on for many megabytes.
    if (error instanceof RangeError) throw problem('a text in it is too long');
    throw error;
  }
}

class Scanner {
  readonly #text: string;
  #at = 0;
  /** Where what was read last ends. */
  #end = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skip();
  }

  node(depth: number): Node {
    if (depth > maxDepth) throw problem(`it is nested deeper than ${maxDepth} levels`);
    const first = this.#text[this.#at];
    if (first === '{') return this.#branch(depth);
    if (first === '[') return this.#list(depth);
    if (first !== '"') return this.#plain();
    const start = this.#at;
    const value = textValue(this.#string());
    return { kind: 'Leaf', value, range: { start, end: this.#end } };
  }

  end(): void {
    if (this.#at !== this.#text.length) throw notJson();
  }

  #branch(depth: number): Branch {
    const items: Entry[] = [];
    const keys = new Set<string>();
    this.#sequence('}', () => {
      const start = this.#at;
      const key = this.#string();
      if (keys.has(key)) throw problem('a key is there twice');
      keys.add(key);
      this.#expect(':');
      const value = this.node(depth + 1);
      items.push({ kind: 'Entry', key, value, range: { start, end: this.#end } });
    });
    return { kind: 'Branch', items };
  }

  #list(depth: number): List {
    const items: Node[] = [];
    this.#sequence(']', () => items.push(this.node(depth + 1)));
    return { kind: 'List', items };
  }

  /** What stands between brackets, with commas between. */
  #sequence(closing: string, item: () => unknown): void {
    this.#at += 1;
    this.#skip();
    if (this.#text[this.#at] !== closing) {
      item();
      while (this.#text[this.#at] === ',') {
        this.#at += 1;
        this.#skip();
        item();
      }
    }
    this.#expect(closing);
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw notJson();
    this.#at += 1;
    this.#end = this.#at;
    this.#skip();
  }

  #string(): string {
    const source = this.#match(string);
    const value: unknown = source === undefined ? undefined : JSON.parse(source);
    if (typeof value !== 'string') throw notJson();
    return value;
  }

  #plain(): Node {
    const start = this.#at;
    const digits = this.#match(number);
    if (digits !== undefined) {
      return { kind: 'Leaf', value: numberOf(digits), range: { start, end: this.#end } };
    }
    const word = this.#match(words);
    if (word === undefined) throw notJson();
    if (word === 'null') return { kind: 'Null' };
    const value = { kind: 'Boolean', value: word === 'true' } as const;
    return { kind: 'Leaf', value, range: { start, end: this.#end } };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return undefined;
    this.#at += found.length;
    this.#end = this.#at;
    this.#skip();
    return found;
  }

  #skip(): void {
    space.lastIndex = this.#at;
    space.exec(this.#text);
    this.#at = space.lastIndex;
  }
}

/** Integers of 64 bits are integers; all else is a double. */
function numberOf(digits: string): Extract<Node, { kind: 'Leaf' }>['value'] {
  if (/^-?[0-9]+$/.test(digits)) {
    const value = BigInt(digits);
    if (BigInt.asIntN(64, value) === value) return { kind: 'Integer', value };
  }
  return { kind: 'Float', value: Number(digits) };
}

function notJson(): SopsProblem {
  return problem('it is not JSON');
}

function problem(detail: string): SopsProblem {
  return new SopsProblem('format', detail);
}
