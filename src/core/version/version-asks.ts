import type {
  Migration,
  MigrationsSourceReference,
  Stage,
  VersionSource,
} from '../../types/stages.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { PinnedArtifact } from '../pinned-artifact.ts';
import type { Instant } from '../time.ts';

/** What planning a change of the version must know and only a look outside tells. */
export type VersionAsk =
  /** The version that the spec names by an object or a file of a stage (part B 2.1). */
  | {
      readonly kind: 'Version';
      readonly version: VersionSource;
      /** The stage that it comes from, as the spec has it. */
      readonly stage?: Stage;
      /** The artifacts that the run would use, in stage order. */
      readonly pinned: readonly PinnedArtifact[];
    }
  /** The migrations in the artifact of a source (part B 2.7). */
  | { readonly kind: 'Ladder'; readonly source: MigrationsSourceReference };

export type VersionAnswer =
  | { readonly kind: 'Version'; readonly version: string; readonly at: Instant }
  | LadderFound
  /** It cannot be used: a reason of the Ready condition, and what to do. */
  | {
      readonly kind: 'Refused';
      readonly reason: string;
      readonly message: string;
      readonly at: Instant;
    }
  /** It may be readable the next time. */
  | { readonly kind: 'Unreadable'; readonly message: string; readonly at: Instant };

export interface LadderFound {
  readonly kind: 'Ladder';
  readonly migrations: readonly Migration[];
  /** Revision of the source, and digest of its artifact. */
  readonly revision: string;
  readonly digest: string;
  /** Why whoever changes the source changes what runs here; undefined for one that is pinned. */
  readonly mutable?: string;
  readonly at: Instant;
}

/** What was found out, the newest answer to each ask; bounded by who keeps it. */
export type VersionAnswers = ReadonlyMap<string, VersionAnswer>;

/** Equal for asks that want to know the same. */
export function versionAskKey(ask: VersionAsk): string {
  return canonicalJson(ask);
}
