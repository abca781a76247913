import type { Limits } from './limits.ts';

/** Parts that are joined at a time: millions of tiny ones would cost more than their text. */
const partsPerChunk = 8192;

/** A text that is put together from parts, within limits. */
export class OutputText {
  readonly #limits: Limits;
  readonly #chunks: string[] = [];
  #parts: string[] = [];

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  append(part: string): void {
    if (part === '') return;
    this.#limits.produce(part.length);
    this.#parts.push(part);
    if (this.#parts.length < partsPerChunk) return;
    this.#chunks.push(this.#parts.join(''));
    this.#parts = [];
  }

  toString(): string {
    return [...this.#chunks, ...this.#parts].join('');
  }
}
