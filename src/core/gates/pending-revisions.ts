import type { RunProgress } from '../run.ts';

/** The revisions that a run would deliver, by the `namespace/name` of their source (part B 1.5). */
export function pendingRevisions({ pinned }: RunProgress): Record<string, string> {
  return Object.fromEntries(pinned.map(({ source, revision }) => [source, revision]));
}
