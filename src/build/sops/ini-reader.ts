import { SopsProblem } from './decryption-error.ts';

interface IniKey {
  readonly name: string;
  readonly value: string;
  /** The comment before the key, with its signs; empty when there is none. */
  readonly comment: string;
}

export interface IniSection {
  readonly name: string;
  readonly comment: string;
  readonly keys: readonly IniKey[];
}

/** The section of keys that stand before the first header; it is always there. */
export const defaultSection = 'DEFAULT';

/**
 * An INI file as go-ini reads it, which SOPS uses: `=` or `:` after a key, comments begin with `#` or
 * `;` anywhere, quotes of a value as a whole are dropped, a backslash continues a line, and triple
 * quotes or backticks hold several lines.
 *
 * @throws SopsProblem
 */
export function readIni(text: string): IniSection[] {
  const reader = new Reader(text);
  while (reader.readLine()) continue;
  return reader.sections;
}

interface OpenSection extends IniSection {
  readonly keys: IniKey[];
}

class Reader {
  readonly sections: OpenSection[] = [{ name: defaultSection, comment: '', keys: [] }];
  readonly #lines: readonly string[];
  #at = 0;
  #comment = '';
  #count = 1;

  constructor(text: string) {
    this.#lines = text.split(/(?<=\n)/);
  }

  /** @returns whether there may be another one */
  readLine(): boolean {
    const line = this.#lines[this.#at];
    if (line === undefined) return false;
    this.#at += 1;
    const trimmed = line.trimStart();
    if (/^[#;]/.test(trimmed)) this.#comment += trimmed;
    else if (trimmed.startsWith('[')) this.#section(trimmed);
    else if (trimmed !== '') this.#key(trimmed);
    return true;
  }

  #section(line: string): void {
    const end = line.lastIndexOf(']');
    if (end < 0) throw problem('a section has no end');
    const name = line.slice(1, end);
    if (name === '') throw problem('a section has no name');
    this.#comment += /[#;].*/s.exec(line.slice(end + 1))?.[0] ?? '';
    const comment = this.#takeComment();
    const first = this.sections[0];
    if (name === defaultSection && first !== undefined) this.sections.push({ ...first, comment });
    else this.sections.push({ name, comment, keys: [] });
    this.#count = 1;
  }

  #key(line: string): void {
    const { name, rest } = keyOf(line);
    const value = this.#value(rest);
    const keys = this.sections.at(-1)?.keys ?? [];
    const key = {
      name: name === '-' ? `#${this.#count++}` : name,
      value,
      comment: this.#takeComment(),
    };
    if (key.name === '') throw problem('a key has no name');
    const before = keys.findIndex((other) => other.name === key.name);
    if (before < 0) keys.push(key);
    else keys[before] = key;
  }

  #value(rest: string): string {
    const line = rest.trimStart();
    if (line === '') return '';
    const quote = line.length > 3 && line.startsWith('"""') ? '"""' : line[0] === '`' ? '`' : '';
    if (quote !== '') {
      const end = line.lastIndexOf(quote);
      if (end < quote.length) return this.#severalLines(line.slice(quote.length), quote);
      return line.slice(quote.length, end);
    }
    const trimmed = line.trimEnd();
    if (trimmed.endsWith('\\')) return this.#continued(trimmed.slice(0, -1));
    const comment = trimmed.search(/[#;]/);
    if (comment >= 0) this.#comment += trimmed.slice(comment);
    return unquoted(comment >= 0 ? trimmed.slice(0, comment).trim() : trimmed);
  }

  #severalLines(begun: string, quote: string): string {
    let value = begun;
    for (;;) {
      const next = this.#lines[this.#at];
      if (next === undefined) throw problem('a quote is not closed');
      this.#at += 1;
      const end = next.lastIndexOf(quote);
      if (
        end < 0 ||
        next
          .slice(end + quote.length)
          .trim()
          .endsWith('\\')
      ) {
        value += next;
        continue;
      }
      this.#comment += /[#;].*/s.exec(next.slice(end))?.[0].trim() ?? '';
      return value + next.slice(0, end);
    }
  }

  #continued(begun: string): string {
    let value = begun;
    for (;;) {
      const next = (this.#lines[this.#at] ?? '').trim();
      this.#at += 1;
      if (next === '') return value;
      value += next;
      if (!value.endsWith('\\')) return value;
      value = value.slice(0, -1);
    }
  }

  #takeComment(): string {
    const comment = this.#comment.trim();
    this.#comment = '';
    return comment;
  }
}

function keyOf(line: string): { name: string; rest: string } {
  const quote = /^"""(?=.{4})|^["`]/s.exec(line)?.[0] ?? '';
  const closing = quote === '' ? 0 : line.indexOf(quote, quote.length);
  if (closing < 0) throw problem('the quote of a key is not closed');
  const from = closing + quote.length;
  const delimiter = line.slice(from).search(/[=:]/);
  if (delimiter < 0) throw problem('a line has neither = nor :');
  const name = quote === '' ? line.slice(0, delimiter) : line.slice(quote.length, closing);
  return { name: name.trim(), rest: line.slice(from + delimiter + 1) };
}

function unquoted(value: string): string {
  return /^'[^']*'$|^"[^"]*"$/.test(value) ? value.slice(1, -1) : value;
}

function problem(detail: string): SopsProblem {
  return new SopsProblem('format', detail);
}
