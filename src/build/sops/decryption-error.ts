import { RetryableError, TerminalError } from '../../core/errors.ts';

/** What of a file could not be done. */
export type DecryptionStep = 'size' | 'format' | 'metadata' | 'data key' | 'values' | 'MAC';

/** The `op` values of part B 9.4 under which it failed. */
export type DecryptionOperation = 'configure decryption' | 'decrypt';

const longestPath = 200;

/**
 * Decryption failed. The message names the file and the step, or the entry of the Secret, and may be
 * shown to anybody; `detail` names recipients and fingerprints and is for the log. Neither has a
 * value or a key.
 */
export class DecryptionError extends TerminalError {
  readonly operation: DecryptionOperation;
  readonly detail: string | undefined;

  constructor(message: string, operation: DecryptionOperation, detail?: string) {
    super(message, { reason: 'StageFailed' });
    this.operation = operation;
    this.detail = detail;
  }
}

/** The same, where a key service did not answer or was busy: the next time it may open the file. */
export class DecryptionOutage extends RetryableError {
  readonly operation: DecryptionOperation;
  readonly detail: string | undefined;

  constructor(message: string, operation: DecryptionOperation, detail?: string) {
    super(message, { reason: 'StageFailed' });
    this.operation = operation;
    this.detail = detail;
  }
}

export function isDecryptionError(error: unknown): error is DecryptionError | DecryptionOutage {
  return error instanceof DecryptionError || error instanceof DecryptionOutage;
}

/** The failure of a file, by its path in the artifact. */
export function fileNotDecrypted(
  path: string,
  { step, message, retry }: SopsProblem,
): DecryptionError | DecryptionOutage {
  const shown = path.length <= longestPath ? path : `…${path.slice(-longestPath)}`;
  const Failure = retry === 'Useful' ? DecryptionOutage : DecryptionError;
  return new Failure(`decryption failed: ${step} of ${shown}`, 'decrypt', message);
}

type Retry = 'Useful' | 'Useless';

/** A key service was not asked, refuses, or did not answer. The message is for the log. */
export class KeyServiceTrouble extends Error {
  readonly retry: Retry;

  constructor(detail: string, retry: Retry) {
    super(detail);
    this.name = 'KeyServiceTrouble';
    this.retry = retry;
  }
}

/** What keeps a file from being decrypted, told by a part that does not know the file's path. */
export class SopsProblem extends Error {
  readonly step: DecryptionStep;
  readonly retry: Retry;

  /** @param detail for the log; no value, and no key */
  constructor(step: DecryptionStep, detail: string, retry: Retry = 'Useless') {
    super(detail);
    this.name = 'SopsProblem';
    this.step = step;
    this.retry = retry;
  }
}
