import { digestOf } from '../../core/hash.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import type { Caller } from './resource.ts';
import type { Reviewer } from './reviews.ts';
import { StatusError } from './status-error.ts';
import { VerdictCache, type VerdictCacheOptions } from './verdict-cache.ts';

/** What somebody wants to do to a resource, all of it: what is missing here, nobody would check. */
export interface ResourceAttributes {
  readonly kind: 'Resource';
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** Empty for all namespaces. */
  readonly namespace: string;
  /** Empty for the collection. */
  readonly name: string;
}

/** What somebody wants to do to another path; the verb is the method in lower case. */
interface PathAttributes {
  readonly kind: 'Path';
  readonly verb: string;
  readonly path: string;
}

export type Attributes = ResourceAttributes | PathAttributes;

/** Asks by SubjectAccessReview what somebody may do. Whatever cannot be found out is not allowed. */
export class Authorizer {
  readonly #review: Reviewer;
  readonly #verdicts: VerdictCache<boolean>;

  constructor(review: Reviewer, cache?: VerdictCacheOptions) {
    this.#review = review;
    this.#verdicts = new VerdictCache(cache);
  }

  /** @throws StatusError 503 when it cannot be told; the signal's reason */
  async allows(caller: Caller, attributes: Attributes, signal: AbortSignal): Promise<boolean> {
    const spec = reviewSpec(caller, attributes);
    return await this.#verdicts.verdict(
      // The spec is all that the answer depends on; its digest is short however many groups there are.
      digestOf(spec),
      async (bounded) => {
        const status = await this.#review('SubjectAccessReview', spec, bounded);
        return status['allowed'] === true && status['denied'] !== true;
      },
      signal,
    );
  }

  /** @throws StatusError 403 in Kubernetes' words, and as `allows` */
  async demand(caller: Caller, attributes: Attributes, signal: AbortSignal): Promise<void> {
    if (await this.allows(caller, attributes, signal)) return;
    throw forbidden(caller, attributes);
  }
}

/** `spec` of the SubjectAccessReview, version 1 of authorization.k8s.io. */
export function reviewSpec({ user, uid, groups, extra }: Caller, what: Attributes): JsonObject {
  return {
    user,
    ...(uid === undefined ? {} : { uid }),
    groups: [...groups],
    extra,
    ...(what.kind === 'Path'
      ? { nonResourceAttributes: { path: what.path, verb: what.verb } }
      : {
          resourceAttributes: {
            verb: what.verb,
            group: what.group,
            version: what.version,
            resource: what.resource,
            subresource: what.subresource,
            namespace: what.namespace,
            name: what.name,
          },
        }),
  };
}

/**
 * The refusal as kube-apiserver words it. It is made of the request alone, so that nothing of what
 * is there, or why the authorizer said no, can be read out of it.
 */
function forbidden({ user }: Caller, what: Attributes): StatusError {
  if (what.kind === 'Path') {
    return new StatusError(
      403,
      'Forbidden',
      `forbidden: User ${quoted(user)} cannot ${what.verb} path ${quoted(what.path)}`,
      {},
    );
  }
  const { group, resource, subresource, namespace, name, verb } = what;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  const scope = namespace === '' ? 'at the cluster scope' : `in the namespace ${quoted(namespace)}`;
  return StatusError.forbidden(
    { group, resource, name },
    `User ${quoted(user)} cannot ${verb} resource ${quoted(full)} in API group ${quoted(group)} ${scope}`,
  );
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
