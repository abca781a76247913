import { setMaxListeners } from 'node:events';

/** The reason of an abort as an Error, whatever value it was aborted with. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error('The operation was aborted');
}

/**
 * Calls `listener` when `signal` fires. Many requests share one signal, which is no leak: Node's
 * warning about more than ten listeners is switched off for it.
 * @returns what takes the listener off again
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  setMaxListeners(0, signal);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/** Resolves after `delay` milliseconds; rejects with the abort reason when `signal` fires first. */
export function pause(delay: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    const stopListening = onAbort(signal, () => {
      clearTimeout(timer);
      reject(abortReason(signal));
    });
    const timer = setTimeout(() => {
      stopListening();
      resolve();
    }, delay);
  });
}

/**
 * The outcome of `work`, or a rejection with the abort reason when `signal` fires first. The work
 * itself goes on: use this where several callers share one piece of work.
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortReason(signal));
      return;
    }
    const stopListening = onAbort(signal, () => reject(abortReason(signal)));
    work.then(resolve, reject).finally(stopListening);
  });
}

/** A promise with its two ends outside. */
export interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

export function deferred<T>(): Deferred<T> {
  let ends: Omit<Deferred<T>, 'promise'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    ends = { resolve, reject };
  });
  if (ends === undefined) throw new Error('A promise runs its executor at once');
  return { promise, ...ends };
}
