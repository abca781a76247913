import { Worker } from 'node:worker_threads';
import type { ExpressionResult } from '../core/cel/evaluate.ts';
import { type Duration, seconds } from '../core/time.ts';
import { abortReason, onAbort } from '../kubernetes/wait.ts';
import type { ExpressionAnswer, ExpressionQuestion } from './expression-messages.ts';

/** Most memory of the thread's objects, in MiB: more ends the thread and not the process. */
const maxHeap = 256;

/** Loading the thread's code, on a machine that has much else to do. */
const startBound = seconds(30);

/** Beside the bundle when built. */
const entryPoint = import.meta.url.endsWith('.ts')
  ? './expression-worker-from-source.mjs'
  : './expression-worker.js';

/**
 * A thread that evaluates expressions, one at a time. It cannot be interrupted, so that it is ended
 * when an evaluation takes too long or nobody waits for it any more; it is of no use then.
 */
export class ExpressionThread {
  readonly #worker: Worker;
  #started = false;
  #ended = false;

  constructor() {
    this.#worker = new Worker(new URL(entryPoint, import.meta.url), {
      name: 'expressions',
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: maxHeap },
    });
    this.#worker.unref();
    this.#worker.on('error', () => undefined);
    this.#worker.once('exit', () => {
      this.#ended = true;
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * The result, or an error result that says what it died of. Only the evaluation counts against the
   * bound, not the start of the thread.
   * @throws the signal's reason when aborted.
   */
  async ask(
    question: ExpressionQuestion,
    bound: Duration,
    signal: AbortSignal,
  ): Promise<ExpressionResult> {
    if (!this.#started) {
      const started = await this.#next(undefined, startBound, signal);
      if (started.kind === 'Result') return started.result;
      this.#started = true;
    }
    const answer = await this.#next(question, bound, signal);
    return answer.kind === 'Result' ? answer.result : error('the thread began anew');
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }

  /** The next answer; a thread that dies or takes too long answers by an error. */
  #next(
    question: ExpressionQuestion | undefined,
    bound: Duration,
    signal: AbortSignal,
  ): Promise<ExpressionAnswer> {
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
      const onMessage = (answer: ExpressionAnswer): void => {
        settle();
        resolve(answer);
      };
      const giveUp = (why: string): void => {
        settle();
        this.end().catch(() => undefined);
        resolve({ kind: 'Result', result: error(why) });
      };
      const onError = (thrown: unknown): void => giveUp(deathOf(thrown));
      const onExit = (): void => giveUp('its thread has ended');
      const timer = setTimeout(() => giveUp(`it took longer than ${bound / 1000} s`), bound);
      const stopListening = onAbort(signal, () => {
        settle();
        this.end().catch(() => undefined);
        reject(abortReason(signal));
      });
      this.#worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      try {
        if (question !== undefined) this.#worker.postMessage(question);
      } catch {
        // The error could quote the object.
        giveUp('the object is nested too deep');
      }
    });
  }
}

function error(message: string): ExpressionResult {
  return { kind: 'Error', message };
}

function deathOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'it needs too much memory' : 'its thread has died';
}
