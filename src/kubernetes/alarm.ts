import { onAbort } from './wait.ts';

/** Ends the waiting of one loop early, when there is something to look at. */
export class Alarm {
  #rung = false;
  #wake: (() => void) | undefined;

  /** Ends the wait under way, or else the next one. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves after `delay` milliseconds, when it rings, or when `signal` fires; it never rejects. */
  async wait(delay: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) await this.#sleep(delay, signal);
    this.#rung = false;
  }

  async #sleep(delay: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        stopListening();
        this.#wake = undefined;
        resolve();
      };
      const stopListening = onAbort(signal, wake);
      const timer = setTimeout(wake, delay);
      this.#wake = wake;
    });
  }
}
