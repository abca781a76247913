import { StatusError } from './status-error.ts';

/** Bounds of one body. A StageSet is a few hundred keys, ten levels deep. */
const deepest = 64;
const mostKeys = 20_000;

/**
 * The value of a JSON text. What readers disagree about, or what is built to hurt one, is refused
 * before anything is made of it: a key that is there twice, `__proto__`, great depth, very many keys.
 *
 * @param most fields of all objects together
 * @throws StatusError 400, without quoting any value
 */
export function parseJson(text: string, most = mostKeys): unknown {
  let value: unknown;
  new Scan(text, most).check();
  try {
    value = JSON.parse(text);
  } catch {
    throw notJson();
  }
  return value;
}

/**
 * The same bounds for a value that was read from something else than JSON.
 * @throws StatusError 400
 */
export function checkBounds(value: unknown): void {
  let keys = 0;
  const visit = (part: unknown, depth: number): void => {
    if (typeof part !== 'object' || part === null) return;
    if (depth >= deepest) throw tooDeep();
    for (const key of Array.isArray(part) ? [] : Object.keys(part)) {
      if ((keys += 1) > mostKeys) throw tooManyKeys(mostKeys);
      checkKey(key);
    }
    for (const child of Object.values(part)) visit(child, depth + 1);
  };
  visit(value, 0);
}

/** Walks over the text once, without recursion; whether it is JSON is left to JSON.parse. */
class Scan {
  readonly #text: string;
  /** One set of keys for each object that is open, undefined for a list. */
  readonly #open: (Set<string> | undefined)[] = [];
  readonly #mostKeys: number;
  #keys = 0;

  constructor(text: string, most: number) {
    this.#text = text;
    this.#mostKeys = most;
  }

  check(): void {
    const token = /["{}[\]]/g;
    for (let found = token.exec(this.#text); found !== null; found = token.exec(this.#text)) {
      if (found[0] === '"') token.lastIndex = this.#string(found.index);
      else this.#bracket(found[0]);
    }
  }

  #bracket(bracket: string): void {
    if (bracket === '}' || bracket === ']') {
      this.#open.pop();
      return;
    }
    if (this.#open.length >= deepest) throw tooDeep();
    this.#open.push(bracket === '{' ? new Set() : undefined);
  }

  /** Looks at a string, which is a key when a colon follows. Returns the index behind it. */
  #string(start: number): number {
    const end = this.#endOfString(start);
    const colon = /\s*:/y;
    colon.lastIndex = end;
    if (!colon.test(this.#text)) return end;
    if ((this.#keys += 1) > this.#mostKeys) throw tooManyKeys(this.#mostKeys);
    const key = keyOf(this.#text.slice(start, end));
    checkKey(key);
    const keys = this.#open.at(-1);
    if (keys?.has(key) === true) {
      throw StatusError.badRequest(
        `the body has the field ${JSON.stringify(key.slice(0, 63))} twice in one object`,
      );
    }
    keys?.add(key);
    return end;
  }

  #endOfString(start: number): number {
    const text = this.#text;
    for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
      let backslashes = 0;
      while (text[at - 1 - backslashes] === '\\') backslashes += 1;
      if (backslashes % 2 === 0) return at + 1;
    }
    throw notJson();
  }
}

/** Keys are compared as they are meant: `"a"` and `"\u0061"` are the same key. */
function keyOf(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    const key: unknown = JSON.parse(literal);
    if (typeof key === 'string') return key;
  } catch {
    // Told below.
  }
  throw notJson();
}

function checkKey(key: string): void {
  if (key === '__proto__') throw StatusError.badRequest('the body must have no field "__proto__"');
}

function notJson(): StatusError {
  return StatusError.badRequest('the body is not valid JSON');
}

function tooDeep(): StatusError {
  return StatusError.badRequest(`the body is nested deeper than ${deepest} levels`);
}

function tooManyKeys(most: number): StatusError {
  return StatusError.badRequest(`the body has more than ${most} fields`);
}
