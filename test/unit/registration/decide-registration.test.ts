import { expect } from 'chai';
import { type Instant, instant, seconds } from '../../../src/core/time.ts';
import {
  type Comparison,
  decideRegistration,
  nextProbeIn,
  type ProbeRecord,
  type RegistrationStep,
} from '../../../src/registration/decide-registration.ts';

function second(count: number): Instant {
  return instant(Date.UTC(2026, 0, 1) + seconds(count));
}

const neverAnswered = { askingSince: second(0), answered: false, lastAnswerAt: undefined };
const answers = { askingSince: second(0), answered: true, lastAnswerAt: second(100) };
const silent = { ...answers, answered: false };

const cases: [string, ProbeRecord, Comparison, now: Instant, RegistrationStep][] = [
  ['registers at the first answer', answers, 'Absent', second(100), 'Register'],
  ['does not register what nobody answers for', neverAnswered, 'Absent', second(5), 'Leave'],
  ['leaves what is as it should be', answers, 'Current', second(100), 'Leave'],
  ['updates what is not', answers, 'Outdated', second(100), 'Update'],
  ['updates it also while nobody answers', silent, 'Outdated', second(119), 'Update'],
  ['is patient for 20 s after the last answer', silent, 'Current', second(119), 'Leave'],
  ['withdraws 20 s after the last answer', silent, 'Current', second(120), 'Withdraw'],
  ['withdraws rather than updates', silent, 'Outdated', second(120), 'Withdraw'],
  ['gives replicas 20 s when it begins itself', neverAnswered, 'Current', second(19), 'Leave'],
  ['withdraws what it found after 20 s', neverAnswered, 'Current', second(20), 'Withdraw'],
  ['registers again after it withdrew', answers, 'Absent', second(500), 'Register'],
  ['stays withdrawn while nobody answers', silent, 'Absent', second(500), 'Leave'],
  ['leaves a foreign one to its owner', silent, 'Foreign', second(500), 'Leave'],
  ['does not take a foreign one over', answers, 'Foreign', second(100), 'Leave'],
];

describe('the registration of the API', () => {
  for (const [title, probes, apiService, now, step] of cases) {
    it(title, () => {
      expect(decideRegistration(probes, apiService, now)).to.equal(step);
    });
  }

  it('probes every 5 s while it is answered, every 2 s while it is not', () => {
    expect(nextProbeIn(answers, second(100))).to.equal(5000);
    expect(nextProbeIn(silent, second(105))).to.equal(2000);
    expect(nextProbeIn(silent, second(500))).to.equal(2000);
  });

  it('probes at the latest when the withdrawal is due', () => {
    expect(nextProbeIn(silent, second(119))).to.equal(1000);
  });
});
