import type { GateReaders } from './controller/gate-answers.ts';
import { TerminalError } from './core/errors.ts';

/** Reads what gates must know; no gate that asks passes admission yet. */
export function gateReaders(): GateReaders {
  const unread = async (): Promise<number> =>
    await Promise.reject(new TerminalError('this build reads no metrics'));
  return { metric: unread, restarts: unread, events: unread };
}
