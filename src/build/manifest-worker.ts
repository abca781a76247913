import { Worker } from 'node:worker_threads';
import { RetryableError, TerminalError } from '../core/errors.ts';
import { type Duration, seconds } from '../core/time.ts';
import { abortReason, onAbort } from '../kubernetes/wait.ts';
import type { Answer, Question } from './messages.ts';
import { DecryptionError, DecryptionOutage } from './sops/decryption-error.ts';

type AnswerOf<Kind extends Answer['kind']> = Extract<Answer, { kind: Kind }>;

/** Most memory of one worker's objects, in MiB: more ends the worker and not the process. */
const maxHeap = 1024;

/** Beside the bundle when built. */
const entryPoint = import.meta.url.endsWith('.ts') ? './worker-from-source.mjs' : './worker.js';

/**
 * A thread that reads manifests (`worker.ts`). It is asked one thing at a time. A thread cannot be
 * interrupted while it reads, so that it is ended where it takes too long or nobody waits any more;
 * it is of no use then.
 */
export class ManifestWorker {
  readonly #worker: Worker;
  #ended = false;

  constructor() {
    this.#worker = new Worker(new URL(entryPoint, import.meta.url), {
      name: 'manifests',
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: maxHeap },
    });
    this.#worker.unref();
    this.#worker.on('error', () => undefined);
    this.#worker.once('exit', () => {
      this.#ended = true;
    });
  }

  /** Whether the thread is gone. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * @throws TerminalError when the artifact is refused or takes longer than the timeout,
   * DecryptionError when it cannot be decrypted, DecryptionOutage when a key service did not answer,
   * RetryableError when the thread has died, the signal's reason when aborted.
   */
  async ask<Kind extends Answer['kind']>(
    question: Question,
    expected: readonly Kind[],
    timeout: Duration,
    signal: AbortSignal,
  ): Promise<AnswerOf<Kind>> {
    const answer = await this.#exchange(question, timeout, signal);
    if (answer.kind === 'Refused') throw failed(answer.message);
    if (answer.kind === 'Undecryptable') {
      const Failure = answer.retry === 'Useful' ? DecryptionOutage : DecryptionError;
      throw new Failure(answer.message, answer.operation, answer.detail);
    }
    if (answer.kind === 'Broken') throw new Error(`reading manifests failed: ${answer.message}`);
    if (isOneOf(answer, expected)) return answer;
    throw new Error(`The manifest worker answered ${answer.kind} to ${question.kind}`);
  }

  /** Forgets the build. @returns whether the thread is good for another one. */
  async reset(): Promise<boolean> {
    try {
      await this.#exchange({ kind: 'Reset' }, seconds(5), new AbortController().signal);
      return true;
    } catch {
      return false;
    }
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }

  #exchange(question: Question, timeout: Duration, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(abortReason(signal));
        return;
      }
      const settle = (): void => {
        clearTimeout(timer);
        stopListening();
        this.#worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      };
      const onMessage = (answer: Answer): void => {
        settle();
        resolve(answer);
      };
      const giveUp = (error: Error): void => {
        settle();
        reject(error);
        this.end().catch(() => undefined);
      };
      const onError = (error: unknown): void => giveUp(died(error));
      const onExit = (): void => giveUp(died('it has ended'));
      const timer = setTimeout(
        () =>
          giveUp(failed(`its manifests took longer than ${timeout / 1000} s to read; split it`)),
        timeout,
      );
      const stopListening = onAbort(signal, () => giveUp(abortReason(signal)));
      this.#worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      this.#worker.postMessage(question);
    });
  }
}

function isOneOf<Kind extends Answer['kind']>(
  answer: Answer,
  kinds: readonly Kind[],
): answer is AnswerOf<Kind> {
  return kinds.some((kind) => kind === answer.kind);
}

function failed(message: string): TerminalError {
  return new TerminalError(message, { reason: 'StageFailed' });
}

function died(error: unknown): Error {
  if (error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return failed('the manifests need too much memory to read; split the stage');
  }
  const why = error instanceof Error ? error.message : String(error);
  return new RetryableError(`reading manifests failed: ${why}`, { reason: 'StageFailed' });
}
