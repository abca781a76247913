import { TerminalError } from '../core/errors.ts';
import { seconds } from '../core/time.ts';
import { isNotFound } from './api-error.ts';
import type { KubernetesClient } from './client.ts';
import { isJsonObject, objectAt, stringAt } from './shapes.ts';

const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';

/**
 * The user that the API server takes this process for, such as
 * `system:serviceaccount:stageset-system:stageset-controller`.
 * @throws TerminalError where the API server cannot say, which those before Kubernetes 1.28 cannot;
 *   what the client throws
 */
export async function whoAmI(client: KubernetesClient, signal: AbortSignal): Promise<string> {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  let answer: unknown;
  try {
    answer = await client.raw({ method: 'POST', path, body }, { signal, timeout: seconds(10) });
  } catch (error) {
    if (isNotFound(error)) throw cannotTell(error);
    throw error;
  }
  const status = isJsonObject(answer) ? objectAt(answer, 'status') : {};
  const user = stringAt(objectAt(status, 'userInfo'), 'username');
  if (user === undefined) throw cannotTell();
  return user;
}

function cannotTell(cause?: unknown): TerminalError {
  return new TerminalError(
    'the API server does not say which user this process is; name it with --controller-user',
    cause === undefined ? {} : { cause },
  );
}
