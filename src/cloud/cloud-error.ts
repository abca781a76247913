import { RetryableError, TerminalError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import type { CloudServiceAccount } from './identity.ts';

/** Reason of our own for what a cloud, or the way to it, is at fault for. */
const cloudFault = 'CloudFault';

/** Characters of a cloud's own words that are passed on. */
const longestWords = 300;

/** What has the shape of a JWT, a cloud's access token or a presigned URL's signature. */
const tokenShapes =
  /\beyJ[\w-]{10,}(?:\.[\w-]*){0,2}|\bya29\.[\w.-]{10,}|\bk8s-aws-v1\.[\w-]+|(?<=Signature=)[0-9a-f]{16,}/g;

/**
 * A cloud did not log somebody in, or did not answer. What its SDK threw is not kept as the cause: such
 * errors hold the request, and with it the token that was presented.
 *
 * @param secrets what was presented; it is cut out of the cloud's words
 */
export function cloudFailed(
  what: string,
  thrown: unknown,
  secrets: readonly string[] = [],
): RetryableError {
  return new RetryableError(`${what}: ${wordsOf(thrown, secrets)}`, { reason: cloudFault });
}

/** Whether an error is the fault of a cloud, and not of the local cluster that minted the token. */
export function isCloudFault(error: unknown): error is RetryableError {
  return error instanceof RetryableError && error.reason === cloudFault;
}

/** The annotations, or what they name, are not as they must be. */
export function annotationInvalid(
  { namespace, name }: CloudServiceAccount,
  annotation: string,
  problem: string,
): TerminalError {
  return new TerminalError(
    `ServiceAccount ${namespace}/${name}: its annotation ${annotation} ${problem}`,
    { object: { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name } },
  );
}

function wordsOf(thrown: unknown, secrets: readonly string[]): string {
  if (!(thrown instanceof Error)) return 'it failed without saying why';
  const name = ['Error', 'RetryableError', 'TypeError'].includes(thrown.name) ? '' : thrown.name;
  const said = [name, thrown.message].filter((part) => part !== '').join(': ');
  const scrubbed = redact(said, new Set(secrets)).replaceAll(tokenShapes, '[redacted]');
  const line = scrubbed.replace(/\s+/g, ' ').trim();
  if (line === '') return 'it failed without saying why';
  return line.length > longestWords ? `${line.slice(0, longestWords)}...` : line;
}
