import type { StageSetStatus } from '../../types/stages.ts';
import { type RunProgress, standing } from '../run.ts';

/** News of a gate that the Ready condition does not tell, or not as what it is. */
export interface GateEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
}

/**
 * What is told once when a hold begins, however often it is looked at, and although Ready may stay
 * True over it (part B 1.5 and 4.2; edge case 5 of part B 13).
 */
export function gateEvents(
  before: StageSetStatus | undefined,
  after: StageSetStatus | undefined,
  run: RunProgress | undefined,
): GateEvent[] {
  const { outcome } = standing(run) ?? {};
  if (outcome?.kind !== 'Held') return [];
  const { reason, message } = outcome.hold;
  const begins = before?.pendingUpdate === undefined && after?.pendingUpdate !== undefined;
  if (!begins || !runWide.has(reason)) return [];
  return [{ type: 'Normal', reason, note: message }];
}

/** Whether the event of a transition of Ready is told by `gateEvents` already. */
export function isToldByGate(reason: string): boolean {
  return reason === 'UpdateDeferred';
}

const runWide: ReadonlySet<string> = new Set(['UpdateDeferred']);
