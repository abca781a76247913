import { readPlainScalar } from './yaml-scalars.ts';

export type ScalarStyle = 'Plain' | 'SingleQuoted' | 'DoubleQuoted' | 'Literal';

/** Numbers of base 60, which other YAML 1.1 readers would not take for text. */
const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** What go-yaml can write as it is: `U+10000` and more it cannot. */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ufeff\ufffe\uffff\u{10000}-\u{10ffff}]/u;

/** The style that go-yaml v2 chooses for a text (libyaml's analysis of scalars). */
export function styleOf(text: string, place: 'Key' | 'Value'): ScalarStyle {
  if (unprintable.test(text) || / \n/.test(text)) return 'DoubleQuoted';
  if (text.includes('\n')) {
    return place === 'Key' || text.endsWith(' ') ? 'DoubleQuoted' : 'Literal';
  }
  if (meansSomethingElse(text)) return 'DoubleQuoted';
  return isPlain(text) ? 'Plain' : 'SingleQuoted';
}

function meansSomethingElse(text: string): boolean {
  if (base60.test(text)) return true;
  const scalar = readPlainScalar(text, 'Kubernetes');
  return scalar.kind !== 'Value' || typeof scalar.value !== 'string';
}

function isPlain(text: string): boolean {
  return !(
    /^ | $|: |:$| #|^---|^\.\.\.|^[-?] |^-$|^\?$/.test(text) || /^[#,[\]{}&*!|>'"%@`]/.test(text)
  );
}

const foldedAfter = 80;

const escapes: ReadonlyMap<number, string> = new Map(
  [
    ...Object.entries({ 0: '0', 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r' }),
    ...Object.entries({ 27: 'e', 34: '"', 92: '\\', 133: 'N', 160: '_' }),
  ].map(([code, letter]) => [Number(code), letter] as const),
);

/** Writes scalars and what is between them, and keeps count of the column, as folding needs it. */
export class ScalarWriter {
  readonly #parts: string[] = [];
  #column = 0;
  /** Whether a line is begun with nothing but indentation and dashes: the next entry goes there. */
  #open = true;

  get text(): string {
    return `${this.#parts.join('')}${this.#column > 0 ? '\n' : ''}`;
  }

  /** Begins an entry at an indentation: on a new line, or right after a dash. */
  startLine(indent: number): void {
    if (this.#open && this.#column <= indent) {
      this.#append(' '.repeat(indent - this.#column));
      return;
    }
    this.#breakLine(indent);
  }

  /** Text of one line, as it is. */
  put(text: string): void {
    this.#append(text);
    this.#open = text === '-';
  }

  /** @param indent of further lines; undefined where there must be none, as in a key */
  write(text: string, style: ScalarStyle, indent: number | undefined): void {
    this.#open = false;
    switch (style) {
      case 'Plain':
        this.#folded(text, indent, 0, text.length);
        return;
      case 'SingleQuoted':
        this.#append("'");
        this.#folded(text, indent, 1, text.length - 1);
        this.#append("'");
        return;
      case 'DoubleQuoted':
        this.#append('"');
        this.#escaped(text, indent);
        this.#append('"');
        return;
      case 'Literal':
        this.#literal(text, indent ?? 0);
    }
  }

  /** A text without line breaks, folded at single spaces from `first` up to `end`. */
  #folded(text: string, indent: number | undefined, first: number, end: number): void {
    const doubled = first === 1;
    let start = 0;
    for (let at = text.indexOf(' '); at >= 0; at = text.indexOf(' ', at + 1)) {
      this.#append(asWritten(text.slice(start, at), doubled));
      start = at;
      const single = text[at - 1] !== ' ' && text[at + 1] !== ' ';
      const within = at >= first && at < end;
      if (indent !== undefined && single && within && this.#column > foldedAfter) {
        this.#breakLine(indent);
        start = at + 1;
      }
    }
    this.#append(asWritten(text.slice(start), doubled));
  }

  #escaped(text: string, indent: number | undefined): void {
    let offset = 0;
    let afterSpace = false;
    for (const character of text) {
      const isSpace = character === ' ';
      const within = offset > 0 && offset < text.length - 1;
      if (isSpace && indent !== undefined && within && !afterSpace && this.#column > foldedAfter) {
        this.#breakLine(indent);
        if (text[offset + 1] === ' ') this.#append('\\');
      } else {
        this.#append(escaped(character));
      }
      afterSpace = isSpace;
      offset += character.length;
    }
  }

  #literal(text: string, indent: number): void {
    const hint = /^[ \n]/.test(text) ? '2' : '';
    const chomping = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
    this.#append(`|${hint}${chomping}`);
    const lines = text.split('\n');
    const ended = lines.at(-1) === '';
    if (ended) lines.pop();
    for (const line of lines) {
      this.#breakLine(line === '' ? 0 : indent);
      this.#append(line);
    }
    if (ended) this.#breakLine(0);
    this.#open = ended;
  }

  #breakLine(indent: number): void {
    this.#parts.push('\n', ' '.repeat(indent));
    this.#column = indent;
  }

  #append(text: string): void {
    this.#parts.push(text);
    // Columns are code points; beyond the BMP nothing is written as it is.
    this.#column += text.length;
  }
}

function asWritten(text: string, doubled: boolean): string {
  return doubled ? text.replaceAll("'", "''") : text;
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const letter = escapes.get(code);
  if (code === 160) return character;
  if (letter !== undefined) return `\\${letter}`;
  if (!unprintable.test(character)) return character;
  const digits = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${digits.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
}
