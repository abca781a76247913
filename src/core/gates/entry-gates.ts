import { runBudget, stageBudget } from './budgets.ts';
import type { EntryGate } from './entry-gate.ts';
import { updateWindow } from './update-window.ts';
import { versionChange } from './version-change.ts';

/** The gates before a stage, in the order of part B: an earlier one that holds leaves later ones unasked. */
export const entryGates: readonly EntryGate[] = [
  updateWindow,
  runBudget,
  versionChange,
  stageBudget,
];
