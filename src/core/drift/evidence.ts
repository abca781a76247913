import type { KubernetesObject } from '../../types/kubernetes.ts';
import { describeObject } from '../objects/identity.ts';
import { changedFields } from './changed-fields.ts';

/** So many fields of one object are named; a reader who needs more asks `git diff`. */
const mostFields = 10;
const longestPath = 200;

/**
 * What was wrong with a corrected object, for people: `ConfigMap/team/web (deleted)`, or
 * `ConfigMap/team/web (data.colour, data.size by kubectl-edit)`, or its name alone where nobody
 * looked before it was corrected. It has names of fields and managers, and no values.
 *
 * @param before the live object before the correction: undefined was deleted, `Unread` is not known
 */
export function describeDrift(
  before: KubernetesObject | undefined | 'Unread',
  after: KubernetesObject,
  ours: string,
): string {
  const name = describeObject(after);
  if (before === 'Unread') return name;
  if (before === undefined) return `${name} (deleted)`;
  if (before.metadata.uid !== after.metadata.uid) return `${name} (replaced)`;
  const fields = changedFields(before, after, ours, mostFields + 1);
  if (fields.length === 0) return name;
  const byManager = new Map<string, string[]>();
  for (const { path, manager = '' } of fields.slice(0, mostFields)) {
    const paths = byManager.get(manager) ?? [];
    byManager.set(manager, [...paths, cut(path)]);
  }
  const parts = [...byManager].map(([manager, paths]) =>
    manager === '' ? paths.join(', ') : `${paths.join(', ')} by ${cut(manager)}`,
  );
  const more = fields.length > mostFields ? '; and more' : '';
  return `${name} (${parts.join('; ')}${more})`;
}

function cut(text: string): string {
  return text.length > longestPath ? `${text.slice(0, longestPath - 1)}…` : text;
}
