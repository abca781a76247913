import { parseArgs } from 'node:util';

/** How much one benchmark run rolls out. */
export interface Size {
  readonly stageSets: number;
  readonly stages: number;
  readonly objects: number;
}

/** Reads `--stagesets N --stages S --objects M`; 50 x 2 x 5 where nothing is said. */
export function readSize(argv: readonly string[]): Size {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      stagesets: { type: 'string', default: '50' },
      stages: { type: 'string', default: '2' },
      objects: { type: 'string', default: '5' },
    },
  });
  return {
    stageSets: count('--stagesets', values.stagesets),
    stages: count('--stages', values.stages),
    objects: count('--objects', values.objects),
  };
}

function count(flag: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new Error(`${flag} takes a whole number from 1, not ${text}`);
  return Number(text);
}
