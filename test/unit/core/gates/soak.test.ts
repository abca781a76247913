import { expect } from 'chai';
import type { Ask } from '../../../../src/core/gates/asks.ts';
import { isParked, revertsOnFailure } from '../../../../src/core/gates/gate-rollback.ts';
import { after, minutes } from '../../../../src/core/time.ts';
import type { Promotion, PromotionState } from '../../../../src/types/stages.ts';
import { noon } from '../snapshot-builder.ts';
import { heldBy, metric, StageAtGates, webRestarts } from './stage-at-gates.ts';

const restartGate = { checks: [webRestarts] };

function restarts(count: number): (ask: Ask) => number {
  return () => count;
}

describe('the end of a soak', () => {
  it('(edge case 13, part B 13) stays where it is while another gate blocks the stage', () => {
    const stage = new StageAtGates({ soak: '10m', restartGate });
    stage.settle(restarts(0));
    expect(heldBy(stage.wait('4m').settle(restarts(5))).reason).to.equal('PromotionBlocked');
    const hold = heldBy(stage.wait('1m').settle(restarts(0)));
    expect(hold.reason).to.equal('Soaking');
    expect(hold.state.soakUntil).to.equal('2026-01-01T12:10:00Z');
    expect(stage.wait('5m').settle(restarts(0)).kind).to.equal('Promoted');
  });

  it('is past when it came while another gate blocked the stage', () => {
    const stage = new StageAtGates({ soak: '10m', restartGate });
    stage.settle(restarts(0));
    stage.wait('9m').settle(restarts(5));
    expect(stage.wait('3m').settle(restarts(0)).kind).to.equal('Promoted');
  });

  const tampered: [string, Partial<PromotionState>][] = [
    ['an earlier end', { soakUntil: '2026-01-01T12:00:01Z' }],
    ['no end', { soakUntil: '' }],
    ['an end that is no time', { soakUntil: 'soon' }],
    ['a later phase', { phase: 'AwaitingManual' }],
    ['another beginning of the phase', { since: '2025-01-01T12:00:00Z' }],
  ];
  for (const [what, change] of tampered) {
    it(`is not brought forward by ${what} in the status`, () => {
      const stage = new StageAtGates({ soak: '10m' });
      const { state } = heldBy(stage.look());
      stage.state = { ...state, ...change };
      expect(heldBy(stage.wait('9m').look()).until).to.equal(after(noon, minutes(10)));
    });
  }

  it('is moved back by a longer soak, and not forward by a shorter one', () => {
    const stage = new StageAtGates({ soak: '10m' });
    stage.look();
    stage.promotion = { soak: '1m' };
    expect(heldBy(stage.wait('5m').look()).until).to.equal(after(noon, minutes(10)));
    stage.promotion = { soak: '20m' };
    expect(heldBy(stage.look()).until).to.equal(after(noon, minutes(20)));
  });

  it('comes a whole soak after a clock was set back, and no later', () => {
    const stage = new StageAtGates({ soak: '10m' });
    stage.look();
    stage.wait('-600m');
    expect(heldBy(stage.look()).until).to.equal(after(stage.now, minutes(10)));
    expect(stage.wait('9m').look().kind).to.equal('Held');
    expect(stage.wait('1m').look().kind).to.equal('Promoted');
  });

  it('stays past when the clock is set back', () => {
    const stage = new StageAtGates({ soak: '10m', requireManualPromotion: true });
    stage.look();
    expect(heldBy(stage.wait('10m').look()).reason).to.equal('AwaitingPromotion');
    expect(heldBy(stage.wait('-60m').look()).reason).to.equal('AwaitingPromotion');
  });

  it('stays behind what was found out before it, when the clock is set back and the controller restarts', () => {
    const checks = [{ name: 'errors', source: metric('errors'), threshold: { max: '5' } }];
    const stage = new StageAtGates({ soak: '10m', analysis: { checks, interval: '1h' } });
    stage.settle(() => 1);
    expect(stage.wait('10m').look().kind).to.equal('Asks');
    stage.restart();
    expect(stage.wait('-60m').look().kind).to.equal('Asks');
    expect(heldBy(stage.settle(() => 9)).state.phase).to.equal('Analyzing');
  });

  it('is past by an advance in its own run only', () => {
    const stage = new StageAtGates({ soak: '10m', requireManualPromotion: true });
    stage.look();
    stage.wait('1m');
    const at = '2026-01-01T12:01:00Z';
    stage.more = { advances: [{ at, stage: 'dev', gate: 'Soak', via: 'API' }] };
    expect(heldBy(stage.look()).reason).to.equal('AwaitingPromotion');
    stage.more = {};
    expect(heldBy(stage.look()).reason).to.equal('Soaking');
  });

  it('is kept as an older build recorded it', () => {
    const state = {
      phase: 'Soaking',
      since: '2026-01-01T11:55:00Z',
      soakUntil: '2026-01-01T12:05:00Z',
    } as const;
    const stage = new StageAtGates({ soak: '10m' }, state);
    expect(heldBy(stage.look()).until).to.equal(after(noon, minutes(5)));
    const behind = { phase: 'AwaitingManual', since: '2026-01-01T11:55:00Z' } as const;
    const waiting = new StageAtGates({ soak: '10m', requireManualPromotion: true }, behind);
    expect(heldBy(waiting.look()).reason).to.equal('AwaitingPromotion');
  });
});

