import { runSummary } from '../../../core/history/run-summary.ts';
import type { Instant } from '../../../core/time.ts';
import type { KubernetesObject } from '../../../types/kubernetes.ts';
import type { StageRun } from '../../../types/stages.ts';
import type { Cell, Column, Row, Table } from '../table.ts';

const runColumns: readonly Column[] = [
  { name: 'Run', type: 'string', description: 'Name of the StageRun.', priority: 0 },
  { name: 'Trigger', type: 'string', description: 'Why the run began.', priority: 0 },
  {
    name: 'Revision',
    type: 'string',
    description: 'Revision of the first stage in which something changed.',
    priority: 0,
  },
  { name: 'Version', type: 'string', description: 'The version that it delivers.', priority: 0 },
  { name: 'Started', type: 'string', description: 'Time since the run began.', priority: 0 },
  { name: 'Duration', type: 'string', description: 'How long it took so far.', priority: 0 },
  {
    name: 'Outcome',
    type: 'string',
    description: 'Where the run is, or how it ended.',
    priority: 0,
  },
  { name: 'Advanced By', type: 'string', description: 'Who passed its gates.', priority: 0 },
];

const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the StageSet.',
  priority: 0,
};

/** One row a run. */
export function historyTable(
  runs: readonly StageRun[],
  now: Instant,
  metadata: Record<string, unknown>,
): Table {
  const rows = runs.map((run): Row => ({ cells: cellsOf(run, now), object: run }));
  return { columns: runColumns, rows, metadata };
}

/** One row a StageSet, with its newest run if there is one. */
export function newestRunsTable(
  entries: readonly { readonly object: KubernetesObject; readonly run: StageRun | undefined }[],
  now: Instant,
  metadata: Record<string, unknown>,
): Table {
  const rows = entries.map(({ object, run }): Row => {
    const cells = run === undefined ? runColumns.map(() => none) : cellsOf(run, now);
    return { cells: [object.metadata.name, ...cells], object };
  });
  return { columns: [nameColumn, ...runColumns], rows, metadata };
}

const none = '<none>';

function cellsOf(run: StageRun, now: Instant): Cell[] {
  const summary = runSummary(run, now);
  const advancedBy = summary.advancedBy.join(',');
  return [
    summary.run,
    summary.trigger ?? none,
    summary.revision ?? none,
    summary.version ?? none,
    summary.age ?? none,
    summary.duration ?? none,
    summary.outcome ?? none,
    advancedBy === '' ? none : advancedBy,
  ];
}
