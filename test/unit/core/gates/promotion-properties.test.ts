import fc from 'fast-check';
import { positiveDuration } from '../../../../src/core/duration.ts';
import type { Ask } from '../../../../src/core/gates/asks.ts';
import type { PromotionVerdict } from '../../../../src/core/gates/promotion.ts';
import { after, type Instant, instant, minutes, seconds } from '../../../../src/core/time.ts';
import type { Promotion } from '../../../../src/types/stages.ts';
import { metric, type Saying, StageAtGates, webEvents, webRestarts } from './stage-at-gates.ts';

type Health = 'Good' | 'Bad' | 'Unreadable' | 'Denied';

type Happening =
  | { readonly kind: 'TimePasses'; readonly seconds: number }
  | { readonly kind: 'ClockJumps'; readonly seconds: number }
  | { readonly kind: 'MetricTurns'; readonly health: Health }
  | { readonly kind: 'PodsTurn'; readonly health: Health }
  | { readonly kind: 'AnswersCome' }
  | { readonly kind: 'ControllerRestarts' }
  | { readonly kind: 'SoakIsEdited'; readonly soak: string }
  | { readonly kind: 'PersonPromotes' };

const health = fc.constantFrom<Health>('Good', 'Bad', 'Bad', 'Unreadable', 'Denied');
const soak = fc.constantFrom('0s', '100s', '200s', '20m');

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      kind: fc.constant('TimePasses' as const),
      seconds: fc.integer({ min: 1, max: 120 }),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('ClockJumps' as const),
      seconds: fc.integer({ min: -4000, max: 4000 }),
    }),
  },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('MetricTurns' as const), health }) },
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('PodsTurn' as const), health }) },
  { weight: 40, arbitrary: fc.record({ kind: fc.constant('AnswersCome' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('ControllerRestarts' as const) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('SoakIsEdited' as const), soak }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('PersonPromotes' as const) }) },
);

const gates = fc.record({
  soak,
  restarts: fc.constantFrom(false, false, true),
  events: fc.constantFrom(false, false, true),
  failureLimit: fc.integer({ min: 0, max: 3 }),
  analysis: fc.constantFrom(true, true, false),
  manual: fc.constantFrom(false, false, false, true),
});

type Gates = typeof gates extends fc.Arbitrary<infer Value> ? Value : never;

const interval = seconds(90);

function promotionOf({
  soak: span,
  restarts,
  events,
  failureLimit,
  analysis,
  manual,
}: Gates): Promotion {
  const checks = [{ name: 'errors', source: metric('errors'), threshold: { max: '5' } }];
  return {
    soak: span,
    ...(restarts ? { restartGate: { checks: [webRestarts] } } : {}),
    ...(events ? { eventGate: { checks: [webEvents] } } : {}),
    ...(analysis ? { analysis: { checks, interval: '90s', failureLimit } } : {}),
    requireManualPromotion: manual,
  };
}

/** What the gates must come to, worked out from what has happened and not from what they remember. */
class Witness {
  readonly stage: StageAtGates;
  readonly #gates: Gates;
  #metric: Health = 'Good';
  #pods: Health = 'Good';
  #restarts = 0;
  #entered: Instant;
  #deadline: Instant;
  #isSoaked = false;
  #failures = 0;
  #countedAt: Instant | undefined;
  /** Whether the newest answer to each kind of ask lets the stage pass. */
  readonly #said = new Map<Ask['kind'], boolean>();
  /** What could not be read or was refused since. */
  readonly #open = new Set<Ask['kind']>();
  #token = false;

  constructor(of: Gates) {
    this.#gates = of;
    this.stage = new StageAtGates(promotionOf(of));
    this.#entered = this.stage.now;
    this.#deadline = this.stage.now;
  }

  happens(what: Happening): void {
    const { stage } = this;
    switch (what.kind) {
      case 'TimePasses':
      case 'ClockJumps':
        stage.now = after(stage.now, seconds(what.seconds));
        break;
      case 'MetricTurns':
        this.#metric = what.health;
        break;
      case 'PodsTurn':
        this.#pods = what.health;
        if (what.health === 'Bad') this.#restarts += 10;
        break;
      case 'SoakIsEdited':
        stage.promotion = { ...stage.promotion, soak: what.soak };
        break;
      case 'ControllerRestarts':
        stage.restart();
        this.#open.clear();
        stage.state = structuredClone(stage.state);
        break;
      case 'PersonPromotes':
        this.#token = true;
        stage.more = { request: { stage: 'dev', token: '1', revision: 'v1' } };
        break;
      case 'AnswersCome':
        break;
    }
  }

  /** Looks once, or until nothing is asked; true once the stage has been promoted. */
  looks(hasAnswers: boolean): boolean {
    let verdict = this.#look();
    for (let turn = 0; hasAnswers && 'asks' in verdict && verdict.asks.length > 0; turn += 1) {
      if (turn > 9) throw new Error('it asks without end');
      for (const ask of verdict.asks) this.#answer(ask);
      verdict = this.#look();
    }
    return verdict.kind === 'Promoted';
  }

  /** Everything is well from now on. */
  recovers(): void {
    this.#metric = 'Good';
    this.#pods = 'Good';
  }

