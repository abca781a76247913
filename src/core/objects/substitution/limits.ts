import { ExpressionError } from './expression-error.ts';

/** Most characters that one text may grow by, counting what nested expressions make as well. */
const maxGrowth = 64 * 1024 * 1024;

/** Characters to look at that every text is allowed, a few milliseconds' worth. */
const freeSteps = 10_000_000;

/** More of them for each character of a text, so that long texts of ordinary expressions pass. */
const stepsPerCharacter = 100;

/** Keeps a short hostile text from becoming a long one, or from taking long. */
export class Limits {
  #growth: number;
  #steps: number;

  constructor(text: string) {
    this.#growth = text.length + maxGrowth;
    this.#steps = freeSteps + text.length * stepsPerCharacter;
  }

  /** @throws ExpressionError when so many characters more are too many. */
  produce(characters: number): void {
    this.#growth -= characters;
    if (this.#growth >= 0) return;
    throw new ExpressionError('makes the text more than 64 MiB longer; substitute less');
  }

  /** @throws ExpressionError when looking at so many characters more takes too long. */
  spend(characters: number): void {
    this.#steps -= characters;
    if (this.#steps >= 0) return;
    throw new ExpressionError(
      'takes too long together with the expressions before it; use shorter values and patterns',
    );
  }
}
