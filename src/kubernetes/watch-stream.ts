import type { Dispatcher } from 'undici';
import { RetryableError } from '../core/errors.ts';
import type { Duration } from '../core/time.ts';
import { LineSplitter } from './lines.ts';
import { abortReason, onAbort } from './wait.ts';

export interface StreamLimits {
  /** Silence, heading included, after which the connection counts as dead. */
  inactivity: Duration;
  /** Longest line, bytes. */
  maxLineBytes: number;
}

export interface StreamAnswers {
  /** Told when the answer's status is no error. */
  open: () => void;
  /** The error that an error answer stands for. */
  refuse: (status: number, body: string, retryAfter: string | undefined) => Error;
}

/** Lines that wait for the reader before the stream is held back. */
const HIGH_WATER = 1024;

/**
 * The lines of an answer that goes on and on. The stream is held back while the reader is behind. An
 * error status makes `next` throw what `refuse` makes of it.
 */
export class LineStream {
  readonly #limits: StreamLimits;
  readonly #splitter: LineSplitter;
  readonly #answers: StreamAnswers;
  #lines: string[] = [];
  #ended: { error?: Error } | undefined;
  #wake: (() => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #refusal: { status: number; retryAfter: string | undefined; chunks: Buffer[] } | undefined;
  #timer: NodeJS.Timeout;
  #stopListening = (): void => undefined;

  constructor(
    dispatcher: Dispatcher,
    options: Dispatcher.DispatchOptions,
    limits: StreamLimits,
    signal: AbortSignal,
    answers: StreamAnswers,
  ) {
    this.#limits = limits;
    this.#splitter = new LineSplitter(limits.maxLineBytes);
    this.#answers = answers;
    this.#timer = setTimeout(() => this.#silent(), limits.inactivity);
    if (signal.aborted) {
      this.#end(abortReason(signal));
      return;
    }
    this.#stopListening = onAbort(signal, () => this.#end(abortReason(signal)));
    dispatcher.dispatch(options, {
      onRequestStart: (controller) => {
        this.#controller = controller;
        if (this.#ended !== undefined) controller.abort(this.#ended.error ?? new Error('closed'));
      },
      onResponseStart: (_, status, headers) => {
        if (this.#ended !== undefined) return;
        this.#timer.refresh();
        if (status < 400) {
          this.#answers.open();
          return;
        }
        const retryAfter = headers['retry-after'];
        this.#refusal = {
          status,
          retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
          chunks: [],
        };
      },
      onResponseData: (_, chunk) => this.#receive(chunk),
      onResponseEnd: () => this.#end(this.#refused()),
      onResponseError: (_, error) => this.#end(error),
    });
  }

  /** Lines that have come since the last call; undefined when the server has ended the stream. */
  async next(): Promise<string[] | undefined> {
    for (;;) {
      if (this.#lines.length > 0) {
        const lines = this.#lines;
        this.#lines = [];
        if (this.#controller?.paused === true && this.#ended === undefined) {
          this.#timer.refresh();
          this.#controller.resume();
        }
        return lines;
      }
      if (this.#ended !== undefined) {
        if (this.#ended.error !== undefined) throw this.#ended.error;
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Gives the connection up. */
  close(): void {
    this.#end(undefined);
  }

  #receive(chunk: Buffer): void {
    if (this.#ended !== undefined) return; // A cleared timer must not be set again.
    this.#timer.refresh();
    if (this.#refusal !== undefined) {
      this.#refusal.chunks.push(chunk);
      // An error body of a megabyte is no error body, and may never end.
      if (this.#refusal.chunks.length >= 64) this.#end(this.#refused());
      return;
    }
    try {
      for (const line of this.#splitter.push(chunk)) this.#lines.push(line);
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error('The watch stream is broken'));
      return;
    }
    if (this.#lines.length >= HIGH_WATER) this.#controller?.pause();
    if (this.#lines.length > 0) this.#notify();
  }

  /** The error that an error answer stands for, as far as it has come. */
  #refused(): Error | undefined {
    if (this.#refusal === undefined) return undefined;
    const { status, chunks, retryAfter } = this.#refusal;
    return this.#answers.refuse(status, Buffer.concat(chunks).toString('utf8'), retryAfter);
  }

  #silent(): void {
    if (this.#controller?.paused === true) {
      this.#timer.refresh(); // We are the silent ones.
      return;
    }
    this.#end(
      new RetryableError(
        `The watch was silent for ${this.#limits.inactivity} ms, longer than the server's bookmarks are apart: the connection counts as dead`,
        { reason: 'WatchInactive' },
      ),
    );
  }

  #end(error: Error | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = error === undefined ? {} : { error };
    clearTimeout(this.#timer);
    this.#stopListening();
    this.#controller?.abort(error ?? new Error('The watch was closed'));
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
