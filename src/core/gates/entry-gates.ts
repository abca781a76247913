import type { EntryGate } from './entry-gate.ts';

/** The gates before a stage, in the order of part B: an earlier one that holds leaves later ones unasked. */
export const entryGates: readonly EntryGate[] = [];
