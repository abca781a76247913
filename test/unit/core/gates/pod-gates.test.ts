import { expect } from 'chai';
import type { Ask } from '../../../../src/core/gates/asks.ts';
import { outlivingRevision } from '../../../../src/core/gates/promotion-memory.ts';
import { after, between, instant, minutes, seconds } from '../../../../src/core/time.ts';
import { noon } from '../snapshot-builder.ts';
import {
  gatesOf,
  heldBy,
  type Saying,
  StageAtGates,
  webEvents,
  webRestarts,
} from './stage-at-gates.ts';

const restartGate = { checks: [webRestarts] };
const eventGate = { checks: [webEvents] };

function saying(restarts: Saying, events: Saying = 0): (ask: Ask) => Saying {
  return ({ kind }) => (kind === 'Restarts' ? restarts : events);
}

describe('a stage whose restarts are counted', () => {
  it('takes the first count ever for its baseline, and passes', () => {
    const stage = new StageAtGates({ restartGate });
    expect(stage.settle(saying(7)).kind).to.equal('Promoted');
    expect(stage.state?.restartBaseline).to.deep.equal([{ name: 'web', restarts: 7 }]);
  });

  it('is blocked by more restarts since then than are allowed, and says all about it', () => {
    const stage = new StageAtGates({ restartGate, soak: '10m' });
    expect(heldBy(stage.settle(saying(7))).reason).to.equal('Soaking');
    const hold = heldBy(stage.wait('2m').settle(saying(10)));
    expect(hold.reason).to.equal('PromotionBlocked');
    expect(hold.message).to.equal(
      'Stage dev is blocked: check web of its restartGate counted 3 restart(s) since the last ' +
        'promotion, and 2 are allowed (since 2026-01-01T12:02:00Z); looked at again at ' +
        '2026-01-01T12:03:00Z; it soaks until 2026-01-01T12:10:00Z; to promote it all the same: ' +
        'kubectl --namespace team annotate --overwrite stageset/shop ' +
        'stages.metio.wtf/promote=dev@$(date +%s)@v1',
    );
    expect(
      hold.holds.map(({ gate, since, releasedBy }) => [gate, since, releasedBy]),
    ).to.deep.equal([
      ['RestartGate', '2026-01-01T12:02:00Z', 'Repair'],
      ['Soak', '2026-01-01T12:00:00Z', 'Time'],
    ]);
    expect(hold.state).to.deep.include({
      phase: 'Blocked',
      since: '2026-01-01T12:02:00Z',
      soakUntil: '2026-01-01T12:10:00Z',
      restartCheck: 'web',
      observedRestarts: 3,
    });
    expect(hold.until).to.equal(after(noon, minutes(3)));
  });

  it('may have as many as are allowed', () => {
    const stage = new StageAtGates({ restartGate, soak: '10m' });
    stage.settle(saying(7));
    expect(heldBy(stage.wait('2m').settle(saying(9))).reason).to.equal('Soaking');
  });

  it('goes on when its pods are replaced by ones that stay up', () => {
    const stage = new StageAtGates({ restartGate, soak: '1m' });
    stage.settle(saying(0));
    expect(heldBy(stage.wait('1m').settle(saying(5))).reason).to.equal('PromotionBlocked');
    expect(stage.wait('1m').settle(saying(0)).kind).to.equal('Promoted');
  });

  it('[gap] is not spared because a pod that restarted more is gone (part B 3.3)', () => {
    const stage = new StageAtGates({ restartGate, soak: '10m' });
    stage.settle(saying(50));
    expect(heldBy(stage.wait('1m').settle(saying(0))).reason).to.equal('Soaking');
    const hold = heldBy(stage.wait('1m').settle(saying(3)));
    expect(hold.state).to.deep.include({ phase: 'Blocked', observedRestarts: 3 });
  });

  it('names the first check over its limit, and keeps the baselines of all', () => {
    const checks = ['a', 'b', 'c'].map((name) => ({ ...webRestarts, name }));
    const stage = new StageAtGates({ restartGate: { checks }, soak: '10m' });
    const tell =
      (more: number) =>
      (ask: Ask): number =>
        ask.kind === 'Restarts' && ask.check.name !== 'a' ? 5 + more : 1;
    stage.settle(tell(0));
    const hold = heldBy(stage.wait('1m').settle(tell(4)));
    expect(hold.state.restartCheck).to.equal('b');
    expect(hold.state.restartBaseline).to.deep.equal([
      { name: 'a', restarts: 1, observed: 1 },
      { name: 'b', restarts: 5, observed: 9 },
      { name: 'c', restarts: 5, observed: 9 },
    ]);
  });

  it('(edge case 18, part B 13) is not blocked for ever by restarts of long ago', () => {
    const stage = new StageAtGates({ restartGate });
    stage.settle(saying(7));
    // A new revision, whose pods have restarted since the last promotion, but not too often.
    stage.state = outlivingRevision(stage.state);
    stage.revision = 'v2';
    stage.wait('600m');
    expect(stage.settle(saying(9)).kind).to.equal('Promoted');
    expect(stage.state?.restartBaseline).to.deep.equal([{ name: 'web', restarts: 9 }]);
    stage.state = outlivingRevision(stage.state);
    expect(heldBy(stage.wait('600m').settle(saying(12))).state).to.deep.include({
      phase: 'Blocked',
      observedRestarts: 3,
    });
  });

  it('forgives what it has when a person promotes it', () => {
    const stage = new StageAtGates({ restartGate, soak: '10m' });
    stage.settle(saying(0));
    stage.wait('1m').settle(saying(40));
    stage.more = { request: { stage: 'dev', token: '1', revision: undefined } };
    stage.restart();
    expect(stage.look().kind).to.equal('Promoted');
    expect(stage.state?.restartBaseline).to.deep.equal([{ name: 'web', restarts: 40 }]);
  });

  it('has its limit of the spec as it is now', () => {
    const stage = new StageAtGates({ restartGate, requireManualPromotion: true });
    stage.settle(saying(0));
    expect(heldBy(stage.wait('1m').settle(saying(5))).reason).to.equal('PromotionBlocked');
    stage.promotion = {
      restartGate: { checks: [{ ...webRestarts, maxRestarts: 9 }] },
      requireManualPromotion: true,
    };
    expect(heldBy(stage.look()).reason).to.equal('AwaitingPromotion');
  });

  it('is passed by an advance of this gate alone', () => {
    const stage = new StageAtGates({ restartGate, soak: '10m' });
    stage.settle(saying(0));
    stage.wait('1m').settle(saying(40));
    const advance = { at: '2026-01-01T12:01:00Z', stage: 'dev', gate: 'RestartGate' } as const;
    stage.more = { advances: [{ ...advance, via: 'API' }] };
    expect(gatesOf(stage.settle(saying(50)))).to.deep.equal(['Soak']);
    expect(stage.wait('9m').settle(saying(60)).kind).to.equal('Promoted');
    expect(stage.state?.restartBaseline?.[0]?.restarts).to.equal(40);
  });

  it('says that it would be rolled back, where the spec wants that', () => {
    const checks = [{ ...webRestarts, onFailure: 'Rollback' as const }];
    const stage = new StageAtGates({ restartGate: { checks }, soak: '10m' });
    stage.settle(saying(0));
    const hold = heldBy(stage.wait('1m').settle(saying(3)));
    expect(hold.onFailure).to.equal('Rollback');
    expect(hold.message).to.include(
      'its onFailure is Rollback, which needs spec.rollbackOnFailure: it was not reverted',
    );
  });
});

