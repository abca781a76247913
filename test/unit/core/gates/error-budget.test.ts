import { expect } from 'chai';
import type { Answer } from '../../../../src/core/gates/asks.ts';
import type { BudgetMemory } from '../../../../src/core/gates/budget-memory.ts';
import { budgetNews, remembered } from '../../../../src/core/gates/budget-news.ts';
import {
  budgetIntervalOf,
  decideErrorBudget,
  type ErrorBudgetQuestion,
  type ErrorBudgetVerdict,
} from '../../../../src/core/gates/error-budget.ts';
import { after, instant, minutes, seconds, toRfc3339 } from '../../../../src/core/time.ts';
import type { BudgetFreeze, ErrorBudget } from '../../../../src/types/stages.ts';
import { noon, specOf, stageSetOf } from '../snapshot-builder.ts';

const source = { prometheus: { address: 'http://prometheus.monitoring:9090', query: 'budget' } };
const budget: ErrorBudget = { source, freezeThreshold: '0.1', resumeThreshold: '0.25' };
const stageSet = stageSetOf(specOf(['dev']));
const command =
  'kubectl annotate stageset shop -n team --overwrite stages.metio.wtf/budget-override="$(date +%s)"';

/** The answer of a moment ago. */
function value(remaining: number, age = seconds(1)): Answer {
  return { kind: 'Value', value: remaining, at: instant(noon - age) };
}
const unreadable: Answer = { kind: 'Unreadable', message: 'prom answered 500', at: noon };
const denied: Answer = { kind: 'Denied', message: 'get Secret team/token: forbidden', at: noon };

const frozen: BudgetFreeze = {
  remaining: '0.05',
  freezeThreshold: '0.1',
  resumeThreshold: '0.25',
  since: '2026-01-01T09:00:00Z',
};

function ask(
  answer: Answer | undefined,
  change: Partial<ErrorBudgetQuestion> = {},
): ErrorBudgetVerdict {
  return decideErrorBudget({
    budget,
    answer,
    freeze: undefined,
    stageSet,
    overridden: false,
    interval: minutes(5),
    now: noon,
    since: undefined,
    ...change,
  });
}

function held(verdict: ErrorBudgetVerdict): Extract<ErrorBudgetVerdict, { kind: 'Held' }> {
  if (verdict.kind !== 'Held') throw new Error(`the verdict is ${verdict.kind}`);
  return verdict;
}

/** What is remembered after each value in a row. */
function kindsAfter(values: readonly number[], change: Partial<ErrorBudget> = {}): string[] {
  let freeze: BudgetFreeze | undefined;
  return values.map((remaining) => {
    const verdict = ask(value(remaining), { freeze, budget: { ...budget, ...change } });
    if (verdict.kind !== 'Ask') freeze = verdict.freeze;
    return verdict.kind;
  });
}

