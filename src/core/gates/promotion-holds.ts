import type { Gate, Hold } from '../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { PromotionState } from '../../types/stages.ts';
import { cutMessage } from '../conditions.ts';
import { earlier, type Instant, toRfc3339 } from '../time.ts';
import { describeFailing } from './analysis.ts';
import type { PromotionHold } from './at-gates.ts';
import type { Refusal } from './gate-look.ts';
import { advanceNeeds, overrideNeeds } from './needs.ts';
import { otherRevision, promoteCommand } from './promote-annotation.ts';
import { type GateMemory, writeMemory } from './promotion-memory.ts';
import type { PromotionQuestion } from './promotion-question.ts';
import type { Standing } from './promotion-standing.ts';
import type { Breach } from './restart-gate.ts';

/** What holds a stage, by what is known of its gates; undefined where none does. */
export function holdOf(
  standing: Standing,
  memory: GateMemory,
  question: PromotionQuestion,
): PromotionHold {
  const hold = holdBy(standing, memory, question);
  const other = otherRevision(question);
  if (other === undefined) return hold;
  const ignored = `the promote annotation is for revision ${cutMessage(other, 256)} and is ignored`;
  return { ...hold, message: `${hold.message}; ${ignored}` };
}

function holdBy(
  standing: Standing,
  memory: GateMemory,
  question: PromotionQuestion,
): PromotionHold {
  const state = stateOf(standing, memory, question);
  const holds = holdsOf(standing, memory, state, question);
  const shared = { state, holds, until: standing.until };
  const command = promoteCommand(question);
  const first = holds[0]?.reason ?? '';
  const [breach] = standing.breaches;
  if (breach !== undefined) {
    const { onFailure } = breach;
    const reason = 'PromotionBlocked';
    return {
      ...shared,
      reason,
      message: blockedMessage(first, standing, state, question),
      onFailure,
    };
  }
  if (standing.phase === 'Soaking') {
    const then = standing.awaitsPerson ? ', and waits for promotion by hand then' : '';
    return {
      ...shared,
      reason: 'Soaking',
      message: `${first}${then}; to promote it now: ${command}`,
    };
  }
  if (standing.phase === 'Analyzing') {
    const message = `${first}${lookedAgain(standing.until)}; to promote it now: ${command}`;
    return { ...shared, reason: 'Soaking', message };
  }
  return { ...shared, reason: 'AwaitingPromotion', message: `${first}: ${command}` };
}

/** The hold of a gate that the API server does not let us ask (part B 3.5). */
export function deniedHold(
  { gate, message, until }: Refusal,
  standing: Standing,
  memory: GateMemory,
  question: PromotionQuestion,
): PromotionHold {
  const { stage } = question;
  const state = stateOf(standing, memory, question);
  const reason = `Stage ${stage} is healthy, but what its ${fieldOf(gate)} asks for is refused: ${message}`;
  const others = holdsOf(standing, memory, state, question).filter((hold) => hold.gate !== gate);
  const hold = gateHold(gate, reason, toRfc3339(question.now), question);
  return {
    state,
    holds: [hold, ...others],
    reason: 'RBACDenied',
    message: `${reason}${lookedAgain(until)}; to promote it all the same: ${promoteCommand(question)}`,
    until: earlier(standing.until, until),
  };
}

function stateOf(
  { phase, breaches }: Standing,
  memory: GateMemory,
  { now }: PromotionQuestion,
): PromotionState {
  const state = writeMemory(memory, phase, now);
  const restarts = breaches.find(({ gate }) => gate === 'RestartGate');
  if (restarts === undefined) return state;
  return { ...state, restartCheck: restarts.check, observedRestarts: restarts.count };
}

/** The gates that are not passed, what blocks first. Those that do not hold yet have no `since`. */
function holdsOf(
  standing: Standing,
  memory: GateMemory,
  { since }: PromotionState,
  question: PromotionQuestion,
): Hold[] {
  const { stage } = question;
  const blocking = standing.breaches.map(({ gate, ...breach }) =>
    gateHold(gate, describeBreach(gate, breach, memory, question), since, question),
  );
  const soak =
    standing.soaksUntil === undefined ? [] : [soakHold(standing.soaksUntil, memory, question)];
  const holdsNow = standing.phase === 'Analyzing' ? since : undefined;
  const failing =
    standing.analysis?.kind === 'Failing'
      ? [gateHold('Analysis', describeAnalysis(memory, question), holdsNow, question)]
      : [];
  const open = standing.open.map((gate) =>
    gateHold(
      gate,
      `Stage ${stage} is healthy, and its ${fieldOf(gate)} is looked at`,
      undefined,
      question,
    ),
  );
  const isLast = standing.phase === 'AwaitingManual';
  const person = standing.awaitsPerson ? [personHold(isLast ? since : undefined, question)] : [];
  return [...blocking, ...soak, ...failing, ...open, ...person];
}