describe('a stage whose Warning events are counted', () => {
  it('is blocked by more than are allowed', () => {
    const stage = new StageAtGates({ eventGate });
    const hold = heldBy(stage.settle(saying(0, 4)));
    expect(hold.reason).to.equal('PromotionBlocked');
    expect(hold.holds[0]).to.deep.include({
      gate: 'EventGate',
      reason:
        'Stage dev is blocked: check web of its eventGate counted 4 Warning event(s), and 0 are allowed',
      releasedBy: 'Repair',
      needs: 'override stagesets/advance in subresources.stages.metio.wtf',
    });
    expect(hold.state).to.deep.include({ phase: 'Blocked', eventCheck: 'web', observedEvents: 4 });
  });

  it('goes on when they are over', () => {
    const stage = new StageAtGates({ eventGate });
    stage.settle(saying(0, 4));
    expect(stage.wait('59s').look().kind).to.equal('Held');
    expect(stage.wait('1s').settle(saying(0, 0)).kind).to.equal('Promoted');
  });

  it('is told of its restarts first', () => {
    const stage = new StageAtGates({ restartGate, eventGate, soak: '10m' });
    stage.settle(saying(0));
    const verdict = stage.wait('1m').settle(saying(9, 9));
    expect(gatesOf(verdict)).to.deep.equal(['RestartGate', 'EventGate', 'Soak']);
    expect(heldBy(verdict).message).to.include('restartGate');
  });
});

