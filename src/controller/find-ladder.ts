import type { SourceObservation } from '../core/snapshot.ts';
import { describeProblems } from '../core/validate/field-problem.ts';
import { foreignLadder, httpMigrationProblem } from '../core/validate/migrations.ts';
import {
  type LadderSourceRules,
  type LadderSourceVerdict,
  sourceVerdict,
} from '../core/version/ladder-source.ts';
import type { VersionAsk } from '../core/version/version-asks.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { StageSet } from '../types/stages.ts';
import { ownerOf } from './owner.ts';
import type { BuildSteps } from './prepare-stage.ts';
import { SourceReader } from './source-reader.ts';
import type { Tenants } from './tenants.ts';
import { type Found, refused } from './version-found.ts';

/** What the operator asks of ladders that come from sources. */
export interface LadderRules {
  /** `--require-verified-migration-sources` and `--require-pinned-migration-sources` */
  readonly migrationSources: LadderSourceRules;
  /** `--allowed-action-hosts`; without any, a ladder from a source may have no `http` actions. */
  readonly allowedActionHosts: readonly string[];
}

export interface FindLadderOptions extends LadderRules {
  readonly builder: BuildSteps;
  readonly tenants: Tenants;
}

/**
 * The ladder in the artifact of a source of the StageSet's own namespace (part B 2.7). The source is
 * read as the account of the whole StageSet, and in the local cluster, where all sources are.
 *
 * @throws what keeps the source or its artifact from being read
 */
export async function findLadder(
  { source: reference }: Extract<VersionAsk, { kind: 'Ladder' }>,
  stageSet: StageSet,
  { builder, tenants, migrationSources, allowedActionHosts }: FindLadderOptions,
  call: CallOptions,
): Promise<Found> {
  const { namespace } = ownerOf(stageSet);
  const foreign = foreignLadder({ migrationsSourceRef: reference }, namespace);
  if (foreign.length > 0) {
    return refused({ reason: 'InvalidSpec', message: describeProblems(foreign) });
  }
  const { client } = tenants.tenantOf(stageSet);
  const reader = new SourceReader({ client, crossNamespaceReferences: 'Refused' });
  const { observation, source } = await reader.read(reference.sourceRef, namespace, call);
  if (observation.kind === 'Unavailable') return unavailable(observation, source);
  const { artifact } = observation;
  const verdict = source && sourceVerdict(source, migrationSources);
  if (verdict?.kind === 'Refused') return refused(verdict);
  const parsed = await builder.ladder(
    { artifact, path: reference.path, tenant: namespace },
    call.signal,
  );
  if (parsed.kind === 'Invalid') {
    const described = source === undefined ? artifact.source : nameOf(source);
    const message = `the migrations in ${described} at ${artifact.revision} are wrong: ${parsed.message}`;
    return refused({ reason: parsed.reason, message });
  }
  const http = httpMigrationProblem(parsed.ladder, allowedActionHosts);
  if (http !== undefined) return refused(http);
  return {
    kind: 'Ladder',
    migrations: parsed.ladder,
    revision: artifact.revision,
    digest: artifact.digest,
    ...warned(verdict),
  };
}

/** Why there is no artifact. The producer, or a user, may put that right, unless it is said otherwise. */
function unavailable(
  { reason, message, retry }: Extract<SourceObservation, { kind: 'Unavailable' }>,
  source: KubernetesObject | undefined,
): Found {
  // A source whose signature is wrong is not ready, and this is what it waits for.
  const verdict = source && sourceVerdict(source, nothingRequired);
  if (verdict?.kind === 'Refused') return refused(verdict);
  const passing = ['SourceNotReady', 'ArtifactNotFound'].includes(reason) || retry === 'Backoff';
  return passing ? { kind: 'Unreadable', message } : refused({ reason, message });
}

const nothingRequired = { verified: 'Optional', pinned: 'Optional' } as const;

function warned(verdict: LadderSourceVerdict | undefined): { readonly mutable?: string } {
  if (verdict?.kind !== 'Open' || verdict.warning === undefined) return {};
  return { mutable: verdict.warning.message };
}

function nameOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
}
