/**
 * Results by key, the least recently used leaving first when there are more bytes than the bound; one
 * that is larger than the bound is not kept.
 */
export class KeptResults<Result> {
  readonly #sizeOf: (result: Result) => number;
  readonly #maxBytes: number;
  readonly #entries = new Map<string, { readonly result: Result; readonly bytes: number }>();
  #bytes = 0;

  constructor(maxBytes: number, sizeOf: (result: Result) => number) {
    this.#maxBytes = maxBytes;
    this.#sizeOf = sizeOf;
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** In a box, since a result may be anything; this counts as its use. */
  find(key: string): { readonly result: Result } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  keep(key: string, result: Result): void {
    const bytes = this.#sizeOf(result);
    if (bytes > this.#maxBytes || this.#entries.has(key)) return;
    this.#entries.set(key, { result, bytes });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#entries.delete(oldest);
      this.#bytes -= entry.bytes;
    }
  }
}
