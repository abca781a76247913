/** One point at which something was broken on purpose, and what came of it. */
export interface MatrixRow {
  /** Number of the write, from 1, or a name for it. */
  readonly point: number | string;
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

  /** Each write at which something was broken. */
  writes(): string[] {
    return this.#rows.map(({ write }) => write);
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
      return `      ${String(point).padStart(7)}  ${write.padEnd(width)}  ${result} ${time}`;
    });
    const survived = this.#rows.length - this.failures().length;
    const seconds = this.#rows.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1000;
    const total = `points tried: ${this.#rows.length}, points survived: ${survived}`;
    process.stdout.write(
      `    ${this.#title}\n${lines.join('\n')}\n      ${total}, ${seconds.toFixed(1)} s\n`,
    );
  }
}

/** What a piece of work throws, instead of throwing it. */
export async function problemOf(work: Promise<void>): Promise<Error | undefined> {
  return await work.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
}
