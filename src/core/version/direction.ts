import type { MigrationPlan } from './plan-migrations.ts';
import { compareVersions, parseVersion } from './semver.ts';

export type VersionDirection = 'None' | 'Up' | 'Down';

/** The way that planned migrations take. */
export function directionOf(plan: MigrationPlan | undefined): VersionDirection {
  return plan?.kind === 'Planned' ? plan.direction : 'None';
}

/** The way from one version to another; `None` where one of them is none. */
export function directionBetween(from: string, to: string): VersionDirection {
  const [current, desired] = [parseVersion(from), parseVersion(to)];
  if (current === undefined || desired === undefined) return 'None';
  const order = compareVersions(desired, current);
  return order === 0 ? 'None' : order > 0 ? 'Up' : 'Down';
}
