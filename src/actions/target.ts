import { TerminalError } from '../core/errors.ts';
import { apiVersionOf, groupOf } from '../core/objects/identity.ts';
import { isNoKindMatch } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';

/** The kind that an action names, with the API version where it names one. */
export interface NamedKind {
  readonly apiVersion?: string;
  readonly kind: string;
}

/**
 * The API version of the kind that an action means: the one that it names, or the preferred one of
 * the core group where that has such a kind, else of the only group that has one.
 *
 * @throws TerminalError when several groups have it; ApiError with `isNoKindMatch` when none has.
 */
export async function apiVersionFor(
  { apiVersion = '', kind }: NamedKind,
  { discovery }: Pick<KubernetesClient, 'discovery'>,
  call: CallOptions,
): Promise<string> {
  if (apiVersion !== '') return apiVersion;
  try {
    return await discovery.preferredVersion(kind, '', call);
  } catch (error) {
    if (!isNoKindMatch(error)) throw error;
    const served = await discovery.all(call);
    const groups = new Set(
      served
        .filter((mapping) => mapping.kind === kind)
        .map((mapping) => groupOf(mapping.apiVersion)),
    );
    const [group] = groups;
    if (group === undefined) throw error;
    if (groups.size > 1) {
      const named = [...groups].sort().join(', ');
      throw new TerminalError(
        `the target has no apiVersion, and ${kind} is a kind of several groups: name one of ${named}`,
      );
    }
    return apiVersionOf(group, await discovery.preferredVersion(kind, group, call));
  }
}
