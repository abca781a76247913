import type { Migration } from '../../types/stages.ts';
import type { AnchoringStage } from './ladder.ts';
import type { MigrationLedger } from './migration-ledger.ts';

/** What decides which migrations a change of the version needs. */
export interface MigrationQuestion {
  /** `status.version`; undefined or empty before the first delivery that has a version. */
  readonly current: string | undefined;
  readonly desired: string;
  readonly ladder: readonly Migration[];
  readonly stages: readonly AnchoringStage[];
  readonly ledger: MigrationLedger;
  /** `status.pendingMigrations`: where a migration led to that is no longer in the ladder. */
  readonly pending?: readonly Pick<Migration, 'name' | 'to'>[] | undefined;
  /** `spec.version.allowDowngrade` */
  readonly allowDowngrade?: boolean | undefined;
  /** `spec.version.requireMigrationCoverage` */
  readonly requireCoverage?: boolean | undefined;
}
