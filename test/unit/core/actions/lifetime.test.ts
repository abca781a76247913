import { expect } from 'chai';
import {
  type AnchorLook,
  askedAnchors,
  interruptedActions,
  ledgerAdopted,
  settledStatus,
  settleLedger,
  withCompletion,
  withoutStart,
  withStart,
} from '../../../../src/core/actions/lifetime.ts';
import { instant } from '../../../../src/core/time.ts';
import type {
  Action,
  BaselineEntry,
  CompletedAction,
  StageLedger,
  StageLedgerStatus,
  StageSetSpec,
} from '../../../../src/types/stages.ts';

const now = instant(Date.parse('2026-03-01T12:00:00Z'));
const before = '2026-01-01T00:00:00Z';
const anchor = { apiVersion: 'v1', kind: 'ConfigMap', name: 'seeded' };
const witness = { ...anchor, uid: 'uid-1' };

function action(name: string, more: Partial<Action> = {}): Action {
  return { name, scope: 'Lifetime', wait: { duration: '1s' }, ...more };
}

/** A StageSet of the stage `data` with these pre and post actions, and a stage `app` without any. */
function specOf(pre: readonly Action[], post: readonly Action[] = []): StageSetSpec {
  const actions = { pre: [...pre], post: [...post] };
  return {
    stages: [
      { name: 'data', sourceRef: { name: 'data' }, actions },
      { name: 'app', sourceRef: { name: 'app' } },
    ],
  };
}

function ledgerOf(
  status: StageLedgerStatus = {},
  baseline: readonly BaselineEntry[] = [],
): StageLedger {
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageLedger',
    metadata: { name: 'shop', namespace: 'team', generation: 3 },
    ...(baseline.length === 0 ? {} : { spec: { baseline: [...baseline] } }),
    status,
  };
}

function executed(name: string, more: Partial<CompletedAction> = {}): CompletedAction {
  return { stage: 'data', action: name, origin: 'Executed', completedAt: before, ...more };
}

function entry(name: string): BaselineEntry {
  return { stage: 'data', action: name };
}

const anchored = action('seed', { completionAnchor: anchor });

function looks(look: AnchorLook): Map<string, AnchorLook> {
  return new Map([['data/seed', look]]);
}

/** The ledger's status after it was settled, and the events of that. */
function settled(
  spec: StageSetSpec,
  ledger: StageLedger,
  found: ReadonlyMap<string, AnchorLook> = new Map(),
): { status: StageLedgerStatus; events: readonly unknown[] } {
  const { settlement, events } = settleLedger(spec, ledger, found, now);
  return { status: settledStatus(ledger, settlement), events };
}

