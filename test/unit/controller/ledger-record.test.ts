import { expect } from 'chai';
import { ledgerRecord } from '../../../src/controller/ledger-record.ts';

const completion = {
  stage: 'data',
  action: 'seed',
  origin: 'Executed',
  completedAt: '2026-01-01T00:00:00Z',
  anchor: { apiVersion: 'v1', kind: 'ConfigMap', name: 'seeded', uid: 'uid-1' },
} as const;

describe('the event for a ledger', () => {
  for (const { event, record } of [
    {
      event: { kind: 'Adopted', completions: 2 },
      record: {
        reason: 'LedgerAdopted',
        type: 'Normal',
        note: 'The StageLedger of this name has 2 action(s) of scope Lifetime as done; they do not run again',
      },
    },
    {
      event: { kind: 'Invalidated', completion, why: 'is gone' },
      record: {
        reason: 'LedgerInvalidated',
        type: 'Normal',
        note: 'Action seed of stage data runs again, since ConfigMap/seeded, which witnessed it, is gone',
      },
    },
    {
      event: { kind: 'AnchorUnreadable', completion, why: 'forbidden' },
      record: {
        reason: 'LedgerAnchorUnreadable',
        type: 'Warning',
        note: 'Action seed of stage data counts as done, although its witness ConfigMap/seeded could not be read: forbidden',
      },
    },
    {
      event: { kind: 'BaselineInvalid', message: 'data/typo' },
      record: { reason: 'BaselineInvalid', type: 'Warning', note: 'data/typo' },
    },
  ] as const) {
    it(`says of one that is ${event.kind} what it means`, () => {
      expect(ledgerRecord(event)).to.deep.equal(record);
    });
  }
});
