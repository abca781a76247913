import type { AppliedObject } from '../apply/applied-object.ts';
import { parseEntry } from '../core/inventory/entry.ts';
import { referenceTo } from '../core/objects/identity.ts';
import type { RecordedChange } from '../types/stages.ts';
import type { StageSetMemory } from './memory.ts';
import type { Pruned } from './prune-effect.ts';
import type { StageAt } from './stage-at.ts';

/** A record lists no more of a stage (plan-advance-history.md); its counts stay true. */
const mostRemembered = 200;

const verbs = { Created: 'Created', Configured: 'Updated', Recreated: 'Recreated' } as const;

/** Keeps what an apply changed for the record of the run; of a re-assertion it was drift. */
export function rememberApplied(
  { memory, run, stage }: StageAt,
  applied: readonly AppliedObject[],
): void {
  const made = applied.flatMap(({ live, outcome }) =>
    outcome === 'Unchanged' || outcome === 'Skipped'
      ? []
      : [{ verb: verbs[outcome], ...referenceTo(live) }],
  );
  if (run.purpose === 'Reassert') memory.uncounted += made.length;
  else remember(memory, stage.name, made);
}

/** Keeps what was pruned for the record of the run. */
export function rememberPruned(memory: StageSetMemory, pruned: readonly Pruned[]): void {
  for (const { stage, entry } of pruned) {
    const object = parseEntry(entry);
    if (object !== undefined) remember(memory, stage, [{ verb: 'Pruned', ...object }]);
  }
}

function remember(
  { changes }: StageSetMemory,
  stage: string,
  made: readonly RecordedChange[],
): void {
  const { listed, pruned } = changes.get(stage) ?? { listed: [], pruned: 0 };
  changes.set(stage, {
    listed: [...listed, ...made].slice(0, mostRemembered),
    pruned: pruned + made.filter(({ verb }) => verb === 'Pruned').length,
  });
}