function soakHold(until: Instant, memory: GateMemory, question: PromotionQuestion): Hold {
  const end = toRfc3339(until);
  return {
    gate: 'Soak',
    stage: question.stage,
    reason: `Stage ${question.stage} is healthy and soaks until ${end}`,
    since: toRfc3339(memory.enteredAt),
    until: end,
    releasedBy: 'Time',
    needs: overrideNeeds,
    command: promoteCommand(question),
  };
}

function personHold(since: string | undefined, question: PromotionQuestion): Hold {
  return {
    gate: 'ManualPromotion',
    stage: question.stage,
    reason: `Stage ${question.stage} is healthy and waits for promotion by hand`,
    ...(since === undefined ? {} : { since }),
    releasedBy: 'Person',
    needs: advanceNeeds,
    command: promoteCommand(question),
  };
}

function gateHold(
  gate: Gate,
  reason: string,
  since: string | undefined,
  question: PromotionQuestion,
): Hold {
  return {
    gate,
    stage: question.stage,
    reason,
    ...(since === undefined ? {} : { since }),
    releasedBy: releaserOf(gate),
    needs: overrideNeeds,
    command: promoteCommand(question),
  };
}

/** What releases a gate where nobody passes it by hand. */
export function releaserOf(gate: string): Hold['releasedBy'] {
  switch (gate) {
    case 'Analysis':
      return 'Metric';
    case 'RestartGate':
    case 'EventGate':
      return 'Repair';
    case 'ManualPromotion':
      return 'Person';
    default:
      return 'Time';
  }
}

function describeBreach(
  gate: Gate,
  { check, count, limit }: Omit<Breach, 'onFailure'>,
  memory: GateMemory,
  question: PromotionQuestion,
): string {
  const { stage } = question;
  const what = `Stage ${stage} is blocked:`;
  if (gate === 'RestartGate') {
    return `${what} check ${check} of its restartGate counted ${count} restart(s) since the last promotion, and ${limit} are allowed`;
  }
  if (gate === 'EventGate') {
    return `${what} check ${check} of its eventGate counted ${count} Warning event(s), and ${limit} are allowed`;
  }
  const failing = describeFailing(memory.analysis, question.promotion?.analysis);
  return `${what} its analysis failed ${count} time(s) in a row, and failureLimit tolerates ${limit}: ${failing}`;
}

function describeAnalysis(
  { analysis }: GateMemory,
  { stage, promotion }: PromotionQuestion,
): string {
  const failing = describeFailing(analysis, promotion?.analysis);
  return `Stage ${stage} is healthy, but its analysis does not pass: ${failing}`;
}

function blockedMessage(
  first: string,
  { breaches, until, soaksUntil }: Standing,
  { since = '' }: PromotionState,
  question: PromotionQuestion,
): string {
  const soak = soaksUntil === undefined ? '' : `; it soaks until ${toRfc3339(soaksUntil)}`;
  const revert = breaches[0]?.onFailure === 'Rollback' ? revertNote(question) : '';
  return (
    `${first} (since ${since})${lookedAgain(until)}${soak}${revert}; ` +
    `to promote it all the same: ${promoteCommand(question)}`
  );
}

/** Nothing is reverted here: what the spec asks for beyond that is said. */
function revertNote({ stageSet }: PromotionQuestion): string {
  return stageSet.spec?.rollbackOnFailure === true
    ? '; its onFailure is Rollback, and it was not reverted'
    : '; its onFailure is Rollback, which needs spec.rollbackOnFailure: it was not reverted';
}

function lookedAgain(until: Instant | undefined): string {
  return until === undefined ? '' : `; looked at again at ${toRfc3339(until)}`;
}

/** The field of `promotion` that configures a gate. */
function fieldOf(gate: Gate): string {
  return gate.charAt(0).toLowerCase() + gate.slice(1);
}
