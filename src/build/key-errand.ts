import { RetryableError } from '../core/errors.ts';
import { type Duration, milliseconds } from '../core/time.ts';
import { abortReason, untilAborted } from '../kubernetes/wait.ts';
import type { KeyOpener, SealedDataKey } from '../types/key-services.ts';
import { type KeyOutcome, keySizes, mostKeysAtOnce, mostKeysOfBuild } from './sops/key-dialog.ts';

/**
 * Gets the data keys of one build from key services: the main thread's side of the dialog. A service
 * that does not answer takes up a bounded time of the build, however many files it has sealed.
 */
export class KeyErrand {
  readonly #opener: KeyOpener;
  readonly #signal: AbortSignal;
  #left: Duration;
  #asked = 0;

  /** @param patience with all key services together */
  constructor(opener: KeyOpener, signal: AbortSignal, patience: Duration) {
    this.#opener = opener;
    this.#signal = signal;
    this.#left = patience;
  }

  /** @throws the signal's reason when aborted; all else is an outcome. */
  async open(entries: readonly SealedDataKey[]): Promise<KeyOutcome[]> {
    this.#asked += entries.length;
    if (entries.length > mostKeysAtOnce || this.#asked > mostKeysOfBuild) {
      throw new Error('the manifest worker asked for more keys than it may');
    }
    const begun = performance.now();
    const deadline = AbortSignal.timeout(Math.max(0, Math.ceil(this.#left)));
    const either = AbortSignal.any([this.#signal, deadline]);
    try {
      const outcomes = await Promise.all(
        entries.map(async (entry) => await this.#ask(entry, either)),
      );
      if (this.#signal.aborted) throw abortReason(this.#signal);
      return outcomes;
    } finally {
      this.#left = milliseconds(this.#left - (performance.now() - begun));
    }
  }

  async #ask(entry: SealedDataKey, signal: AbortSignal): Promise<KeyOutcome> {
    try {
      const key = await untilAborted(this.#opener.open(entry, signal), signal);
      // A service that seals other things than data keys opens them too.
      if (keySizes.includes(key.byteLength)) return { kind: 'Opened', key };
      return failed(
        `${entry.kind} opened ${key.byteLength} bytes, which is no data key`,
        'Useless',
      );
    } catch (error) {
      if (signal.aborted) return failed('key services took too long for this build', 'Useful');
      const detail = error instanceof Error ? error.message : String(error);
      return failed(detail, error instanceof RetryableError ? 'Useful' : 'Useless');
    }
  }
}

function failed(detail: string, retry: 'Useful' | 'Useless'): KeyOutcome {
  return { kind: 'Failed', detail, retry };
}