describe('a promote annotation', () => {
  const request = (revision?: string): { stage: string; token: string; revision?: string } => ({
    stage: 'dev',
    token: '1',
    ...(revision === undefined ? {} : { revision }),
  });

  function asked(revision?: string): StageAtGates {
    const checks = [{ name: 'errors', source: metric('errors'), threshold: { max: '5' } }];
    const promotion = {
      soak: '1h',
      requireManualPromotion: true,
      restartGate,
      analysis: { checks },
    };
    const stage = new StageAtGates(promotion);
    stage.settle(() => 9);
    stage.more = { request: { revision: undefined, ...request(revision) } };
    return stage;
  }

  it('passes every gate at once, and asks nobody', () => {
    const verdict = asked().look();
    expect(verdict).to.deep.include({ kind: 'Promoted' });
    expect(verdict.kind === 'Promoted' && verdict.passage.handled).to.equal('1');
  });

  it('[gap] passes the revision that somebody saw, and none that landed since (part B 3.7)', () => {
    expect(asked('v1').look().kind).to.equal('Promoted');
    const hold = heldBy(asked('v0').look());
    expect(hold.reason).to.equal('PromotionBlocked');
    expect(hold.message).to.match(/; the promote annotation is for revision v0 and is ignored$/);
  });

  it('[gap] is shown with the revision, in words that no shell runs (part B 3.7)', () => {
    const commandFor = (revision: string): string => {
      const stage = new StageAtGates({ requireManualPromotion: true });
      stage.revision = revision;
      return heldBy(stage.look()).holds[0]?.command?.split('promote=')[1] ?? '';
    };
    expect(commandFor('main@sha1:0a1b')).to.equal('dev@$(date +%s)@main@sha1:0a1b');
    expect(commandFor("a;$(rm)'b@sha1:0a")).to.equal("dev@$(date +%s)@'a;$(rm)'\\''b@sha1:0a'");
  });
});

describe('a stage that a gate has reverted', () => {
  const reverting: Promotion = { restartGate: { ...restartGate, onFailure: 'Rollback' } };
  const parked = {
    stage: 'dev',
    revision: 'v2',
    promotion: reverting,
    state: { phase: 'Blocked', abortedRevision: 'v2' } as const,
    request: undefined,
    handled: undefined,
  };

  it('(edge case 17, part B 13) stays as it is until something changes', () => {
    expect(isParked(parked)).to.equal(true);
    expect(isParked({ ...parked, revision: 'v3' })).to.equal(false);
    expect(isParked({ ...parked, promotion: { restartGate } })).to.equal(false);
    expect(isParked({ ...parked, promotion: undefined })).to.equal(false);
    expect(isParked({ ...parked, state: undefined })).to.equal(false);
    const request = { stage: 'dev', token: '2', revision: undefined };
    expect(isParked({ ...parked, request })).to.equal(false);
    expect(isParked({ ...parked, request, handled: '2' })).to.equal(true);
    expect(isParked({ ...parked, request: { ...request, stage: 'prod' } })).to.equal(true);
  });

  it('has been so by a gate, a check or an analysis that reverts, and by no dry run', () => {
    const check = { ...webRestarts, onFailure: 'Rollback' as const };
    const checks = [{ name: 'errors', source: metric('errors'), threshold: { max: '5' } }];
    const analysis = { checks, onFailure: 'Rollback' as const };
    const held = { ...webRestarts, onFailure: 'Hold' as const };
    expect([
      revertsOnFailure({ restartGate: { checks: [webRestarts, check] } }),
      revertsOnFailure({ restartGate: { checks: [held], onFailure: 'Rollback' } }),
      revertsOnFailure({ analysis }),
      revertsOnFailure({ analysis: { ...analysis, dryRun: true } }),
      revertsOnFailure({ soak: '1h' }),
    ]).to.deep.equal([true, false, true, false, false]);
  });
});
