import { parseArgs } from 'node:util';

/** How much one benchmark run rolls out. */
export interface Size {
  readonly stageSets: number;
  readonly stages: number;
  readonly objects: number;
}

/** What a benchmark of the steady state watches. */
export interface Steadiness extends Size {
  /** Seconds between two reconciles of one StageSet. */
  readonly interval: number;
  /** Seconds in which the rollout is put behind, before anything is watched. */
  readonly settle: number;
  /** Seconds that are watched. */
  readonly window: number;
}

/** Reads `--stagesets N --objects M --interval S --settle S --window S`; one stage each. */
export function readSteadiness(argv: readonly string[]): Steadiness {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      stagesets: { type: 'string', default: '200' },
      objects: { type: 'string', default: '20' },
      interval: { type: 'string', default: '10' },
      settle: { type: 'string', default: '5' },
      window: { type: 'string', default: '30' },
    },
  });
  return {
    stageSets: count('--stagesets', values.stagesets),
    stages: 1,
    objects: count('--objects', values.objects),
    interval: count('--interval', values.interval),
    settle: count('--settle', values.settle),
    window: count('--window', values.window),
  };
}

/** What a benchmark of waiting actions rolls out: one stage each, that waits first. */
export interface Waiting extends Size {
  /** Seconds. */
  readonly wait: number;
}

/** Reads `--stagesets N --wait S`: 1,000 and 60 where nothing is said. */
export function readWaiting(argv: readonly string[]): Waiting {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      stagesets: { type: 'string', default: '1000' },
      wait: { type: 'string', default: '60' },
    },
  });
  const stageSets = count('--stagesets', values.stagesets);
  return { stageSets, stages: 1, objects: 1, wait: count('--wait', values.wait) };
}

/** What a benchmark of gates holds. */
export interface Holding {
  readonly stageSets: number;
  /** Seconds before anything is released. */
  readonly lead: number;
  /** Seconds within which everything is. */
  readonly spread: number;
}

/** Reads `--stagesets N --lead S --spread S`: 500, 90 and 60 where nothing is said. */
export function readHolding(argv: readonly string[]): Holding {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      stagesets: { type: 'string', default: '500' },
      lead: { type: 'string', default: '90' },
      spread: { type: 'string', default: '60' },
    },
  });
  return {
    stageSets: count('--stagesets', values.stagesets),
    lead: count('--lead', values.lead),
    spread: count('--spread', values.spread),
  };
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
