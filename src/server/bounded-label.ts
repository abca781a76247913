/**
 * Keeps the number of values of a label within a bound: the first ones are kept, later ones share
 * `other`. For labels that a tenant can influence, since each value is a series for good.
 */
export class BoundedLabel {
  readonly #known = new Set<string>();
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  valueOf(text: string): string {
    if (this.#known.has(text)) return text;
    if (this.#known.size === this.#most) return 'other';
    this.#known.add(text);
    return text;
  }
}
