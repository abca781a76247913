import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** An entry as it is written, with nothing checked: whatever a hostile archive may hold. */
export interface RawEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** Tar type flag; a file by default. */
  readonly type?: string;
  readonly linkName?: string;
  /** What the header claims; the true size by default. */
  readonly size?: number;
  /** The size field as it is, where `size` cannot say it. */
  readonly sizeField?: Uint8Array;
}

const recordSize = 512;

/** A tar archive of raw entries, with its end. */
export function tar(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(recordsOf), Buffer.alloc(2 * recordSize)]);
}

/** The records of one entry: header, content, padding. */
export function recordsOf(entry: RawEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? '');
  return [header(entry, content.length), content, paddingOf(content.length)];
}

/** A compressed archive of raw entries. */
export function archive(entries: readonly RawEntry[]): Buffer {
  return gzipSync(tar(entries));
}

/** A pax extended header with these records, to stand before an entry. */
export function pax(records: Readonly<Record<string, string>>, type = 'x'): RawEntry {
  const content = Object.entries(records)
    .map(([key, value]) => paxRecord(key, value))
    .join('');
  return { name: 'PaxHeaders/entry', type, content };
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function paxRecord(key: string, value: string): string {
  const body = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(body);
  let length = bytes + String(bytes).length;
  if (bytes + String(length).length > length) length += 1;
  return `${length}${body}`;
}

function header(
  { name, type = '0', linkName = '', size, sizeField }: RawEntry,
  actual: number,
): Buffer {
  const record = Buffer.alloc(recordSize);
  record.write(name, 0, 100, 'utf8');
  record.write('0000644\0', 100);
  record.write('0000000\0', 108);
  record.write('0000000\0', 116);
  record.write(`${(size ?? actual).toString(8).padStart(11, '0')} `, 124);
  if (sizeField !== undefined) record.set(sizeField, 124);
  record.write('00000000000 ', 136);
  record.write('        ', 148);
  record.write(type, 156);
  record.write(linkName, 157, 100, 'utf8');
  record.write('ustar\x0000', 257, 'latin1');
  const sum = record.reduce((total, byte) => total + byte, 0);
  record.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return record;
}

function paddingOf(size: number): Buffer {
  return Buffer.alloc((recordSize - (size % recordSize)) % recordSize);
}
