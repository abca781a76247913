import type { LedgerEvent } from '../core/actions/lifetime.ts';
import { describeObject } from '../core/objects/identity.ts';
import type { EventRecord } from '../kubernetes/events.ts';
import type { CompletedAction } from '../types/stages.ts';

/** What people read of an event of a StageLedger (part B 9.2). */
export function ledgerRecord(event: LedgerEvent): Pick<EventRecord, 'reason' | 'type' | 'note'> {
  switch (event.kind) {
    case 'Adopted': {
      const note =
        `The StageLedger of this name has ${event.completions} action(s) of scope Lifetime as done; ` +
        'they do not run again';
      return { reason: 'LedgerAdopted', type: 'Normal', note };
    }
    case 'Invalidated': {
      const { completion, why } = event;
      const note = `${actionOf(completion)} runs again, since ${anchorOf(completion)}, which witnessed it, ${why}`;
      return { reason: 'LedgerInvalidated', type: 'Normal', note };
    }
    case 'AnchorUnreadable': {
      const { completion, why } = event;
      const note =
        `${actionOf(completion)} counts as done, although its witness ${anchorOf(completion)} could ` +
        `not be read: ${why}`;
      return { reason: 'LedgerAnchorUnreadable', type: 'Warning', note };
    }
    case 'BaselineInvalid':
      return { reason: 'BaselineInvalid', type: 'Warning', note: event.message };
  }
}

function actionOf({ stage, action }: CompletedAction): string {
  return `Action ${action} of stage ${stage}`;
}

function anchorOf({ anchor }: CompletedAction): string {
  return anchor === undefined ? 'object' : describeObject(anchor);
}
