import { expect } from 'chai';
import { readyCondition } from '../../../src/core/conditions.ts';
import { instant } from '../../../src/core/time.ts';

const now = instant(Date.parse('2026-01-01T12:00:00.900Z'));
const before = {
  type: 'Ready',
  status: 'False',
  reason: 'StageFailed',
  message: 'Stage dev: apply: denied',
  lastTransitionTime: '2025-12-31T00:00:00Z',
  observedGeneration: 1,
} as const;

describe('the Ready condition', () => {
  it('starts with the time of the first verdict, in whole seconds', () => {
    const update = {
      status: 'True',
      reason: 'Succeeded',
      message: 'done',
      observedGeneration: 2,
    } as const;
    expect(readyCondition(undefined, update, now)).to.deep.equal({
      type: 'Ready',
      status: 'True',
      reason: 'Succeeded',
      message: 'done',
      lastTransitionTime: '2026-01-01T12:00:00Z',
      observedGeneration: 2,
    });
  });

  it('keeps its time when only message, reason or generation change', () => {
    const update = {
      status: 'False',
      reason: 'RBACDenied',
      message: 'no',
      observedGeneration: 7,
    } as const;
    expect(readyCondition(before, update, now)).to.deep.equal({
      type: 'Ready',
      status: 'False',
      reason: 'RBACDenied',
      message: 'no',
      lastTransitionTime: '2025-12-31T00:00:00Z',
      observedGeneration: 7,
    });
  });

  it('moves its time when the status changes', () => {
    const update = {
      status: 'Unknown',
      reason: 'Progressing',
      message: '',
      observedGeneration: 1,
    } as const;
    expect(readyCondition(before, update, now).lastTransitionTime).to.equal('2026-01-01T12:00:00Z');
  });

  it('has no generation where there is none', () => {
    const update = { ...before, observedGeneration: undefined };
    expect(readyCondition(before, update, now)).not.to.have.property('observedGeneration');
  });

  it('cuts a message that the API server would refuse, never inside a character', () => {
    const message = `${'x'.repeat(32_764)}\u{1f600}${'y'.repeat(100)}`;
    const condition = readyCondition(undefined, { ...before, message }, now);
    expect(condition.message).to.equal(`${'x'.repeat(32_764)}...`);
    const fits = 'x'.repeat(32_768);
    expect(readyCondition(undefined, { ...before, message: fits }, now).message).to.equal(fits);
  });
});
