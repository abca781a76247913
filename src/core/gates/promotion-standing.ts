import type { Gate } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { PromotionPhase } from '../../types/stages.ts';
import type { Instant } from '../time.ts';
import { type AnalysisStanding, analysisOf, analysisStanding } from './analysis.ts';
import { eventBreach, eventChecks } from './event-gate.ts';
import { analysisDueAt, fastTrackDueAt, podsDueAt } from './promotion-cadence.ts';
import type { GateMemory } from './promotion-memory.ts';
import { isPassed, type PromotionQuestion } from './promotion-question.ts';
import { type Breach, restartBreach, restartChecks } from './restart-gate.ts';
import { soakedAt } from './soak.ts';

/** Where a stage is in its gates, by what is known of it. */
export interface Standing {
  readonly phase: PromotionPhase;
  /** What blocks, in the order in which the gates are asked. */
  readonly breaches: readonly (Breach & { readonly gate: Gate })[];
  /** Set while the soak goes on. */
  readonly soaksUntil: Instant | undefined;
  readonly analysis: AnalysisStanding | undefined;
  /** Gates that must be looked at before the stage can pass. */
  readonly open: readonly Gate[];
  readonly awaitsPerson: boolean;
  /** The next time at which something may change by itself; always in the future. */
  readonly until: Instant | undefined;
}

/**
 * Puts together what each gate says (part B 3.2): what blocks comes first, then the soak, then an
 * analysis that does not pass, and a person last. `Promoted` where nothing is left.
 */
export function standingOf(memory: GateMemory, question: PromotionQuestion): Standing {
  const isSoaked = soakedAt(memory, question) !== undefined;
  const isDue = analysisDueAt(memory, question) <= question.now;
  const analysis = analysisStanding(memory.analysis, analysisOf(question), isDue);
  const { promotion } = question;
  const awaitsPerson =
    promotion?.requireManualPromotion === true && !isPassed('ManualPromotion', question);
  const known = {
    breaches: breachesOf(memory, analysis, question),
    soaksUntil: isSoaked ? undefined : memory.soakUntil,
    analysis,
    open: openGates(memory, analysis, question),
    awaitsPerson,
  };
  return { ...known, phase: phaseOf(known), until: nextLook(memory, question) };
}

function breachesOf(
  { restarts, events }: GateMemory,
  analysis: AnalysisStanding | undefined,
  question: PromotionQuestion,
): Standing['breaches'] {
  const byRestarts = restartBreach(restarts, question);
  const byEvents = eventBreach(events, question);
  const onFailure = question.promotion?.analysis?.onFailure ?? 'Hold';
  return [
    ...(byRestarts === undefined ? [] : [{ gate: 'RestartGate' as const, ...byRestarts }]),
    ...(byEvents === undefined ? [] : [{ gate: 'EventGate' as const, ...byEvents }]),
    ...(analysis?.kind === 'Blocked'
      ? [
          {
            gate: 'Analysis' as const,
            check: '',
            count: analysis.failures,
            limit: analysis.limit,
            onFailure,
          },
        ]
      : []),
  ];
}

function openGates(
  memory: GateMemory,
  analysis: AnalysisStanding | undefined,
  question: PromotionQuestion,
): Gate[] {
  const stale = podsDueAt(memory, question) <= question.now;
  return [
    ...(stale && restartChecks(question).length > 0 ? ['RestartGate' as const] : []),
    ...(stale && eventChecks(question).length > 0 ? ['EventGate' as const] : []),
    ...(analysis?.kind === 'Open' ? ['Analysis' as const] : []),
  ];
}

function phaseOf(known: Omit<Standing, 'phase' | 'until'>): PromotionPhase {
  if (known.breaches.length > 0) return 'Blocked';
  if (known.soaksUntil !== undefined) return 'Soaking';
  if (known.analysis?.kind === 'Failing') return 'Analyzing';
  if (known.awaitsPerson) return 'AwaitingManual';
  return known.open.length > 0 ? 'Analyzing' : 'Promoted';
}

function nextLook(memory: GateMemory, question: PromotionQuestion): Instant | undefined {
  const countsPods = restartChecks(question).length + eventChecks(question).length > 0;
  const isSoaking = soakedAt(memory, question) === undefined;
  const times = [
    isSoaking ? memory.soakUntil : undefined,
    fastTrackDueAt(memory, question),
    countsPods ? podsDueAt(memory, question) : undefined,
    analysisOf(question) === undefined ? undefined : analysisDueAt(memory, question),
  ];
  const ahead = times.filter((time) => time !== undefined && time > question.now);
  return ahead.reduce<Instant | undefined>(
    (first, time) => (first === undefined || (time ?? first) < first ? time : first),
    undefined,
  );
}
