import { RetryableError } from '../core/errors.ts';

const NEWLINE = 0x0a;

/**
 * Splits a byte stream into lines. Each byte is looked at once: pieces of a long line are kept apart
 * and joined when its end comes, since a 1 MiB object arrives in many chunks.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The lines that this chunk completes, without their newline; empty lines are left out.
   * @throws RetryableError when a line is longer than the bound.
   */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      if (end < 0) break;
      this.#keep(chunk.subarray(start, end));
      if (this.#size > 0) lines.push(this.#join());
      start = end + 1;
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start));
    return lines;
  }

  /** Bytes of the line that is not complete yet. */
  get pending(): number {
    return this.#size;
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#size += piece.length;
    if (this.#size > this.#maxBytes) {
      throw new RetryableError(
        `A watch event is longer than ${this.#maxBytes} bytes: the stream is not from an API server, or broken`,
        { reason: 'ResponseTooLarge' },
      );
    }
    this.#pieces.push(piece);
  }

  #join(): string {
    const [only] = this.#pieces;
    const whole =
      this.#pieces.length === 1 && only !== undefined
        ? only
        : Buffer.concat(this.#pieces, this.#size);
    this.#pieces = [];
    this.#size = 0;
    return whole.toString('utf8');
  }
}
