import type { MigrationPlan } from './plan-migrations.ts';

/** The change of the version that a run makes, planned when it began. */
export interface RunVersion {
  /** As delivered last; undefined before the first delivery with a version. */
  readonly current: string | undefined;
  /** As it is written where it comes from. */
  readonly desired: string;
  readonly plan: MigrationPlan;
  /** Where the migrations come from, for those of an artifact. */
  readonly ladder?: { readonly revision: string; readonly digest: string };
  /** Why whoever changes the source of the migrations changes what runs here. */
  readonly mutable?: string;
  /** Whether the run may go on to it. */
  readonly approved: boolean;
}
