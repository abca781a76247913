import { RetryableError } from '../core/errors.ts';
import type { JsonObject, KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import type { Answer } from './exchange.ts';
import { describeReference } from './paths.ts';
import { isJsonObject, isKubernetesObject } from './shapes.ts';

/** Reads an answer; what is wrong with it is said in the name of the cluster that gave it. */
export function judged<Result>({ circuit }: Answer, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw circuit === undefined ? error : circuit.failed(error);
  }
}

/** @throws RetryableError when the body is no JSON object: something in between answered. */
export function parseBody(answer: Answer, what: string): JsonObject {
  return judged(answer, () => jsonObject(answer, what));
}

function jsonObject(answer: Answer, what: string): JsonObject {
  let body: unknown;
  try {
    body = JSON.parse(answer.body);
  } catch (cause) {
    throw new RetryableError(`${what}: the API server's answer is not JSON`, { cause });
  }
  if (!isJsonObject(body)) {
    throw new RetryableError(`${what}: the API server's answer is not a JSON object`);
  }
  return body;
}

/** @throws RetryableError when the answer is no Kubernetes object. */
export function readObject(answer: Answer, reference: ObjectReference): KubernetesObject {
  const body = parseBody(answer, describeReference(reference));
  if (isKubernetesObject(body)) return body;
  return judged(answer, () => {
    throw new RetryableError(
      `${describeReference(reference)}: the API server's answer has no apiVersion, kind and metadata.name`,
      { object: reference },
    );
  });
}

/** What names this object. */
export function referenceOf(object: KubernetesObject): ObjectReference {
  const { name, namespace } = object.metadata;
  const { apiVersion, kind } = object;
  return namespace === undefined
    ? { apiVersion, kind, name }
    : { apiVersion, kind, namespace, name };
}
