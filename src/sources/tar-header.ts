import { badArtifact } from './failures.ts';

/** Size of every tar record; content is padded to it. */
export const recordSize = 512;

/** One header record, with its numbers checked and its name as it stands there (POSIX ustar, GNU). */
export interface TarHeader {
  readonly name: string;
  readonly size: number;
  /** One character; the NUL of old archives is `0`. */
  readonly type: string;
}

/** @throws TerminalError for a record that is no tar header. */
export function readHeader(record: Buffer): TarHeader {
  if (!hasValidChecksum(record)) throw badArtifact('is not a tar archive: a header is malformed');
  const name = textAt(record, 0, 100);
  // GNU keeps other things where ustar has the first part of a long name.
  const isPosix = record.subarray(257, 263).equals(posixMagic);
  const prefix = isPosix ? textAt(record, 345, 155) : '';
  const type = record[156] === 0 ? '0' : String.fromCharCode(record[156] ?? 0);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    size: numberAt(record, 124, 12),
    type,
  };
}

const posixMagic = Buffer.from('ustar\0', 'latin1');

/** What an extended header says about the entry after it. */
export interface Extension {
  readonly path?: string;
  readonly size?: number;
}

/**
 * The records of a pax extended header, `<length> <key>=<value>\n` each (POSIX pax).
 *
 * @throws TerminalError for a malformed one, and for a sparse file, whose content is not what it seems.
 */
export function readExtension(body: Buffer): Extension {
  const extension: { path?: string; size?: number } = {};
  for (let start = 0; start < body.length; ) {
    const blank = body.indexOf(0x20, start);
    const digits = blank < 0 ? '' : body.toString('latin1', start, blank);
    const end = start + Number(digits);
    if (!/^[1-9]\d{0,9}$/.test(digits) || end > body.length || body[end - 1] !== 0x0a) {
      throw badArtifact('is not a tar archive: an extended header is malformed');
    }
    const [key = '', ...rest] = body.toString('utf8', blank + 1, end - 1).split('=');
    const value = rest.join('=');
    if (key === 'path') extension.path = value;
    if (key === 'size') extension.size = decimal(value);
    if (key.startsWith('GNU.sparse.')) throw badArtifact('contains a sparse file; store it whole');
    start = end;
  }
  return extension;
}

/** Text up to the first NUL. */
export function textAt(bytes: Buffer, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function decimal(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw badArtifact('is not a tar archive: a size is malformed');
  return Number(text);
}

/** Octal digits, or base 256 where the first bit is set (GNU); never negative. */
function numberAt(record: Buffer, start: number, length: number): number {
  const field = record.subarray(start, start + length);
  const [first = 0] = field;
  if (first === 0x80) {
    return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  }
  const digits = field.toString('latin1').replace(/\0.*$/s, '').trim();
  if (!/^[0-7]*$/.test(digits)) throw badArtifact('is not a tar archive: a number is malformed');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

/** Sum of all bytes with the checksum itself as blanks; some writers add up signed bytes. */
function hasValidChecksum(record: Buffer): boolean {
  const expected = numberAt(record, 148, 8);
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let index = 0; index < recordSize; index += 1) {
    if (index >= 148 && index < 156) continue;
    const byte = record[index] ?? 0;
    unsigned += byte;
    signed += byte < 128 ? byte : byte - 256;
  }
  return expected === unsigned || expected === signed;
}