  #look(): PromotionVerdict {
    const { stage } = this;
    this.#watchClock();
    const verdict = stage.look();
    if (verdict.kind === 'Promoted') this.#mayPass();
    else this.#isAwaited(verdict);
    this.#countsSlowly();
    return verdict;
  }

  #watchClock(): void {
    const { now } = this.stage;
    const first = this.stage.state === undefined;
    if (first || this.#entered > now) {
      this.#deadline = after(now, seconds(Math.max(0, this.#deadline - this.#entered) / 1000));
      this.#entered = now;
    }
    const span = positiveDuration(this.stage.promotion?.soak);
    if (!this.#isSoaked && span !== undefined) {
      this.#deadline = instant(Math.max(this.#deadline, after(this.#entered, span)));
    }
    this.#isSoaked ||= span !== undefined && now >= this.#deadline;
    if (this.#countedAt !== undefined && this.#countedAt > now) this.#countedAt = now;
  }

  #mayPass(): void {
    if (this.#token) return;
    const { promotion, now } = this.stage;
    if (positiveDuration(promotion?.soak) !== undefined && !this.#isSoaked) {
      throw new Error(`it soaks until ${this.#deadline} and passed at ${now}`);
    }
    if (this.#gates.manual) throw new Error('nobody has promoted it');
    const asked: [boolean, Ask['kind']][] = [
      [this.#gates.restarts, 'Restarts'],
      [this.#gates.events, 'Events'],
      [this.#gates.analysis, 'Metric'],
    ];
    for (const [isAsked, kind] of asked) {
      if (!isAsked) continue;
      if (this.#open.has(kind) || this.#said.get(kind) !== true)
        throw new Error(`it passed a bad ${kind}`);
    }
  }

  #isAwaited(verdict: Exclude<PromotionVerdict, { kind: 'Promoted' }>): void {
    const { now } = this.stage;
    if (verdict.kind === 'Asks' && verdict.asks.length > 0) return;
    if (verdict.kind === 'Unreadable') {
      const { retryAt = now } = verdict.trouble ?? {};
      if (retryAt <= now || retryAt > after(now, minutes(20))) throw new Error('no time to retry');
      return;
    }
    const { hold } = verdict;
    if (hold === undefined) throw new Error('nothing is awaited');
    if (hold.until === undefined && hold.reason === 'AwaitingPromotion') return;
    if (hold.until === undefined || hold.until <= now) throw new Error('no time to look again');
    if (hold.until > after(now, minutes(21))) throw new Error('it is looked at too late');
    if (hold.holds.length === 0) throw new Error('no gate holds');
  }

  #countsSlowly(): void {
    const { state, now } = this.stage;
    const failures = state?.analysisFailures ?? 0;
    if (failures > this.#failures) {
      if (failures !== this.#failures + 1) throw new Error('it counted twice at once');
      if (this.#countedAt !== undefined && now < after(this.#countedAt, interval)) {
        throw new Error('it counted before its interval');
      }
      this.#countedAt = now;
    }
    this.#failures = failures;
  }

  #answer(ask: Ask): void {
    const is = ask.kind === 'Metric' ? this.#metric : this.#pods;
    const before = this.#said.has(ask.kind);
    this.stage.answer(ask, this.#saying(ask, is));
    const isFailure = ask.kind === 'Metric' && is === 'Unreadable';
    if (!isFailure && (is === 'Unreadable' || is === 'Denied')) {
      this.#open.add(ask.kind);
      return;
    }
    this.#open.delete(ask.kind);
    // The first count of restarts is the baseline, and pods are replaced by the time they are well.
    const isFine = is === 'Good' || (ask.kind === 'Restarts' && !before);
    this.#said.set(ask.kind, isFine);
  }

  #saying(ask: Ask, is: Health): Saying {
    if (is === 'Unreadable') return { unreadable: 'away' };
    if (is === 'Denied') return { denied: 'no' };
    if (ask.kind === 'Metric') return is === 'Good' ? 1 : 9;
    if (ask.kind === 'Events') return is === 'Good' ? 0 : 3;
    return is === 'Good' ? 0 : (this.#restarts += 10);
  }
}

describe('the promotion gates, whatever happens', () => {
  it('[gap] never let a stage pass that a gate holds, lose no hold, say what is awaited, and count at intervals (part B 3.2)', function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(gates, fc.array(happening, { maxLength: 60, size: 'max' }), (of, happenings) => {
        const witness = new Witness(of);
        if (witness.looks(false)) return;
        for (const what of happenings) {
          witness.happens(what);
          if (witness.looks(what.kind === 'AnswersCome')) return;
        }
      }),
      { numRuns: 600 },
    );
  });

  it('let every stage pass in the end whose world is well, whatever happened before', function () {
    this.timeout(60_000);
    fc.assert(
      fc.property(gates, fc.array(happening, { maxLength: 40, size: 'max' }), (of, happenings) => {
        const witness = new Witness({ ...of, manual: false });
        let isOver = witness.looks(false);
        for (const what of happenings) {
          if (isOver) return;
          witness.happens(what);
          isOver = witness.looks(what.kind === 'AnswersCome');
        }
        witness.recovers();
        // Unreadable pods are asked for again after 17 minutes at the latest, and soaks last 20.
        for (let turn = 0; turn < 120 && !isOver; turn += 1) {
          witness.happens({ kind: 'TimePasses', seconds: 30 });
          isOver = witness.looks(true);
        }
        if (!isOver) throw new Error(JSON.stringify(witness.stage.state));
      }),
      { numRuns: 300 },
    );
  });
});
