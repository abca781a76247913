import { isJsonObject } from '../../core/validate/json-object.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import { StatusError } from './status-error.ts';

/** Asks the cluster who somebody is and what they may. */
export type Reviewer = (
  kind: 'TokenReview' | 'SubjectAccessReview',
  spec: JsonObject,
  signal: AbortSignal,
) => Promise<JsonObject>;

const paths = {
  TokenReview: '/apis/authentication.k8s.io/v1/tokenreviews',
  SubjectAccessReview: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
} as const;

/**
 * Reviews by the API server; needs ClusterRole `system:auth-delegator`. The answer is the `status`
 * of the review. It fails closed: whatever goes wrong is a StatusError 503, without particulars.
 */
export function clusterReviewer(client: KubernetesClient): Reviewer {
  return async (kind, spec, signal) => {
    const path = paths[kind];
    const apiVersion = path.split('/').slice(2, 4).join('/');
    let answer: unknown;
    try {
      answer = await client.raw(
        { method: 'POST', path, body: { apiVersion, kind, spec } },
        { signal },
      );
    } catch (cause) {
      throw cannotTell(kind, cause);
    }
    const status = isJsonObject(answer) ? answer['status'] : undefined;
    if (!isJsonObject(status)) throw cannotTell(kind, new Error('the review has no status'));
    return status;
  };
}

function cannotTell(kind: keyof typeof paths, cause: unknown): StatusError {
  const what = kind === 'TokenReview' ? 'who you are' : 'what you may do';
  return StatusError.serviceUnavailable(
    `the server cannot find out ${what}, because the cluster does not answer its ${kind}; try again later`,
    cause,
  );
}
