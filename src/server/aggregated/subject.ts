import type { ObjectMeta } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../types/kubernetes.ts';
import { group } from './group.ts';
import type { ApiRequest } from './resource.ts';
import { StatusError, type Subject } from './status-error.ts';

/** The StageSet that a request is about. */
export interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** @throws StatusError 400 for a request that names none. */
export function namedBy({ namespace, name }: ApiRequest): Named {
  if (namespace !== undefined && name !== undefined) return { namespace, name };
  throw StatusError.badRequest('the request names no StageSet: give its namespace and name');
}

/** The StageSet as failures name it. */
export function subjectOf({ name }: Named): Subject {
  return { group, resource: 'stagesets', name };
}

/** The identity that everything made of a StageSet has: that of the StageSet. */
export function identityOf({ metadata }: KubernetesObject, { namespace, name }: Named): ObjectMeta {
  const { uid, resourceVersion, creationTimestamp } = metadata;
  return {
    name,
    namespace,
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(typeof creationTimestamp === 'string' ? { creationTimestamp } : {}),
  };
}

/** The refusal for want of a verb, as the authorizer of an API server words it. */
export function lacksVerb(
  { caller }: Pick<ApiRequest, 'caller'>,
  verb: string,
  resource: string,
  named: Named,
): StatusError {
  return StatusError.forbidden(
    subjectOf(named),
    `User ${JSON.stringify(caller.user)} cannot ${verb} resource "${resource}" in API group ` +
      `"${group}" in the namespace "${named.namespace}"`,
  );
}