describe('the ledger of actions that are done once', () => {
  describe('with a witness', () => {
    const spec = specOf([anchored]);
    const ledger = ledgerOf({ completedActions: [executed('seed', { anchor: witness })] });

    it('asks for the object that was seen when the action was done', () => {
      expect(askedAnchors(spec, ledger)).to.deep.equal([
        { key: 'data/seed', stage: 'data', anchor: witness },
      ]);
    });

    it('keeps a completion whose witness is the same object', () => {
      const { status, events } = settled(spec, ledger, looks({ kind: 'Found', uid: 'uid-1' }));
      expect(status).to.deep.equal(ledger.status);
      expect(events).to.deep.equal([]);
    });

    for (const { what, look, why } of [
      { what: 'gone', look: { kind: 'NotFound' }, why: 'is gone' },
      {
        what: 'another object',
        look: { kind: 'Found', uid: 'uid-2' },
        why: 'is another object now',
      },
    ] as const) {
      it(`drops a completion whose witness is ${what}, and says so`, () => {
        const { status, events } = settled(spec, ledger, looks(look));
        expect(status.completedActions).to.deep.equal([]);
        expect(events).to.deep.equal([
          { kind: 'Invalidated', completion: executed('seed', { anchor: witness }), why },
        ]);
      });
    }

    it('keeps a completion whose witness cannot be read, and warns: an outage repeats nothing', () => {
      const look = { kind: 'Unreadable', message: 'forbidden' } as const;
      const { status, events } = settled(spec, ledger, looks(look));
      expect(status).to.deep.equal(ledger.status);
      expect(events).to.deep.equal([
        {
          kind: 'AnchorUnreadable',
          completion: executed('seed', { anchor: witness }),
          why: 'forbidden',
        },
      ]);
    });

    it('keeps a completion whose witness nobody has looked at', () => {
      expect(settled(spec, ledger).status).to.deep.equal(ledger.status);
    });

    it('asks for none when the spec has taken it out, and keeps the completion', () => {
      const without = specOf([action('seed')]);
      expect(askedAnchors(without, ledger)).to.deep.equal([]);
      const { status } = settled(without, ledger, looks({ kind: 'NotFound' }));
      expect(status).to.deep.equal(ledger.status);
    });

    it('asks for none of an action that was done without', () => {
      const done = ledgerOf({ completedActions: [executed('seed')] });
      expect(askedAnchors(spec, done)).to.deep.equal([]);
      expect(settled(spec, done, looks({ kind: 'NotFound' })).status).to.deep.equal(done.status);
    });

    it('asks for none of an action that is not done', () => {
      expect(askedAnchors(spec, ledgerOf())).to.deep.equal([]);
    });

    it('does not drop what was completed again since the look', () => {
      const { settlement } = settleLedger(spec, ledger, looks({ kind: 'NotFound' }), now);
      const again = executed('seed', { anchor: { ...anchor, uid: 'uid-3' } });
      const status = settledStatus(ledgerOf({ completedActions: [again] }), settlement);
      expect(status.completedActions).to.deep.equal([again]);
    });
  });

  describe('with a baseline', () => {
    const spec = specOf([action('seed')], [action('announce')]);
    const valid = {
      type: 'BaselineValid',
      status: 'True',
      reason: 'AllResolved',
      message: 'Every entry of spec.baseline names an action of scope Lifetime',
      lastTransitionTime: '2026-03-01T12:00:00Z',
      observedGeneration: 3,
    } as const;
    const baselined = (name: string): CompletedAction => ({
      stage: 'data',
      action: name,
      origin: 'Baselined',
      completedAt: '2026-03-01T12:00:00Z',
    });

    it('promotes entries that name a pre or a post action of scope Lifetime', () => {
      const { status, events } = settled(spec, ledgerOf({}, [entry('seed'), entry('announce')]));
      expect(status).to.deep.equal({
        completedActions: [baselined('seed'), baselined('announce')],
        conditions: [valid],
      });
      expect(events).to.deep.equal([]);
    });

    it('never downgrades what was executed here', () => {
      const ledger = ledgerOf({ completedActions: [executed('seed')] }, [entry('seed')]);
      expect(settled(spec, ledger).status.completedActions).to.deep.equal([executed('seed')]);
    });

    it('revokes nothing when an entry is removed', () => {
      const ledger = ledgerOf({ completedActions: [baselined('seed')], conditions: [valid] });
      expect(settled(spec, ledger).status).to.deep.equal(ledger.status);
    });

    it('records the witness of an action that has one, when it can be read', () => {
      const ledger = ledgerOf({}, [entry('seed')]);
      const anchoredSpec = specOf([anchored]);
      expect(askedAnchors(anchoredSpec, ledger)).to.deep.equal([
        { key: 'data/seed', stage: 'data', anchor },
      ]);
      const { status } = settled(anchoredSpec, ledger, looks({ kind: 'Found', uid: 'uid-1' }));
      expect(status.completedActions).to.deep.equal([{ ...baselined('seed'), anchor: witness }]);
    });

    for (const look of [
      { kind: 'NotFound' },
      { kind: 'Unreadable', message: 'forbidden' },
    ] as const) {
      it(`promotes without a witness one that is ${look.kind}`, () => {
        const { status } = settled(specOf([anchored]), ledgerOf({}, [entry('seed')]), looks(look));
        expect(status.completedActions).to.deep.equal([baselined('seed')]);
      });
    }

    it('waits with an entry until its witness was looked at, and does not call it unresolved', () => {
      const { status, events } = settled(specOf([anchored]), ledgerOf({}, [entry('seed')]));
      const { observedGeneration, ...notAllTakenOver } = valid;
      expect(observedGeneration).to.equal(3);
      expect(status).to.deep.equal({ conditions: [notAllTakenOver] });
      expect(events).to.deep.equal([]);
      const later = settled(
        specOf([anchored]),
        ledgerOf(status, [entry('seed')]),
        looks({ kind: 'NotFound' }),
      );
      expect(later.status).to.deep.equal({
        completedActions: [baselined('seed')],
        conditions: [valid],
      });
    });

    for (const look of [{ kind: 'NotFound' }, { kind: 'Found', uid: 'uid-2' }] as const) {
      it(`does not promote again what has lost its witness, which is ${look.kind} now`, () => {
        const anchoredSpec = specOf([anchored]);
        const promoted = settled(
          anchoredSpec,
          ledgerOf({}, [entry('seed')]),
          looks({ kind: 'Found', uid: 'uid-1' }),
        );
        let ledger = ledgerOf(promoted.status, [entry('seed')]);
        for (let run = 0; run < 2; run += 1) {
          const { status } = settled(anchoredSpec, ledger, looks(look));
          expect(status.completedActions).to.deep.equal([]);
          ledger = ledgerOf(status, [entry('seed')]);
        }
        expect(askedAnchors(anchoredSpec, ledger)).to.deep.equal([]);
      });
    }

    it('promotes it again when a person edits the baseline', () => {
      const dropped = ledgerOf({ completedActions: [], conditions: [valid] }, [entry('seed')]);
      const edited = { ...dropped, metadata: { ...dropped.metadata, generation: 4 } };
      const { status } = settled(specOf([anchored]), edited, looks({ kind: 'NotFound' }));
      expect(status.completedActions).to.deep.equal([baselined('seed')]);
    });

    it('does not take an entry for taken over that a person added meanwhile', () => {
      const { settlement } = settleLedger(spec, ledgerOf({}, [entry('seed')]), new Map(), now);
      const edited = ledgerOf({}, [entry('seed'), entry('announce')]);
      const later = { ...edited, metadata: { ...edited.metadata, generation: 4 } };
      const { conditions } = settledStatus(later, settlement);
      expect(conditions).to.deep.equal([valid]);
    });

    it('ends the doubt about an action that was started', () => {
      const startedActions = [
        { ...entry('seed'), startedAt: before },
        { ...entry('other'), startedAt: before },
      ];
      const { status } = settled(spec, ledgerOf({ startedActions }, [entry('seed')]));
      expect(status.startedActions).to.deep.equal([{ ...entry('other'), startedAt: before }]);
      expect(status.completedActions).to.deep.equal([baselined('seed')]);
    });

    it('takes a duplicate entry once', () => {
      const { status } = settled(spec, ledgerOf({}, [entry('seed'), entry('seed')]));
      expect(status.completedActions).to.deep.equal([baselined('seed')]);
    });

    it('has no condition when there is none and never was', () => {
      expect(settled(spec, ledgerOf()).status).to.deep.equal({});
    });

    it('is valid again when the last entry goes', () => {
      const broken = settled(spec, ledgerOf({}, [entry('nothing')])).status;
      const { status, events } = settled(spec, ledgerOf(broken));
      expect(status.conditions).to.deep.equal([valid]);
      expect(events).to.deep.equal([]);
    });

    it('promotes nothing that a person took out of it meanwhile', () => {
      const { settlement } = settleLedger(spec, ledgerOf({}, [entry('seed')]), new Map(), now);
      const status = settledStatus(ledgerOf({}, [entry('announce')]), settlement);
      expect(status.completedActions).to.equal(undefined);
    });

    describe('that names what there is not', () => {
      const message =
        'These entries of spec.baseline name no pre or post action of scope Lifetime of the StageSet; ' +
        'correct or remove them, or they count as soon as there is such an action: data/typo';

      it('holds the entry, lists it, and warns once', () => {
        const first = settled(spec, ledgerOf({}, [entry('seed'), entry('typo')]));
        expect(first.status.completedActions).to.deep.equal([baselined('seed')]);
        expect(first.status.conditions).to.deep.equal([
          { ...valid, status: 'False', reason: 'Unresolved', message },
        ]);
        expect(first.events).to.deep.equal([{ kind: 'BaselineInvalid', message }]);
        const second = settled(spec, ledgerOf(first.status, [entry('seed'), entry('typo')]));
        expect(second.status).to.deep.equal(first.status);
        expect(second.events).to.deep.equal([]);
      });

      it('warns again when the list changes', () => {
        const { status } = settled(spec, ledgerOf({}, [entry('typo')]));
        const { events } = settled(spec, ledgerOf(status, [entry('typo'), entry('more')]));
        expect(events).to.deep.equal([
          { kind: 'BaselineInvalid', message: `${message}, data/more` },
        ]);
      });

      it('promotes the entry as soon as there is such an action', () => {
        const { status } = settled(spec, ledgerOf({}, [entry('typo')]));
        const later = settled(specOf([action('typo')]), ledgerOf(status, [entry('typo')]));
        expect(later.status.completedActions).to.deep.equal([baselined('typo')]);
        expect(later.status.conditions).to.deep.equal([valid]);
      });

      for (const { what, spec: other } of [
        { what: 'another scope', spec: specOf([action('typo', { scope: 'Version' })]) },
        { what: 'no scope', spec: specOf([{ name: 'typo', wait: { duration: '1s' } }]) },
      ]) {
        it(`does not take an action of ${what} for one`, () => {
          const { events } = settled(other, ledgerOf({}, [entry('typo')]));
          expect(events).to.deep.equal([{ kind: 'BaselineInvalid', message }]);
        });
      }
    });
  });

  describe('that a new StageSet finds', () => {
    const stageSet = {
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'StageSet',
      metadata: { name: 'shop', namespace: 'team' },
    } as const;
    const ledger = ledgerOf({ completedActions: [executed('seed'), executed('more')] });

    it('is adopted, which is told', () => {
      expect(ledgerAdopted(stageSet, ledger)).to.deep.equal({ kind: 'Adopted', completions: 2 });
    });

    it('is not adopted when it is empty, or by a StageSet that has stages on record', () => {
      expect(ledgerAdopted(stageSet, ledgerOf())).to.equal(undefined);
      const known = { ...stageSet, status: { stages: [] } };
      expect(ledgerAdopted(known, ledger)).to.equal(undefined);
    });
  });

  describe('of what was started', () => {
    const started = { ...entry('seed'), startedAt: before };

    it('has a start once, with the time of the first', () => {
      const ledger = ledgerOf({ startedActions: [started] });
      expect(withStart(ledger, { ...started, startedAt: 'later' })).to.deep.equal(ledger.status);
    });

    it('forgets the start with the completion, which takes the place of a baselined one', () => {
      const ledger = ledgerOf({
        startedActions: [started],
        completedActions: [executed('seed', { origin: 'Baselined' }), executed('more')],
      });
      expect(withCompletion(ledger, executed('seed'))).to.deep.equal({
        startedActions: [],
        completedActions: [executed('more'), executed('seed')],
      });
    });

    it('forgets a start without a completion', () => {
      expect(withoutStart(ledgerOf({ startedActions: [started] }), entry('seed'))).to.deep.equal({
        startedActions: [],
      });
      expect(withoutStart(ledgerOf(), entry('seed'))).to.deep.equal({});
    });

    it('tells which ends nobody knows', () => {
      const other = { ...entry('more'), startedAt: before };
      const ledger = ledgerOf({
        startedActions: [started, other],
        completedActions: [executed('seed')],
      });
      expect(interruptedActions(ledger)).to.deep.equal([other]);
    });
  });
});
