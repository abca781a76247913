import { readPlainScalar } from '../../core/objects/yaml-scalars.ts';
import { formatFloat } from './go-numbers.ts';
import { type PlainValue, utf8 } from './tree.ts';

/** Where a value is written. */
export interface ScalarPlace {
  /** Column of the key or of the dash; undefined where a value must stay on its line. */
  readonly column: number | undefined;
  readonly after: 'Key' | 'Dash';
}

/** Numbers of base 60 and old booleans, which readers of YAML 1.1 would not take for text. */
const base60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const oldBoolean = /^(?:[yYnN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/;

/** What go-yaml v3 can write as it is; beyond U+FFFF it cannot. */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\ufeff\ufffe\uffff\ud800-\udfff]/;

/** Line breaks to some readers and not to others. */
const disputedBreak = /[\u0085\u2028\u2029]/;

const indentation = 4;

/** A value as SOPS writes it in YAML (go-yaml v3): text on several lines as a literal block. */
export function yamlScalar(value: PlainValue, place: ScalarPlace): string {
  switch (value.kind) {
    case 'Text':
    case 'Comment':
      return textScalar(value.bytes, place);
    case 'Integer':
      return value.value.toString();
    case 'Float':
      return formatFloat(value.value, 'g');
    case 'Boolean':
      return String(value.value);
    case 'Time':
      return value.text;
  }
}

function textScalar(bytes: Uint8Array, place: ScalarPlace): string {
  const text = utf8(bytes);
  if (!Buffer.from(text, 'utf8').equals(bytes)) {
    return `!!binary ${Buffer.from(bytes).toString('base64')}`;
  }
  if (unprintable.test(text) || disputedBreak.test(text)) return doubleQuoted(text);
  if (text.includes('\n')) {
    const asBlock = place.column !== undefined && !/ \n| $/.test(text);
    return asBlock ? literal(text, place.column, place.after) : doubleQuoted(text);
  }
  if (text.includes('\t') || meansSomethingElse(text)) return doubleQuoted(text);
  if (place.column !== undefined && isPlain(text)) return text;
  return place.column === undefined ? doubleQuoted(text) : `'${text.replaceAll("'", "''")}'`;
}

function meansSomethingElse(text: string): boolean {
  if (text === '<<' || base60.test(text) || oldBoolean.test(text)) return true;
  const scalar = readPlainScalar(text, 'Kustomize');
  return scalar.kind !== 'Value' || typeof scalar.value !== 'string';
}

function isPlain(text: string): boolean {
  return !/^ | $|: |:$| #|^---|^\.\.\.|^[-?:] |^[-?:]$|^[#,[\]{}&*!|>'"%@`]/.test(text);
}

function literal(text: string, column: number, after: 'Key' | 'Dash'): string {
  const indent =
    after === 'Dash' ? column + 2 : indentation * Math.floor((column + indentation) / indentation);
  const hint = /^[ \n]/.test(text) ? String(indent - column) : '';
  const keeps = text === '\n' || text.endsWith('\n\n');
  const chomping = !text.endsWith('\n') ? '-' : keeps ? '+' : '';
  const lines = text.split('\n');
  // The line that it stands on has a break of its own.
  if (text.endsWith('\n')) lines.pop();
  const indented = lines.map((line) => (line === '' ? '' : ' '.repeat(indent) + line));
  return [`|${hint}${chomping}`, ...indented].join('\n');
}

const escapes: ReadonlyMap<string, string> = new Map([
  ...Object.entries({ '\0': '0', '\x07': 'a', '\b': 'b', '\t': 't', '\n': 'n', '\v': 'v' }),
  ...Object.entries({ '\f': 'f', '\r': 'r', '\x1b': 'e', '"': '"', '\\': '\\' }),
  ...Object.entries({ '\u0085': 'N', '\u00a0': '_', '\u2028': 'L', '\u2029': 'P' }),
]);

function doubleQuoted(text: string): string {
  const inside = Array.from(text, (character) => {
    const letter = escapes.get(character);
    if (letter !== undefined && character !== '\u00a0') return `\\${letter}`;
    return unprintable.test(character) ? codeOf(character) : character;
  });
  return `"${inside.join('')}"`;
}

function codeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const digits = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${digits.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
}
