import { groupOf } from '../core/objects/identity.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isJsonObject, objectAt } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';

const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/**
 * Whether the client's identity may delete objects of this one's kind where this one is
 * (authorization.k8s.io/v1 SelfSubjectAccessReview).
 *
 * @throws what the API server says where it does not answer the question.
 */
export async function mayDeleteIn(
  { apiVersion, kind, metadata }: KubernetesObject,
  client: KubernetesClient,
  call: CallOptions,
): Promise<boolean> {
  const { resource } = await client.discovery.mappingFor(apiVersion, kind, call);
  const { namespace } = metadata;
  const resourceAttributes = {
    verb: 'delete',
    group: groupOf(apiVersion),
    resource,
    ...(namespace === undefined ? {} : { namespace }),
  };
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  };
  const answer = await client.raw({ method: 'POST', path, body }, call);
  return isJsonObject(answer) && objectAt(answer, 'status')['allowed'] === true;
}
