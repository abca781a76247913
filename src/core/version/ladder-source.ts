import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import { isJsonObject } from '../validate/json-object.ts';

/** What an installation asks of the sources of ladders. */
export interface LadderSourceRules {
  /** `--require-verified-migration-sources` */
  readonly verified: 'Required' | 'Optional';
  /** `--require-pinned-migration-sources` */
  readonly pinned: 'Required' | 'Optional';
}

export type LadderSourceVerdict =
  | { readonly kind: 'Open'; readonly warning?: LadderSourceWarning }
  | {
      readonly kind: 'Refused';
      readonly reason: 'MigrationSourceNotVerified' | 'MigrationSourceNotPinned';
      readonly message: string;
    };

/** An event to be told with each change of the version that is planned. */
interface LadderSourceWarning {
  readonly reason: 'MigrationSourceMutable';
  readonly message: string;
}

/**
 * Whether a ladder may be taken from a source (part B 2.7): a signature that was looked for must have
 * been found, and where the installation asks for it there must be one, and a reference that nobody can
 * move. Without that demand, a reference that moves is worth a warning: whoever may move it decides what
 * runs when the version changes.
 *
 * @param source the Flux source that was read, for a producer its ExternalArtifact
 */
export function sourceVerdict(
  source: KubernetesObject,
  rules: LadderSourceRules,
): LadderSourceVerdict {
  const { kind, metadata } = source;
  const described = `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
  const verified = sourceVerified(source);
  if (verified === 'False') {
    const message = `the signature of ${described}, which has the migrations, could not be verified; see its condition SourceVerified`;
    return { kind: 'Refused', reason: 'MigrationSourceNotVerified', message };
  }
  if (verified !== 'True' && rules.verified === 'Required') {
    const message =
      `${described}, which has the migrations, has no verified signature, and this installation asks for ` +
      'one (--require-verified-migration-sources); set spec.verify of the source';
    return { kind: 'Refused', reason: 'MigrationSourceNotVerified', message };
  }
  const pin = missingPin(source);
  if (pin === undefined) return { kind: 'Open' };
  const mutable = `${described}, which has the migrations, can be moved to other content`;
  if (rules.pinned === 'Required') {
    const message =
      `${mutable}, and this installation asks for a fixed reference ` +
      `(--require-pinned-migration-sources); ${pin}`;
    return { kind: 'Refused', reason: 'MigrationSourceNotPinned', message };
  }
  return {
    kind: 'Open',
    warning: { reason: 'MigrationSourceMutable', message: `${mutable}; ${pin}` },
  };
}

/** Undefined where nobody looked for a signature. */
function sourceVerified({ status }: KubernetesObject): string | undefined {
  const { conditions } = record(status);
  if (!Array.isArray(conditions)) return undefined;
  const condition = conditions.map(record).find(({ type }) => type === 'SourceVerified');
  const value = condition?.['status'];
  return typeof value === 'string' ? value : undefined;
}

/** What would pin a source; undefined where it is pinned, or of a kind of which nobody can tell. */
function missingPin({ kind, spec }: KubernetesObject): string | undefined {
  const { digest, commit } = record(record(spec)['ref']);
  switch (kind) {
    case 'OCIRepository':
      return isText(digest) ? undefined : 'set spec.ref.digest of the source';
    case 'GitRepository':
      return isText(commit) ? undefined : 'set spec.ref.commit of the source';
    case 'Bucket':
      return 'a Bucket cannot be fixed; use an OCIRepository or a GitRepository';
    default:
      return undefined;
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function record(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}
