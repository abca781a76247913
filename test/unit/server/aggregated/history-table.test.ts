import { expect } from 'chai';
import {
  filterOf,
  refuseWatch,
  runLimits,
  wantsText,
} from '../../../../src/server/aggregated/history/query.ts';
import { historyTable, newestRunsTable } from '../../../../src/server/aggregated/history/table.ts';
import { limitOf } from '../../../../src/server/aggregated/limit.ts';
import { StatusError } from '../../../../src/server/aggregated/status-error.ts';
import { runOf } from '../../core/history/runs.ts';
import { noon } from '../../core/snapshot-builder.ts';

const run = runOf(
  2,
  { dev: 'v2' },
  {
    phase: 'Superseded',
    startedAt: '2026-01-01T11:00:00Z',
    finishedAt: '2026-01-01T11:01:00Z',
    stages: [{ name: 'dev', phase: 'Ready', objects: { updated: 1 } }],
    advances: [
      { at: '2026-01-01T11:00:30Z', stage: 'dev', gate: 'Soak', via: 'API', user: 'jane' },
      { at: '2026-01-01T11:00:31Z', stage: 'dev', gate: 'Analysis', via: 'API', user: 'joe' },
      { at: '2026-01-01T11:00:32Z', stage: 'dev', gate: 'EventGate', via: 'API', user: 'jane' },
    ],
  },
);

describe('the table of a history', () => {
  it('has the columns of the contract, and a row for each run', () => {
    const { columns, rows } = historyTable([run, runOf(1, { dev: 'v1' }, {})], noon, {});
    expect(columns.map(({ name }) => name.toUpperCase())).to.deep.equal([
      'RUN',
      'TRIGGER',
      'REVISION',
      'VERSION',
      'STARTED',
      'DURATION',
      'OUTCOME',
      'ADVANCED BY',
    ]);
    expect(rows.map(({ cells }) => cells.join(' '))).to.deep.equal([
      'shop-2 SourceChanged v2 <none> 60m 60s Superseded jane,joe',
      'shop-1 SourceChanged <none> <none> <none> <none> <none> <none>',
    ]);
    expect(rows[0]?.object).to.equal(run);
  });

  it('has the newest run of each StageSet behind its name', () => {
    const object = { apiVersion: 'v1', kind: 'StageHistory', metadata: { name: 'shop' } };
    const entries = [
      { object, run },
      { object, run: undefined },
    ];
    const { columns, rows } = newestRunsTable(entries, noon, {});
    expect(columns[0]).to.deep.include({ name: 'Name', format: 'name' });
    expect(rows.map(({ cells }) => cells.slice(0, 3))).to.deep.equal([
      ['shop', 'shop-2', 'SourceChanged'],
      ['shop', '<none>', '<none>'],
    ]);
    expect(rows.map(({ cells }) => cells.length)).to.deep.equal([columns.length, columns.length]);
  });
});

describe('the query of a history', () => {
  const limits: Record<string, number> = { '': 20, '0': 20, '1': 1, '200': 200, '99999': 200 };
  for (const [text, limit] of Object.entries(limits)) {
    it(`takes limit=${text} for ${limit}`, () => {
      expect(limitOf(new URLSearchParams({ limit: text }), runLimits)).to.equal(limit);
    });
  }

  const refusals: Record<string, [string, number]> = {
    'limit=-1': ['limit must be', 400],
    'limit=many': ['limit must be', 400],
    'outcome=Fine': ['outcome must be one of Running, Held', 400],
    'since=3d': ['since must be', 400],
    'output=yaml': ['output must be text', 400],
    'watch=true': ['watch stageruns', 405],
  };
  for (const [text, [message, code]] of Object.entries(refusals)) {
    it(`refuses ${text} with ${code}`, () => {
      const query = new URLSearchParams(text);
      const read = (): void => {
        refuseWatch(query);
        limitOf(query, runLimits);
        filterOf(query, noon);
        wantsText(query);
      };
      expect(read).to.throw(StatusError, message).with.property('code', code);
    });
  }
});
