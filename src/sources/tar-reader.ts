import { badArtifact } from './failures.ts';
import { type Extension, readExtension, readHeader, recordSize, textAt } from './tar-header.ts';

/** An entry of an archive. `type` is the tar type flag: `0` a file, `5` a directory. */
export interface TarEntry {
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

/**
 * Called at each entry. The bytes that it returns, as many as the entry has, are filled with the
 * content; undefined passes over it. It may throw to refuse the archive.
 */
export type OnEntry = (entry: TarEntry) => Uint8Array | undefined;

/** Most of an extended header that is read. Paths fit; what does not is an attack. */
const maxExtension = 64 * 1024;

const zeros = Buffer.alloc(recordSize);

/** Entries without content, whatever their size field says. */
const withoutContent = new Set(['1', '2', '3', '4', '5', '6']);

/**
 * Reads a tar archive that comes in chunks. It is our own because an archive is hostile and is read
 * on the main thread: extended headers are bounded, and global ones are passed over. A general tar
 * library merges a 4 MiB global header into each entry that follows, which stops the event loop for
 * seconds per entry.
 *
 * The work for a chunk is proportional to its size.
 */
export class TarReader {
  readonly #onEntry: OnEntry;
  readonly #record = Buffer.alloc(recordSize);
  #filled = 0;
  /** Bytes of the present entry that are still to come, and the padding after them. */
  #content = 0;
  #padding = 0;
  #target: Uint8Array | undefined;
  #offset = 0;
  #extensionType: string | undefined;
  #extension: Extension = {};
  #zeroRecords = 0;

  constructor(onEntry: OnEntry) {
    this.#onEntry = onEntry;
  }

  /** @throws TerminalError when the archive is malformed; the reader is of no use then. */
  push(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      if (this.#content > 0) rest = this.#takeContent(rest);
      else if (this.#padding > 0) rest = this.#skipPadding(rest);
      else rest = this.#takeRecord(rest);
    }
  }

  /** @throws TerminalError when the archive stops in the middle of an entry. */
  end(): void {
    if (this.#content + this.#padding + this.#filled > 0 || this.#extensionType !== undefined) {
      throw badArtifact('is cut off in the middle of an entry');
    }
  }

  #takeContent(chunk: Buffer): Buffer {
    const taken = chunk.subarray(0, this.#content);
    this.#target?.set(taken, this.#offset);
    this.#offset += taken.length;
    this.#content -= taken.length;
    if (this.#content === 0 && this.#extensionType !== undefined) this.#finishExtension();
    return chunk.subarray(taken.length);
  }

  #skipPadding(chunk: Buffer): Buffer {
    const skipped = Math.min(chunk.length, this.#padding);
    this.#padding -= skipped;
    return chunk.subarray(skipped);
  }

  #takeRecord(chunk: Buffer): Buffer {
    if (this.#filled === 0 && chunk.length >= recordSize) {
      this.#readRecord(chunk.subarray(0, recordSize));
      return chunk.subarray(recordSize);
    }
    const taken = chunk.subarray(0, recordSize - this.#filled);
    this.#record.set(taken, this.#filled);
    this.#filled += taken.length;
    if (this.#filled === recordSize) {
      this.#filled = 0;
      this.#readRecord(this.#record);
    }
    return chunk.subarray(taken.length);
  }

  #readRecord(record: Buffer): void {
    if (record.equals(zeros)) {
      this.#zeroRecords += 1;
      return;
    }
    // Two records of zeros end an archive; tools differ on whether they read on.
    if (this.#zeroRecords > 0) throw badArtifact('goes on after the end of its tar archive');
    const header = readHeader(record);
    if (['x', 'g', 'L', 'K'].includes(header.type)) {
      if (header.size > maxExtension) {
        throw badArtifact(`has a tar extended header of more than ${maxExtension} bytes`);
      }
      this.#extensionType = header.type;
      this.#expect(header.size, Buffer.alloc(header.size));
      if (header.size === 0) this.#finishExtension();
      return;
    }
    const { path: name = header.name, size = header.size } = this.#extension;
    this.#extension = {};
    const contained = withoutContent.has(header.type) ? 0 : size;
    this.#expect(contained, this.#onEntry({ name, type: header.type, size: contained }));
  }

  #expect(size: number, target: Uint8Array | undefined): void {
    this.#content = size;
    this.#padding = (recordSize - (size % recordSize)) % recordSize;
    this.#target = target;
    this.#offset = 0;
  }

  #finishExtension(): void {
    const type = this.#extensionType;
    const body = Buffer.from(this.#target ?? []);
    this.#extensionType = undefined;
    // Global headers (g) say nothing that concerns us, nor do the targets of links (K).
    if (type === 'x') this.#extension = { ...this.#extension, ...readExtension(body) };
    if (type === 'L') this.#extension = { path: textAt(body, 0, body.length), ...this.#extension };
  }
}
