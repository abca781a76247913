import { expect } from 'chai';
import fc from 'fast-check';
import { after, minutes, toRfc3339 } from '../../../src/core/time.ts';
import type { Action, StageActions } from '../../../src/types/stages.ts';
import { http, type Life, liveWithKills } from './action-lives.ts';
import { noon } from './snapshot-builder.ts';

const everything: StageActions = {
  pre: [http('one'), http('once', { scope: 'Lifetime' }), http('two', { retries: 2 })],
  post: [
    { name: 'nap', wait: { duration: '1s' } },
    { name: 'migrate', job: { sourceRef: { name: 'jobs' } }, scope: 'Lifetime' },
    http('three'),
  ],
};

function counts({ begun }: Life): Record<string, number> {
  return Object.fromEntries(begun);
}

describe('the actions of a stage', () => {
  it('are done before it is built and after it is healthy, each on record before the next', () => {
    const { effects } = liveWithKills({
      actions: { pre: [http('a'), http('b')], post: [http('c')] },
    });
    expect(effects.filter((effect) => effect !== 'Rest')).to.deep.equal([
      'EnterStage',
      'SaveLedgers',
      'RunAction',
      'SaveLedgers',
      'RunAction',
      'SaveLedgers',
      'PrepareStage',
      'ApplyGroup',
      'LookAtHealth',
      'ApplyGroup',
      'LookAtHealth',
      'SaveLedgers',
      'RunAction',
      'SaveLedgers',
      'Prune',
    ]);
  });

  it('are not done again for the same revision', () => {
    const { status, ledger } = liveWithKills({ actions: everything });
    const again = liveWithKills({ actions: everything, status, ledger });
    expect(counts(again)).to.deep.equal({});
    expect(again.verdict).to.equal('Succeeded');
  });

  it('are each done once, wherever the process is killed between two of them', () => {
    const whole = liveWithKills({ actions: everything });
    expect(whole.verdict).to.equal('Succeeded');
    for (const number of whole.effects.keys()) {
      const life = liveWithKills({ actions: everything, kills: new Map([[number, 'Before']]) });
      const where = `killed before effect ${number}, ${whole.effects[number] ?? ''}`;
      expect(life.repeated, where).to.deep.equal([]);
      // What is done and not on record yet can only be done again, or be asked about.
      const unrecorded = ['SaveLedgers', 'RecordAction'].includes(whole.effects[number] ?? '');
      if (unrecorded) continue;
      expect(counts(life), where).to.deep.equal(counts(whole));
      expect(life.verdict, where).to.equal('Succeeded');
    }
  });

  it('of scope Lifetime are never begun a second time when nobody knows how they ended', () => {
    const whole = liveWithKills({ actions: everything });
    for (const number of whole.effects.keys()) {
      const life = liveWithKills({ actions: everything, kills: new Map([[number, 'Halfway']]) });
      const where = `killed in effect ${number}, ${whole.effects[number] ?? ''}`;
      expect(life.repeated, where).to.deep.equal([]);
      expect(life.begun.get('once') ?? 0, where).to.be.at.most(1);
      expect(life.begun.get('migrate') ?? 0, where).to.be.at.most(1);
      expect(['Succeeded', 'ActionDirty'], where).to.include(life.verdict);
    }
  });

  it('that fail are tried again, with a pause that grows, as often as retries says', () => {
    const life = liveWithKills({
      actions: { pre: [http('a', { retries: 2 }), http('b')] },
      failing: new Set(['a']),
    });
    expect(counts(life)).to.deep.equal({ a: 3 });
    expect(life.verdict).to.equal('StageFailed');
    const message = life.status.stages?.[0]?.message;
    expect(message).to.equal('pre-action: action a after 3 attempts: refused');
  });

  it('in pre that fail leave the stage untouched and do not run onFailure', () => {
    const life = liveWithKills({
      actions: { pre: [http('a')], onFailure: [http('tell')] },
      failing: new Set(['a']),
    });
    expect(counts(life)).to.deep.equal({ a: 1 });
    expect(life.effects).not.to.include('PrepareStage');
    expect(life.status.stages?.[0]?.appliedRevision).to.equal(undefined);
  });

  it('in onFailure run once a revision, whatever fails in them', () => {
    const actions = { post: [http('a')], onFailure: [http('bad'), http('tell')] };
    const failing = new Set(['a', 'bad']);
    const first = liveWithKills({ actions, failing });
    expect(counts(first)).to.deep.equal({ a: 1, bad: 1, tell: 1 });
    expect(first.verdict).to.equal('StageFailed');
    expect(first.status.stages?.[0]?.message).to.equal('post-action: action a: refused');
    const second = liveWithKills({ actions, failing, status: first.status });
    expect(counts(second)).to.deep.equal({ a: 1, bad: 1 });
  });

  it('make a StageSet dirty by the fifth failure while a Lifetime one is unfinished', () => {
    const actions: StageActions = { pre: [http('once', { scope: 'Lifetime' })] };
    const failing = new Set(['once']);
    let life = liveWithKills({ actions, failing });
    for (let failures = 1; failures < 5; failures += 1) {
      expect(life.verdict).to.equal('StageFailed');
      expect(life.status.actionFailureCount).to.equal(failures);
      life = liveWithKills({ actions, failing, status: life.status, ledger: life.ledger });
    }
    expect(life.verdict).to.equal('ActionDirty');
    expect(life.status.actionFailureCount).to.equal(5);
    // [gap] 7.5: whatever event wakes it, a dirty StageSet does nothing.
    const woken = liveWithKills({
      actions,
      failing,
      status: life.status,
      ledger: life.ledger,
      mostEffects: 5,
    });
    expect(counts(woken)).to.deep.equal({});
    expect(woken.verdict).to.equal('ActionDirty');
    // Nor does it when something else was the matter in between, and Ready said that.
    const conditions = (life.status.conditions ?? []).map((condition) => ({
      ...condition,
      reason: 'SourceNotReady',
    }));
    const back = liveWithKills({
      actions,
      failing,
      status: { ...life.status, conditions },
      ledger: life.ledger,
      mostEffects: 5,
    });
    expect(counts(back)).to.deep.equal({});
    expect(back.verdict).to.equal('ActionDirty');
    const asked = liveWithKills({
      actions,
      status: life.status,
      ledger: life.ledger,
      annotations: { 'reconcile.fluxcd.io/requestedAt': 'now' },
    });
    expect(asked.verdict).to.equal('Succeeded');
    expect(asked.status.actionFailureCount).to.equal(undefined);
  });

  it('of a revision are done anew when a person asks for their stage, once for a token', () => {
    const { status, ledger } = liveWithKills({ actions: everything });
    const annotations = { 'stages.metio.wtf/reconcile-stage': 'dev@t1' };
    const forced = liveWithKills({ actions: everything, status, ledger, annotations });
    expect(counts(forced)).to.deep.equal({ one: 1, two: 1, three: 1 });
    expect(forced.status.stages?.[0]?.lastHandledReconcileAt).to.equal('t1');
    const { effects } = forced;
    for (const number of effects.keys()) {
      const kills = new Map([[number, 'Before']] as const);
      const life = liveWithKills({ actions: everything, status, ledger, annotations, kills });
      if (effects[number] === 'SaveLedgers') continue;
      expect(counts(life), `killed before effect ${number}`).to.deep.equal(counts(forced));
    }
  });

  it('that wait for time go on where a process before this one has begun', () => {
    const actions: StageActions = { pre: [{ name: 'nap', wait: { duration: '1h' } }] };
    const half = liveWithKills({ actions, mostEffects: 3 });
    const { runningAction } = half.status.stages?.[0] ?? {};
    expect(runningAction).to.include({ hook: 'pre', name: 'nap', attempt: 1 });
    const rest = liveWithKills({ actions, status: half.status });
    expect(rest.verdict).to.equal('Succeeded');
    const run = rest.status.stages?.[0];
    expect(run?.runningAction).to.equal(undefined);
    expect(run?.executedActions).to.deep.equal(['nap']);
  });

  it('that run a Job take up what a process before this one began, although its time is over', () => {
    const job: Action = { name: 'once', job: { sourceRef: { name: 'jobs' } }, scope: 'Lifetime' };
    const actions: StageActions = { pre: [job] };
    const half = liveWithKills({ actions, mostEffects: 3, kills: new Map([[2, 'Halfway']]) });
    const [stage] = half.status.stages ?? [];
    expect(stage?.runningAction).to.include({ hook: 'pre', name: 'once' });
    const startedAt = toRfc3339(after(noon, minutes(-30)));
    const begun = { stage: 'dev', action: 'once', startedAt };
    const rest = liveWithKills({
      actions,
      status: {
        ...half.status,
        stages: [
          {
            name: 'dev',
            ...stage,
            runningAction: {
              hook: 'pre',
              revision: stage?.ledgerRevision ?? '',
              attempt: 1,
              name: 'once',
              startedAt,
            },
          },
        ],
      },
      ledger: { ...half.ledger, status: { startedActions: [begun] } },
    });
    expect(rest.verdict).to.equal('Succeeded');
    // Its start would be forgotten otherwise, and the next run would do it once more.
    expect(rest.effects.filter((effect) => effect === 'EnterStage')).to.have.lengthOf(1);
    expect(rest.ledger.status?.completedActions?.map(({ action }) => action)).to.deep.equal([
      'once',
    ]);
  });

  it('come to the same end, or to a person, however often the process is killed', () => {
    const type = fc.constantFrom<Action[]>(
      [http('')],
      [{ name: '', wait: { duration: '1s' } }],
      [{ name: '', job: { sourceRef: { name: 'jobs' } } }],
      [http('', { scope: 'Lifetime' })],
      [{ name: '', job: { sourceRef: { name: 'jobs' } }, scope: 'Lifetime' }],
      [http('', { retries: 1 })],
    );
    const list = fc.array(type, { maxLength: 4 });
    const kill = fc.tuple(fc.nat(40), fc.constantFrom('Before' as const, 'Halfway' as const));
    fc.assert(
      fc.property(list, list, fc.array(kill, { maxLength: 8 }), (pre, post, kills) => {
        const named = (hook: string, types: Action[][]): Action[] =>
          types.flatMap(([action], index) =>
            action === undefined ? [] : [{ ...action, name: `${hook}-${index}` }],
          );
        const actions = { pre: named('pre', pre), post: named('post', post) };
        const life = liveWithKills({ actions, kills: new Map(kills), mostEffects: 600 });
        expect(life.repeated).to.deep.equal([]);
        expect(life.verdict).to.be.oneOf(['Succeeded', 'ActionDirty']);
        for (const { name, scope } of [...actions.pre, ...actions.post]) {
          if (scope === 'Lifetime') expect(life.begun.get(name) ?? 0, name).to.be.at.most(1);
        }
        if (life.verdict !== 'Succeeded') return;
        // All of them are on record in the order of their lists.
        const done = life.status.stages?.[0]?.executedActions ?? [];
        const once = (life.ledger.status?.completedActions ?? []).map(({ action }) => action);
        const all = [...actions.pre, ...actions.post].map(({ name }) => name);
        expect([...done, ...once].sort()).to.deep.equal(all.sort());
      }),
      { numRuns: 300 },
    );
  });
});