describe('the pods of a stage at its gates', () => {
  it('are counted at the retry interval, however often the StageSet is looked at', () => {
    const stage = new StageAtGates({ restartGate, soak: '10m' });
    for (let second = 0; second < 240; second += 1) stage.wait('1s').settle(saying(0));
    const pauses = stage.told.Restarts.slice(1).map((at, index) =>
      between(stage.told.Restarts[index] ?? instant(0), at),
    );
    expect(pauses).to.deep.equal([60_000, 60_000, 60_000]);
  });

  it('are counted once more when the stage would pass', () => {
    const stage = new StageAtGates({ restartGate, soak: '90s' });
    stage.settle(saying(0));
    stage.wait('1m').settle(saying(0));
    expect(heldBy(stage.wait('30s').settle(saying(3))).reason).to.equal('PromotionBlocked');
  });

  it('are counted once more when a person lets the stage pass', () => {
    const stage = new StageAtGates({ restartGate, requireManualPromotion: true });
    expect(heldBy(stage.settle(saying(0))).reason).to.equal('AwaitingPromotion');
    stage.wait('30s');
    const at = '2026-01-01T12:00:20Z';
    const advance = { at, stage: 'dev', gate: 'ManualPromotion', via: 'API' } as const;
    stage.more = { advances: [advance] };
    expect(stage.look().kind).to.equal('Asks');
    expect(heldBy(stage.settle(saying(3))).reason).to.equal('PromotionBlocked');
  });

  it('are not judged by an answer from before the stage came to its gates', () => {
    const stage = new StageAtGates({ eventGate });
    stage.answer({ kind: 'Events', stage: 'dev', check: webEvents }, 0);
    expect(stage.wait('1s').look().kind).to.equal('Asks');
  });
});

describe('pods that cannot be counted', () => {
  it('(edge case 12, part B 13) leave all as it is, and are asked for again after longer and longer pauses', () => {
    const stage = new StageAtGates({ restartGate, soak: '5m' });
    const before = heldBy(stage.settle(saying(0))).state;
    const broken = saying({ unreadable: 'the cluster is away' });
    const pauses: number[] = [];
    stage.wait('1m');
    for (let turns = 0; turns < 5; turns += 1) {
      const verdict = stage.settle(broken);
      if (verdict.kind !== 'Unreadable') throw new Error(`it is ${verdict.kind}`);
      expect(verdict.message).to.equal('the cluster is away');
      expect(verdict.state).to.deep.equal(before);
      expect(verdict.hold?.reason).to.equal('Soaking');
      const { retryAt = stage.now } = verdict.trouble ?? {};
      pauses.push(between(stage.now, retryAt));
      stage.now = retryAt;
    }
    expect(pauses).to.deep.equal([1, 2, 4, 8, 16].map((pause) => seconds(pause)));
    expect(heldBy(stage.settle(saying(0))).reason).to.equal('Soaking');
  });

  it('never let a stage pass whose time is over', () => {
    const stage = new StageAtGates({ restartGate, soak: '1m' });
    stage.settle(saying(0));
    const verdict = stage.wait('30m').settle(saying({ unreadable: 'the cluster is away' }));
    expect(verdict.kind).to.equal('Unreadable');
    expect(verdict.kind === 'Unreadable' && verdict.hold).to.equal(undefined);
    expect(verdict.kind === 'Unreadable' && verdict.holds.map(({ gate }) => gate)).to.deep.equal([
      'RestartGate',
    ]);
  });

  it('(edge case 14, part B 13) hold the stage where the API server refuses, which says who lacks what', () => {
    const stage = new StageAtGates({ restartGate, eventGate });
    const refused = saying(0, { denied: 'deployer cannot list events' });
    const hold = heldBy(stage.settle(refused));
    expect(hold.reason).to.equal('RBACDenied');
    expect(hold.message).to.include(
      'Stage dev is healthy, but what its eventGate asks for is refused: deployer cannot list ' +
        'events; looked at again at 2026-01-01T12:01:00Z',
    );
    expect(hold.until).to.equal(after(noon, minutes(1)));
    expect(hold.onFailure).to.equal(undefined);
    expect(hold.holds[0]).to.deep.include({ gate: 'EventGate', releasedBy: 'Repair' });
    // Nobody is told another story while it is asked again.
    expect(stage.wait('59s').look().kind).to.equal('Held');
    expect(heldBy(stage.wait('1s').look()).reason).to.equal('RBACDenied');
    expect(stage.settle(saying(0)).kind).to.equal('Promoted');
  });
});
