import type { RunProgress } from '../core/run.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { InventoryEntry, StageSet } from '../types/stages.ts';
import type { InventoryStore } from './inventory-store.ts';
import type { StageSetMemory } from './memory.ts';
import { prune } from './prune-effect.ts';
import { rememberPruned } from './recorded-changes.ts';
import type { Reporter } from './reporter.ts';
import type { StageEffects } from './stage-effects.ts';
import type { Targets } from './targets.ts';
import type { Tenant } from './tenants.ts';

interface PruneRunOptions {
  readonly stages: StageEffects;
  readonly targets: Targets;
  readonly inventories: InventoryStore;
  readonly reporter: Reporter;
}

/** Prunes what a finished run no longer wants, and tells of it. Throws as `prune` does. */
export async function pruneRun(
  {
    stageSet,
    memory,
    run,
  }: { readonly stageSet: StageSet; readonly memory: StageSetMemory; readonly run: RunProgress },
  options: PruneRunOptions,
  call: CallOptions,
): Promise<void> {
  const { stages, reporter } = options;
  const pinned = { ...stageSet, spec: run.spec };
  const stored = await stages.storedInventories(pinned, memory, call);
  // Part A 5.9: a record that is lost or was rebuilt a moment ago is no ground for a deletion.
  if (run.spec.stages.some(({ name }) => memory.lost.has(name))) {
    memory.reassert = true;
    return;
  }
  if (memory.rebuilt.size > 0) return;
  const onDeletion = (tenant: Tenant, entry: InventoryEntry): void =>
    stages.forgetApplied(pinned, tenant, entry);
  const input = { stageSet: pinned, stored, desired: memory.desired, onDeletion };
  const pruned = await prune(input, options, call);
  reporter.pruned(stageSet, pruned.length);
  rememberPruned(memory, pruned);
}