describe('an error budget (part B 4.1)', () => {
  it('asks its source first', () => {
    expect(ask(undefined)).to.deep.equal({ kind: 'Ask', ask: { kind: 'Metric', source } });
  });

  it('asks again when the interval is over, and not before', () => {
    expect(ask(value(0.5, minutes(5))).kind).to.equal('Ask');
    expect(ask(value(0.05, minutes(5)), { freeze: frozen }).kind).to.equal('Ask');
    expect(ask(value(0.5, seconds(299))).kind).to.equal('Open');
  });

  it('takes no answer of a clock that was set back since', () => {
    expect(ask({ kind: 'Value', value: 1, at: after(noon, minutes(1)) }).kind).to.equal('Ask');
    expect(ask({ kind: 'Value', value: 1, at: after(noon, seconds(1)) }).kind).to.equal('Open');
  });

  const rows: [what: string, values: number[], change: Partial<ErrorBudget>, kinds: string[]][] = [
    ['holds below freezeThreshold', [0.09], {}, ['Held']],
    ['lets pass at freezeThreshold', [0.1], {}, ['Open']],
    ['lets pass what is above', [0.2], {}, ['Open']],
    [
      'stays frozen until resumeThreshold',
      [0.05, 0.1, 0.24, 0.25],
      {},
      ['Held', 'Held', 'Held', 'Open'],
    ],
    [
      'freezes anew below freezeThreshold only',
      [0.05, 0.3, 0.2, 0.09],
      {},
      ['Held', 'Open', 'Open', 'Held'],
    ],
    [
      'thaws at freezeThreshold where nothing else is set',
      [0.05, 0.1],
      { resumeThreshold: undefined },
      ['Held', 'Open'],
    ],
    ['judges negative budgets', [-0.2], { freezeThreshold: '-0.1' }, ['Held']],
    ['never holds with dryRun', [0.05, 0.2, 0.05], { dryRun: true }, ['Open', 'Open', 'Open']],
  ];
  for (const [what, values, change, kinds] of rows) {
    it(`${what}: ${values.join(', ')}`, () => {
      expect(kindsAfter(values, change)).to.deep.equal(kinds);
    });
  }

  it('says which gate holds, since when, what releases it, and how to pass it', () => {
    expect(held(ask(value(0.05)))).to.deep.equal({
      kind: 'Held',
      reason: 'BudgetExhausted',
      hold: {
        gate: 'ErrorBudget',
        reason:
          'The error budget is exhausted: 0.05 remains, less than freezeThreshold 0.1; it releases ' +
          'them at 0.25 or more',
        since: '2026-01-01T12:00:00Z',
        releasedBy: 'Metric',
        needs: 'override stagesets/advance in subresources.stages.metio.wtf',
        command,
      },
      message:
        'new revisions are held since 2026-01-01T12:00:00Z: the error budget is exhausted: 0.05 ' +
        'remains, less than freezeThreshold 0.1; it releases them at 0.25 or more, and is asked for ' +
        `every 5m0s; to pass it now: ${command}, or stagesets/advance with gate ErrorBudget and override`,
      freeze: {
        remaining: '0.05',
        freezeThreshold: '0.1',
        resumeThreshold: '0.25',
        since: '2026-01-01T12:00:00Z',
      },
      until: after(noon, seconds(299)),
      remaining: 0.05,
    });
  });

  it('names the stage whose budget it is, and the threshold that decides', () => {
    const { hold } = held(ask(value(0.2), { stage: 'prod', freeze: frozen }));
    expect(hold.stage).to.equal('prod');
    expect(hold.reason)
      .to.include('error budget of stage prod')
      .and.include('resumeThreshold 0.25');
  });

  it('promises no release by time', () => {
    expect(held(ask(value(0.05))).hold).not.to.have.property('until');
  });

  it('keeps since when it is frozen, and shows the newest value and thresholds', () => {
    const { freeze, hold } = held(
      ask(value(0.07), { freeze: frozen, budget: { ...budget, resumeThreshold: '0.5' } }),
    );
    expect(freeze).to.deep.equal({ ...frozen, remaining: '0.07', resumeThreshold: '0.5' });
    expect(hold.since).to.equal(frozen.since);
  });

  it('holds since it holds, not since a freeze was only recorded', () => {
    const recorded = { ...frozen, dryRun: true };
    expect(held(ask(value(0.05), { freeze: recorded })).hold.since).to.equal(toRfc3339(noon));
    const since = after(noon, minutes(-10));
    expect(held(ask(value(0.05), { freeze: frozen, since })).hold.since).to.equal(toRfc3339(since));
  });

  it('records a freeze with dryRun, and says so', () => {
    const verdict = ask(value(0.05), { budget: { ...budget, dryRun: true } });
    expect(verdict).to.deep.equal({
      kind: 'Open',
      freeze: { ...frozen, since: '2026-01-01T12:00:00Z', dryRun: true },
      remaining: 0.05,
    });
  });

  it('lets a person pass without asking the source (part B 4.4)', () => {
    expect(ask(undefined, { overridden: true, freeze: frozen })).to.deep.equal({
      kind: 'Open',
      freeze: undefined,
    });
  });

  it('is no budget with thresholds that are no numbers', () => {
    expect(() => ask(value(1), { budget: { ...budget, freezeThreshold: 'low' } })).to.throw(
      /no decimal number/,
    );
  });

  it('is asked again after its own interval, else after that of retries, and at least a second', () => {
    expect(budgetIntervalOf({ ...budget, interval: '30s' }, minutes(2))).to.equal(seconds(30));
    expect(budgetIntervalOf(budget, minutes(2))).to.equal(minutes(2));
    expect(budgetIntervalOf({ ...budget, interval: '0s' }, minutes(2))).to.equal(minutes(2));
    expect(budgetIntervalOf({ ...budget, interval: '1ms' }, minutes(2))).to.equal(seconds(1));
  });
});

