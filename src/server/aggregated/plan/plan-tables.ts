import { planPage } from '../../../core/plan/text.ts';
import type {
  Hold,
  StagePlan,
  StagePlanStatus,
} from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../../types/kubernetes.ts';
import type { Cell, Column, Table } from '../table.ts';

const column = (
  name: string,
  type: Column['type'],
  description: string,
  priority: Column['priority'] = 0,
): Column => ({ name, type, description, priority });

const stageColumns: readonly Column[] = [
  { ...column('Stage', 'string', 'Name of the stage.'), format: 'name' },
  column('Verdict', 'string', 'What the next run comes to in the stage.'),
  column('Create', 'integer', 'Objects that would be created.'),
  column('Update', 'integer', 'Objects that would be changed, moved or recreated.'),
  column('Prune', 'integer', 'Objects that would be deleted.'),
  column('Unchanged', 'integer', 'Objects that are as wanted.'),
  column('Held By', 'string', 'The gates that hold the stage.'),
  column('Until', 'string', 'When time releases it.'),
  column('Revision', 'string', 'The revision that would be applied.', 1),
  column('Identity', 'string', 'Who applies the stage.', 1),
];

/** One row for each stage. */
export function planTable(plan: StagePlan & KubernetesObject): Table {
  const { status } = plan;
  const whole = (status?.holds ?? []).filter(({ stage }) => stage === undefined);
  return {
    columns: stageColumns,
    rows: (status?.stages ?? []).map((stage) => {
      const holds = [...whole, ...(stage.holds ?? [])];
      const { create, update, recreate, prune, unchanged } = stage.objects;
      return {
        cells: [
          stage.name,
          stage.verdict,
          create,
          update + recreate,
          prune,
          unchanged,
          gatesOf(holds),
          untilOf(holds),
          stage.revision ?? null,
          stage.identity ?? null,
        ],
        object: plan,
      };
    }),
  };
}

const listColumns: readonly Column[] = [
  { ...column('Name', 'string', 'Name of the StageSet.'), format: 'name' },
  column('Verdict', 'string', 'What the next run comes to.'),
  column('Stages', 'integer', 'Stages in which something would change.'),
  column('Changes', 'integer', 'Objects that would change.'),
  column('Held By', 'string', 'The gates that hold the run.'),
  column('Until', 'string', 'When time releases it.'),
  column('Age', 'string', 'Age of the StageSet.'),
];

/** One row for each StageSet. `ageOf` is how kubectl writes the time since then. */
export function planListTable(
  plans: readonly (StagePlan & KubernetesObject)[],
  metadata: Readonly<Record<string, unknown>>,
  ageOf: (creationTimestamp: string | undefined) => string,
): Table {
  return {
    columns: listColumns,
    metadata,
    rows: plans.map((plan) => ({
      cells: listCells(plan, ageOf(plan.metadata.creationTimestamp ?? undefined)),
      object: plan,
    })),
  };
}

function listCells({ metadata, status }: StagePlan & KubernetesObject, age: string): Cell[] {
  const stages = status?.stages ?? [];
  const changes = stages.map(({ objects }) => {
    const { create, update, recreate, prune, conflict } = objects;
    return create + update + recreate + prune + conflict;
  });
  return [
    metadata.name,
    status?.verdict ?? null,
    changes.filter((count) => count > 0).length,
    changes.reduce((sum, count) => sum + count, 0),
    gatesOf(status?.holds ?? []),
    untilOf(status?.holds ?? []),
    age,
  ];
}

function gatesOf(holds: readonly Hold[]): Cell {
  return holds.length === 0 ? null : [...new Set(holds.map(({ gate }) => gate))].join(',');
}

function untilOf(holds: readonly Hold[]): Cell {
  return holds.find(({ until }) => until !== undefined)?.until ?? null;
}

/** The page for `output=text`. */
export function planText({ metadata }: KubernetesObject, status: StagePlanStatus): string {
  return planPage({ namespace: metadata.namespace ?? '', name: metadata.name }, status);
}
