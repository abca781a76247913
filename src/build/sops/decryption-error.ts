import { TerminalError } from '../../core/errors.ts';

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

export function isDecryptionError(error: unknown): error is DecryptionError {
  return error instanceof DecryptionError;
}

/** The failure of a file, by its path in the artifact. */
export function fileNotDecrypted(path: string, { step, message }: SopsProblem): DecryptionError {
  const shown = path.length <= longestPath ? path : `…${path.slice(-longestPath)}`;
  return new DecryptionError(`decryption failed: ${step} of ${shown}`, 'decrypt', message);
}

/** What keeps a file from being decrypted, told by a part that does not know the file's path. */
export class SopsProblem extends Error {
  readonly step: DecryptionStep;

  /** @param detail for the log; no value, and no key */
  constructor(step: DecryptionStep, detail: string) {
    super(detail);
    this.name = 'SopsProblem';
    this.step = step;
  }
}
