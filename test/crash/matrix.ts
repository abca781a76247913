/** One point at which something was broken on purpose, and what came of it. */
export interface MatrixRow {
  /** Number of the write, from 1. */
  readonly point: number;
  readonly write: string;
  readonly problem: Error | undefined;
  readonly milliseconds: number;
}

/** The points that were tried and those that were survived, as a table for people. */
export class Matrix {
  readonly #title: string;
  readonly #rows: MatrixRow[] = [];

  constructor(title: string) {
    this.#title = title;
  }

  get size(): number {
    return this.#rows.length;
  }

  add(row: MatrixRow): void {
    this.#rows.push(row);
  }

  failures(): string[] {
    return this.#rows.flatMap(({ point, write, problem }) =>
      problem === undefined ? [] : [`${point} ${write}: ${problem.message}`],
    );
  }

  print(): void {
    const width = Math.max(0, ...this.#rows.map(({ write }) => write.length));
    const lines = this.#rows.map(({ point, write, problem, milliseconds }) => {
      const result = problem === undefined ? 'survived' : 'FAILED  ';
      const time = `${Math.round(milliseconds)} ms`.padStart(9);
      return `      ${String(point).padStart(3)}  ${write.padEnd(width)}  ${result} ${time}`;
    });
    const survived = this.#rows.length - this.failures().length;
    const seconds = this.#rows.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
    const total = `points tried: ${this.#rows.length}, points survived: ${survived}`;
    process.stdout.write(
      `    ${this.#title}\n${lines.join('\n')}\n      ${total}, ${seconds.toFixed(1)} s\n`,
    );
  }
}