describe('an error budget whose source cannot be read (part B 4.2)', () => {
  const hold: ErrorBudget = { ...budget, onSourceError: 'Hold' };

  it('lets pass by default, and says why it could not judge', () => {
    for (const each of [budget, { ...budget, onSourceError: 'Allow' as const }]) {
      expect(ask(unreadable, { budget: each })).to.deep.equal({
        kind: 'Open',
        freeze: undefined,
        sourceError: 'prom answered 500',
      });
    }
  });

  it('holds where it has to, until the source can be read', () => {
    const verdict = held(ask(unreadable, { budget: hold }));
    expect(verdict.reason).to.equal('BudgetSourceUnavailable');
    expect(verdict.hold.releasedBy).to.equal('Metric');
    expect(verdict.hold.reason).to.equal(
      'The error budget cannot be read, and onSourceError is Hold: prom answered 500; it releases ' +
        'them once it can be read and is 0.1 or more',
    );
    expect(verdict.until).to.equal(after(noon, minutes(5)));
    expect(verdict.sourceError).to.equal('prom answered 500');
    const before = held(ask(unreadable, { budget: hold, freeze: frozen }));
    expect(before.hold.reason).to.include('is 0.25 or more');
  });

  it('remembers the freeze over an outage, whatever it means (gap: part B 4.2)', () => {
    for (const onSourceError of ['Allow', 'Hold'] as const) {
      const each = { ...budget, onSourceError };
      const during = ask(unreadable, { budget: each, freeze: frozen });
      expect(during).to.have.property('freeze', frozen);
      // Between the thresholds: frozen for whoever remembers, and open for whoever does not.
      const then = during.kind === 'Ask' ? undefined : during.freeze;
      const verdict = held(ask(value(0.2), { budget: each, freeze: then }));
      expect(verdict.freeze?.since).to.equal(frozen.since);
    }
  });

  it('tells of an outage once, and of each one (gap: part B 4.2)', () => {
    let memory: BudgetMemory = { freeze: undefined, sourceError: undefined };
    const told: string[] = [];
    const answers = [
      value(1),
      unreadable,
      { ...unreadable, message: 'prom gave no answer' },
      denied,
      value(1),
      unreadable,
    ];
    for (const answer of answers) {
      const verdict = ask(answer, { freeze: memory.freeze });
      if (verdict.kind === 'Ask') continue;
      const next = remembered(verdict);
      told.push(
        budgetNews(memory, next)
          .map(({ kind }) => kind)
          .join(),
      );
      memory = next;
    }
    expect(told).to.deep.equal(['', 'Unreadable', '', '', '', 'Unreadable']);
  });

  it('tells of a freeze once, when it begins (gap: part B 4.2)', () => {
    const none: BudgetMemory = { freeze: undefined, sourceError: undefined };
    const lookAt = (...asked: Parameters<typeof ask>): BudgetMemory => {
      const verdict = ask(...asked);
      if (verdict.kind === 'Ask') throw new Error('there is an answer');
      return remembered(verdict);
    };
    const first = lookAt(value(0.05));
    expect(budgetNews(none, first).map(({ kind }) => kind)).to.deep.equal(['Froze']);
    const later = lookAt(value(0.04), { freeze: frozen });
    expect(budgetNews({ ...none, freeze: frozen }, later)).to.deep.equal([]);
    const dry = lookAt(value(0.05), { budget: { ...budget, dryRun: true } });
    expect(budgetNews(none, dry).map(({ kind }) => kind)).to.deep.equal(['Froze']);
  });

  it('is a matter of RBAC where the account may not read the Secret, looked at each minute', () => {
    const verdict = held(ask(denied, { budget: hold }));
    expect(verdict.reason).to.equal('RBACDenied');
    expect(verdict.hold.releasedBy).to.equal('Repair');
    expect(verdict.until).to.equal(after(noon, minutes(1)));
    expect(verdict.message).to.include('every 1m0s').and.include('get Secret team/token');
    expect(ask(denied, { budget: hold, now: after(noon, minutes(1)) }).kind).to.equal('Ask');
    const often = held(ask(denied, { budget: hold, interval: seconds(10) }));
    expect(often.until).to.equal(after(noon, seconds(10)));
  });

  it('never holds with dryRun, nor where unreadable means Allow', () => {
    for (const each of [{ ...hold, dryRun: true }, budget]) {
      const verdict = ask(denied, { budget: each, freeze: frozen });
      expect(verdict).to.deep.equal({
        kind: 'Open',
        freeze: frozen,
        sourceError: 'get Secret team/token: forbidden',
      });
    }
  });
});
