import { after, type Duration, type Instant, milliseconds, seconds } from '../core/time.ts';

/** What is known of the API replicas and of the APIService object. */
export interface RegistrationState {
  /** When somebody began to ask; nothing is known of the time before. */
  askingSince: Instant;
  /** Whether the last probe was answered; undefined before the first one has ended. */
  answered: boolean | undefined;
  /** When a probe was answered last. */
  lastAnswerAt: Instant | undefined;
  /** `Foreign`: it exists, and is not labelled as ours. */
  apiService: 'Absent' | 'Current' | 'Outdated' | 'Foreign';
}

export interface RegistrationTerms {
  /** Without an answer for so long, the APIService holds up every namespace deletion for nothing. */
  withdrawAfter: Duration;
  /** Between two probes while they are answered. */
  probeEvery: Duration;
  /** Between two probes while they are not: the next answer should be noticed soon. */
  probeAgain: Duration;
}

export const defaultRegistrationTerms: RegistrationTerms = {
  withdrawAfter: seconds(20),
  probeEvery: seconds(5),
  probeAgain: seconds(2),
};

export type RegistrationStep = 'Register' | 'Update' | 'Withdraw' | 'Leave';

/**
 * What to do about the APIService: it is registered at the first answer, kept as it should be, and
 * withdrawn once nobody has answered for `withdrawAfter`. A foreign one is left alone.
 */
export function decideRegistration(
  state: RegistrationState,
  now: Instant,
  terms: RegistrationTerms = defaultRegistrationTerms,
): RegistrationStep {
  switch (state.apiService) {
    case 'Absent':
      return state.answered === true ? 'Register' : 'Leave';
    case 'Foreign':
      return 'Leave';
    case 'Current':
    case 'Outdated':
      if (state.answered === false && now >= withdrawAt(state, terms)) return 'Withdraw';
      return state.apiService === 'Outdated' ? 'Update' : 'Leave';
  }
}

/** How long until the next probe: none comes later than the moment of a withdrawal. */
export function nextProbeIn(
  state: RegistrationState,
  now: Instant,
  terms: RegistrationTerms = defaultRegistrationTerms,
): Duration {
  if (state.answered === true) return terms.probeEvery;
  const left = withdrawAt(state, terms) - now;
  return milliseconds(left > 0 ? Math.min(left, terms.probeAgain) : terms.probeAgain);
}

function withdrawAt({ lastAnswerAt, askingSince }: RegistrationState, terms: RegistrationTerms) {
  return after(lastAnswerAt ?? askingSince, terms.withdrawAfter);
}
