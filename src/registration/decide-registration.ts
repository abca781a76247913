import { after, type Duration, type Instant, milliseconds, seconds } from '../core/time.ts';

/** What the probes have shown so far. */
export interface ProbeRecord {
  /** When somebody began to ask; nothing is known of the time before. */
  askingSince: Instant;
  /** Whether the last probe was answered. */
  answered: boolean;
  /** When a probe was answered last. */
  lastAnswerAt: Instant | undefined;
}

/** How an APIService of our name compares with ours; `Foreign`: it is not labelled as ours. */
export type Comparison = 'Absent' | 'Current' | 'Outdated' | 'Foreign';

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
  probes: ProbeRecord,
  apiService: Comparison,
  now: Instant,
  terms: RegistrationTerms = defaultRegistrationTerms,
): RegistrationStep {
  switch (apiService) {
    case 'Absent':
      return probes.answered ? 'Register' : 'Leave';
    case 'Foreign':
      return 'Leave';
    case 'Current':
    case 'Outdated':
      if (!probes.answered && now >= withdrawAt(probes, terms)) return 'Withdraw';
      return apiService === 'Outdated' ? 'Update' : 'Leave';
  }
}

/** How long until the next probe: none comes later than the moment of a withdrawal. */
export function nextProbeIn(
  probes: ProbeRecord,
  now: Instant,
  terms: RegistrationTerms = defaultRegistrationTerms,
): Duration {
  if (probes.answered) return terms.probeEvery;
  const left = withdrawAt(probes, terms) - now;
  return milliseconds(left > 0 ? Math.min(left, terms.probeAgain) : terms.probeAgain);
}

function withdrawAt(
  { lastAnswerAt, askingSince }: ProbeRecord,
  { withdrawAfter }: RegistrationTerms,
): Instant {
  return after(lastAnswerAt ?? askingSince, withdrawAfter);
}
