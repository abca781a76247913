import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  type HistoryFilter,
  isAskedFor,
  pageOf,
} from '../../../../src/core/history/history-query.ts';
import { historyText } from '../../../../src/core/history/history-text.ts';
import { runSummary } from '../../../../src/core/history/run-summary.ts';
import { sinceOf } from '../../../../src/core/history/since.ts';
import { toRfc3339 } from '../../../../src/core/time.ts';
import type { StageRun } from '../../../../src/types/stages.ts';
import { noon } from '../snapshot-builder.ts';
import { runOf } from './runs.ts';

const begun = { startedAt: '2026-01-01T11:00:00Z' };

const held: StageRun = runOf(
  12,
  { dev: 'main@sha1:0123', prod: 'main@sha1:4567' },
  {
    ...begun,
    phase: 'Held',
    message: 'Stage prod is healthy and waits for promotion by hand:\n  kubectl ...',
    stages: [
      {
        name: 'dev',
        phase: 'Ready',
        objects: { created: 0, updated: 0, recreated: 0, pruned: 0, unchanged: 4 },
        gates: [
          {
            gate: 'Soak',
            heldFrom: '2026-01-01T11:01:00Z',
            heldUntil: '2026-01-01T11:02:00Z',
            releasedBy: 'Person',
          },
        ],
      },
      {
        name: 'prod',
        phase: 'Held',
        objects: { created: 1, updated: 2, recreated: 0, pruned: 3, unchanged: 0 },
        gates: [{ gate: 'ManualPromotion', heldFrom: '2026-01-01T11:05:00Z' }],
      },
    ],
    advances: [
      {
        at: '2026-01-01T11:02:00Z',
        user: 'jane',
        stage: 'dev',
        gate: 'Soak',
        override: true,
        reason: 'hotfix \u001b[31mfor\u202e\nall',
        via: 'API',
      },
      { at: '2026-01-01T11:03:00Z', stage: 'dev', gate: 'ManualPromotion', via: 'Annotation' },
    ],
  },
);

const first: StageRun = runOf(
  9,
  { dev: 'main@sha1:0001' },
  {
    ...begun,
    startedAt: '2025-12-30T11:00:00Z',
    finishedAt: '2025-12-30T11:03:20Z',
    phase: 'Succeeded',
    message: 'Applied and verified 1 stage(s)',
    stages: [{ name: 'dev', phase: 'Ready', objects: { created: 7, unchanged: 0 } }],
  },
);
const versioned: StageRun = {
  ...first,
  ...(first.spec === undefined
    ? {}
    : { spec: { ...first.spec, version: { from: '1.4.0', to: '1.5.0', direction: 'Up' } } }),
};

describe('since', () => {
  const cases: Record<string, string | undefined> = {
    '2026-01-01T10:00:00Z': '2026-01-01T10:00:00Z',
    '2026-01-01T10:00:00.5+02:00': '2026-01-01T08:00:00Z',
    '24h': '2025-12-31T12:00:00Z',
    '1h30m': '2026-01-01T10:30:00Z',
    '90s': '2026-01-01T11:58:30Z',
    '0s': undefined,
    '-5m': undefined,
    '3d': undefined,
    '2026-01-01': undefined,
    '2026-02-30T10:00:00Z': undefined,
    yesterday: undefined,
    '5': undefined,
  };
  for (const [text, meaning] of Object.entries(cases)) {
    it(`takes ${text} for ${meaning ?? 'nothing'}`, () => {
      const since = sinceOf(text, noon);
      expect(since === undefined ? undefined : toRfc3339(since)).to.equal(meaning);
    });
  }
});

describe('a run on one line', () => {
  it('says what is going on', () => {
    expect(runSummary(held, noon)).to.deep.equal({
      run: 'shop-12',
      trigger: 'SourceChanged',
      revision: 'main@sha1:4567',
      version: undefined,
      startedAt: '2026-01-01T11:00:00Z',
      age: '60m',
      duration: '60m',
      outcome: 'Held',
      advancedBy: ['jane', '(unknown)'],
    });
  });

  it('says what came of it', () => {
    expect(runSummary(versioned, noon)).to.deep.equal({
      run: 'shop-9',
      trigger: 'SourceChanged',
      revision: 'main@sha1:0001',
      version: '1.4.0 -> 1.5.0',
      startedAt: '2025-12-30T11:00:00Z',
      age: '2d1h',
      duration: '3m20s',
      outcome: 'Succeeded',
      advancedBy: [],
    });
  });

  it('says little of a run that has only just been recorded', () => {
    expect(runSummary(runOf(1, { dev: 'v1' }, {}), noon)).to.deep.include({
      run: 'shop-1',
      revision: undefined,
      startedAt: undefined,
      duration: undefined,
      outcome: undefined,
    });
  });
});

describe('a history', () => {
  const everything: HistoryFilter = {
    outcome: undefined,
    stage: undefined,
    since: undefined,
    run: undefined,
  };
  const asked: Record<string, [Partial<HistoryFilter>, readonly string[]]> = {
    'has everything unless it is asked': [{}, ['shop-12', 'shop-9']],
    'has the runs with an outcome': [{ outcome: 'Succeeded' }, ['shop-9']],
    'has the runs that changed something in a stage': [{ stage: 'prod' }, ['shop-12']],
    'does not have a run that left the stage as it was': [{ stage: 'dev' }, ['shop-9']],
    'has nothing of a stage that there is not': [{ stage: 'test' }, []],
    'has the runs since': [{ since: sinceOf('24h', noon) }, ['shop-12']],
    'has one run': [{ run: 'shop-9' }, ['shop-9']],
    'has what all filters agree upon': [{ run: 'shop-9', outcome: 'Held' }, []],
  };
  for (const [name, [filter, runs]] of Object.entries(asked)) {
    it(name, () => {
      const found = [held, first].filter((run) => isAskedFor(run, { ...everything, ...filter }));
      expect(found.map(({ metadata }) => metadata.name)).to.deep.equal(runs);
    });
  }

  const many = Array.from({ length: 7 }, (_, index) => runOf(7 - index, { dev: 'v1' }, {}));

  it('is paged by the number of the last run that was shown', () => {
    const sequences = (limit: number, before?: number): (number | undefined)[] => {
      const { runs, remaining } = pageOf(many, limit, before);
      return [...runs.map(({ spec }) => spec?.sequence), -remaining];
    };
    expect(sequences(3)).to.deep.equal([7, 6, 5, -4]);
    expect(sequences(3, 5)).to.deep.equal([4, 3, 2, -1]);
    expect(sequences(3, 2)).to.deep.equal([1, -0]);
    expect(sequences(3, 1)).to.deep.equal([-0]);
  });

  it('has fewer runs on a page where they are large, but never none', () => {
    const large = many.map((run) => ({ ...run, status: { message: 'x'.repeat(5_000_000) } }));
    expect(pageOf(large, 3, undefined).runs).to.have.length(1);
    expect(pageOf(large, 3, undefined).remaining).to.equal(6);
  });

  it('is a page for people', async () => {
    const golden = fileURLToPath(new URL('golden/history.txt', import.meta.url));
    const text = historyText(
      { namespace: 'team', name: 'shop', remaining: 8 },
      [held, versioned],
      noon,
    );
    expect(text).to.equal(await readFile(golden, 'utf8'));
  });

  it('says that there is no run', () => {
    const text = historyText({ namespace: 'team', name: 'shop', remaining: 0 }, [], noon);
    expect(text).to.equal('History of StageSet team/shop, the newest run first\n\nNo run.\n');
  });
});
