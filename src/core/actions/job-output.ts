import type { JsonObject, KubernetesObject } from '../../types/kubernetes.ts';
import { objectIn, objectsIn, textIn, wholeIn } from '../health/fields.ts';

/** A container of a Job's pod that ended in failure. */
export interface FailedContainer {
  readonly pod: string;
  readonly container: string;
  readonly exitCode: number | undefined;
  /** Such as `Error` or `OOMKilled`; empty where nobody says. */
  readonly reason: string;
  /** What the container has left in its termination log; empty where it has left nothing. */
  readonly message: string;
}

/**
 * The container that a Job failed of: of the pods that are the Job's own, the failed one that ended
 * last. Undefined while no container has ended in failure, such as when pods could not be started.
 */
export function failedContainerOf(
  pods: readonly KubernetesObject[],
  jobUid: string,
): FailedContainer | undefined {
  let last: { readonly at: string; readonly container: FailedContainer } | undefined;
  for (const pod of pods) {
    if (!isOwnedByJob(pod, jobUid)) continue;
    const status = objectIn(pod, 'status');
    const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((list) =>
      objectsIn(status, list),
    );
    for (const container of statuses) {
      const ended = terminatedOf(container);
      if (ended === undefined) continue;
      const at = textIn(ended, 'finishedAt') ?? '';
      if (last !== undefined && at < last.at) continue;
      last = { at, container: described(pod, container, ended) };
    }
  }
  return last?.container;
}

function isOwnedByJob({ metadata }: KubernetesObject, uid: string): boolean {
  const { ownerReferences } = metadata;
  return Array.isArray(ownerReferences) && ownerReferences.some((owner) => owner.uid === uid);
}

/** How it ended, when that was a failure; a container that is started again tells of the time before. */
function terminatedOf(container: JsonObject): JsonObject | undefined {
  for (const state of ['state', 'lastState']) {
    const ended = objectIn(objectIn(container, state), 'terminated');
    const exitCode = wholeIn(ended, 'exitCode');
    if (exitCode !== undefined && exitCode !== 0) return ended;
  }
  return undefined;
}

function described(
  { metadata }: KubernetesObject,
  container: JsonObject,
  ended: JsonObject,
): FailedContainer {
  return {
    pod: metadata.name,
    container: textIn(container, 'name') ?? '',
    exitCode: wholeIn(ended, 'exitCode'),
    reason: textIn(ended, 'reason') ?? '',
    message: textIn(ended, 'message') ?? '',
  };
}

/** Control and format characters, which terminals obey. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const controls = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g;

const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[ -/]*[@-~]`, 'g');

/** What a program has written, as text that does nothing to whoever prints it, on one line. */
export function plainLine(text: string): string {
  return text.replace(escapes, '').replace(controls, ' ').replace(/ {2,}/g, ' ').trim();
}

/** The most that is quoted of a program's output. */
export const quotedLines = 10;
export const quotedBytes = 2048;

/** The last lines of an output, joined in one. */
export function lastLines(output: string): string {
  const lines = output
    .split('\n')
    .map(plainLine)
    .filter((line) => line !== '');
  return cutBytes(lines.slice(-quotedLines).join(' | '), quotedBytes);
}

function cutBytes(text: string, most: number): string {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.byteLength <= most) return text;
  // A character that was cut in two is left out.
  return `${bytes
    .subarray(0, most)
    .toString('utf8')
    .replace(/\ufffd$/, '')}...`;
}
