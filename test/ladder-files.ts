import type { Migration } from '../src/types/stages.ts';

export const fluxGroup = 'source.toolkit.fluxcd.io';

/** Lets an account read sources. */
export const sourceRules = [{ apiGroups: [fluxGroup], resources: ['*'], verbs: ['get', 'list'] }];

/** A migration with one step, which waits. */
export function migration(name: string, to: string, rest: Partial<Migration> = {}): Migration {
  return { name, to, actions: [{ name: 'pause', wait: { duration: '1s' } }], ...rest };
}

/** The files of an artifact with these migrations as one list. */
export function ladderFile(...migrations: readonly unknown[]): Record<string, string> {
  return { 'ladder.yaml': JSON.stringify(migrations) };
}
