import type {
  ObjectMeta,
  StageAdvance,
} from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import { groupVersion } from '../group.ts';
import type { Column, Table } from '../table.ts';

const columns: readonly Column[] = [
  { name: 'Stage', type: 'string', description: 'Name of the stage.', priority: 0 },
  { name: 'Phase', type: 'string', description: 'Where the stage is.', priority: 0 },
  { name: 'Held By', type: 'string', description: 'The gates that hold it.', priority: 0 },
  { name: 'Until', type: 'string', description: 'When time releases it.', priority: 0 },
  {
    name: 'Allowed',
    type: 'string',
    description: 'The gates that you may pass.',
    priority: 0,
  },
  { name: 'Run ID', type: 'string', description: 'What an advance has to name.', priority: 0 },
  {
    name: 'Revision',
    type: 'string',
    description: 'The revision that the run delivers.',
    priority: 1,
  },
];

/** One row a stage. */
export function advanceTable({ status }: StageAdvance, metadata: ObjectMeta): Table {
  const object = { apiVersion: groupVersion, kind: 'StageAdvance', metadata };
  const rows = (status?.stages ?? []).map(({ name, phase, revision, holds }) => {
    const allowed = holds.filter((hold) => hold.allowed === true);
    const until = holds.find((hold) => hold.until !== undefined)?.until;
    const cells = [
      name,
      phase,
      gatesOf(holds),
      until ?? none,
      gatesOf(allowed),
      status?.runId ?? none,
      revision ?? none,
    ];
    return { cells, object };
  });
  return { columns, rows };
}

const none = '<none>';

function gatesOf(holds: readonly { readonly gate: string }[]): string {
  return holds.length === 0 ? none : holds.map(({ gate }) => gate).join(',');
}
