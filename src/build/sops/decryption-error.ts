import { TerminalError } from '../../core/errors.ts';

/** What of a file could not be done. */
export type DecryptionStep = 'size' | 'format' | 'metadata' | 'data key' | 'values' | 'MAC';

const longestPath = 200;

/**
 * A file that could not be decrypted. Its message says which file and which step, and may be shown
 * to anybody; `detail` names recipients and fingerprints and is for the log. Neither has a value.
 */
export class DecryptionError extends TerminalError {
  readonly detail: string;

  constructor(path: string, { step, message }: SopsProblem) {
    super(`decryption failed: ${step} of ${shortened(path)}`, { reason: 'StageFailed' });
    this.detail = message;
  }
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

function shortened(path: string): string {
  return path.length <= longestPath ? path : `…${path.slice(-longestPath)}`;
}
