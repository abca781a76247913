import { expect } from 'chai';
import { after, between, instant, minutes } from '../../../../src/core/time.ts';
import type { Analysis } from '../../../../src/types/stages.ts';
import { noon } from '../snapshot-builder.ts';
import { gatesOf, heldBy, metric, StageAtGates } from './stage-at-gates.ts';

const errors = { name: 'errors', source: metric('errors'), threshold: { max: '5' } };

function analysed(rest: Partial<Analysis> = {}): { analysis: Analysis } {
  return { analysis: { checks: [errors], interval: '2m', ...rest } };
}

describe('a stage whose metrics are analysed', () => {
  it('passes while they are within their thresholds, bounds included', () => {
    const stage = new StageAtGates(analysed());
    expect(stage.settle(() => 5).kind).to.equal('Promoted');
    expect(stage.state?.lastAnalysis).to.deep.equal({
      time: '2026-01-01T12:00:00.000Z',
      passed: true,
      checks: [{ name: 'errors', value: '5', ok: true }],
    });
  });

  it('is blocked by one failure, where none is tolerated, and says which metric', () => {
    const hold = heldBy(new StageAtGates(analysed()).settle(() => 7.25));
    expect(hold.reason).to.equal('PromotionBlocked');
    expect(hold.message).to.include(
      'Stage dev is blocked: its analysis failed 1 time(s) in a row, and failureLimit tolerates 0: ' +
        'errors is 7.25 (max 5) (since 2026-01-01T12:00:00Z); looked at again at 2026-01-01T12:02:00Z',
    );
    expect(hold.holds[0]).to.deep.include({ gate: 'Analysis', releasedBy: 'Metric' });
    expect(hold.state).to.deep.include({ phase: 'Blocked', analysisFailures: 1 });
    expect(hold.until).to.equal(after(noon, minutes(2)));
  });

  it('is held while it fails within the limit, and blocked beyond it', () => {
    const stage = new StageAtGates(analysed({ failureLimit: 2 }));
    const seen = [1, 2, 3].map(() => {
      const hold = heldBy(stage.settle(() => 6));
      stage.wait('2m');
      return [hold.reason, hold.state.phase, hold.state.analysisFailures];
    });
    expect(seen).to.deep.equal([
      ['Soaking', 'Analyzing', 1],
      ['Soaking', 'Analyzing', 2],
      ['PromotionBlocked', 'Blocked', 3],
    ]);
    expect(stage.settle(() => 1).kind).to.equal('Promoted');
  });

  it('counts failures in a row only', () => {
    const stage = new StageAtGates({ ...analysed({ failureLimit: 1 }), soak: '30m' });
    const values = [6, 1, 6, 1, 6, 6];
    const reasons = values.map((value) => {
      const { reason } = heldBy(stage.settle(() => value));
      stage.wait('2m');
      return reason;
    });
    expect(reasons).to.deep.equal([...Array<string>(5).fill('Soaking'), 'PromotionBlocked']);
  });

  it('[gap] counts intervals, not looks (part B 3.2)', () => {
    const stage = new StageAtGates({ ...analysed({ failureLimit: 2 }), soak: '30m' });
    for (let second = 0; second < 230; second += 1) {
      stage.settle(() => 6);
      // Something else wakes the StageSet, and now and then the controller restarts.
      stage.wait('1s');
      if (second % 50 === 0) stage.restart();
    }
    expect(stage.told.Metric).to.have.length(2);
    expect(stage.state).to.deep.include({ phase: 'Soaking', analysisFailures: 2 });
    const pauses = stage.told.Metric.slice(1).map((at, index) =>
      between(stage.told.Metric[index] ?? instant(0), at),
    );
    expect(pauses).to.deep.equal([120_000]);
  });

  it('[gap] is evaluated at each interval of a soak, not at its ends alone (part B 3.2)', () => {
    const stage = new StageAtGates({ ...analysed(), soak: '30m' });
    const untils = [0, 1, 2].map(() => {
      const { until = noon } = heldBy(stage.settle(() => 1));
      stage.now = until;
      return between(noon, until);
    });
    expect(untils).to.deep.equal([120_000, 240_000, 360_000]);
    expect(heldBy(stage.settle(() => 6)).reason).to.equal('PromotionBlocked');
  });

  it('must pass at the end of the soak, which counts as no failure before its interval', () => {
    const stage = new StageAtGates({ ...analysed(), soak: '3m' });
    stage.settle(() => 1);
    stage.wait('2m').settle(() => 1);
    const hold = heldBy(stage.wait('1m').settle(() => 6));
    expect(hold).to.deep.include({ reason: 'Soaking', until: after(noon, minutes(5)) });
    expect(hold.message).to.include(
      'Stage dev is healthy, but its analysis does not pass: errors is 6 (max 5); looked at again',
    );
    expect(hold.state.analysisFailures).to.equal(undefined);
    expect(gatesOf({ kind: 'Held', hold, open: [] })).to.deep.equal(['Analysis']);
    expect(heldBy(stage.wait('2m').settle(() => 6)).reason).to.equal('PromotionBlocked');
  });

  it('must pass at the moment at which a person lets the stage pass', () => {
    const stage = new StageAtGates({ ...analysed(), requireManualPromotion: true });
    expect(heldBy(stage.settle(() => 1)).reason).to.equal('AwaitingPromotion');
    stage.wait('1m');
    const at = '2026-01-01T12:01:00Z';
    stage.more = { advances: [{ at, stage: 'dev', gate: 'ManualPromotion', via: 'API' }] };
    expect(heldBy(stage.settle(() => 6)).state.phase).to.equal('Analyzing');
    expect(stage.wait('2m').settle(() => 1).kind).to.equal('Promoted');
  });

  it('takes an unreadable metric for a failure, without a word about what was answered', () => {
    const hold = heldBy(new StageAtGates(analysed()).settle(() => ({ unreadable: 'status 503' })));
    expect(hold.message).to.include('errors (status 503)');
    expect(hold.state.lastAnalysis?.checks).to.deep.equal([
      { name: 'errors', ok: false, error: 'status 503' },
    ]);
  });

  it('passes an unreadable metric over, where that is allowed', () => {
    const latency = { name: 'latency', source: metric('latency'), threshold: { max: '1' } };
    const checks = [errors, latency];
    const stage = new StageAtGates(analysed({ checks, onSourceError: 'Allow' }));
    const verdict = stage.settle((ask) =>
      ask.kind === 'Metric' && ask.source.prometheus?.query === 'errors'
        ? { unreadable: 'status 503' }
        : 0.5,
    );
    expect(verdict.kind).to.equal('Promoted');
    expect(stage.state?.lastAnalysis?.checks).to.deep.equal([
      { name: 'errors', error: 'status 503' },
      { name: 'latency', value: '0.5', ok: true },
    ]);
  });

  it('is held where a token may not be read, for a minute each time, which is no failure', () => {
    const stage = new StageAtGates(analysed());
    const hold = heldBy(stage.settle(() => ({ denied: 'deployer cannot get secrets' })));
    expect(hold).to.deep.include({ reason: 'RBACDenied', until: after(noon, minutes(1)) });
    expect(hold.state.analysisFailures).to.equal(undefined);
    expect(stage.wait('1m').settle(() => 1).kind).to.equal('Promoted');
  });

  it('is never held by a dry run, which is on record', () => {
    const stage = new StageAtGates({ ...analysed({ dryRun: true }), soak: '4m' });
    const hold = heldBy(stage.settle(() => 9));
    expect(hold).to.deep.include({ reason: 'Soaking' });
    expect(hold.holds.map(({ gate }) => gate)).to.deep.equal(['Soak']);
    stage.wait('2m').settle(() => 9);
    expect(stage.state?.analysisFailures).to.equal(2);
    expect(stage.wait('2m').look().kind).to.equal('Promoted');
    expect(stage.state?.lastAnalysis?.passed).to.equal(false);
  });

  it('takes a threshold that is no number for a breach', () => {
    const checks = [{ ...errors, threshold: { max: 'five' } }];
    const hold = heldBy(new StageAtGates(analysed({ checks })).settle(() => 1));
    expect(hold.reason).to.equal('PromotionBlocked');
    expect(hold.message).to.include('errors (the threshold has no decimal min or max');
  });

  it('asks once for a metric that several checks are about', () => {
    const checks = [errors, { ...errors, name: 'too few', threshold: { min: '1' } }];
    const verdict = new StageAtGates(analysed({ checks })).look();
    expect(verdict.kind === 'Asks' && verdict.asks).to.have.length(1);
  });

  it('has an interval of its own, else that of retries, and none below a second', () => {
    const asked = (interval: string | undefined): number => {
      const checks = [errors];
      const analysis = interval === undefined ? { checks } : { checks, interval };
      const hold = heldBy(new StageAtGates({ analysis, soak: '30m' }).settle(() => 1));
      return between(noon, hold.until ?? noon);
    };
    expect([asked('90s'), asked(undefined), asked('0s'), asked('1ms')]).to.deep.equal([
      90_000, 60_000, 60_000, 1000,
    ]);
  });

  it('is passed by an advance of this gate alone', () => {
    const stage = new StageAtGates({ ...analysed(), requireManualPromotion: true });
    stage.settle(() => 9);
    const at = '2026-01-01T12:00:00Z';
    stage.more = { advances: [{ at, stage: 'dev', gate: 'Analysis', via: 'API' }] };
    expect(gatesOf(stage.look())).to.deep.equal(['ManualPromotion']);
  });
});

describe('a soak that a metric may end', () => {
  const fastTrack = { source: metric('errors'), max: '0.001' };

  it('ends when the metric is good, and then all else must be known as of then', () => {
    const stage = new StageAtGates({ soak: '30m', fastTrack, requireManualPromotion: true });
    expect(heldBy(stage.settle(() => 0.5)).reason).to.equal('Soaking');
    expect(stage.state?.lastFastTrack).to.deep.equal({
      time: '2026-01-01T12:00:00.000Z',
      value: '0.5',
    });
    expect(heldBy(stage.wait('1m').settle(() => 0.001)).reason).to.equal('AwaitingPromotion');
  });

  it('is not judged before the part of it that always has to pass', () => {
    const stage = new StageAtGates({ soak: '30m', fastTrack: { ...fastTrack, after: '5m' } });
    expect(heldBy(stage.settle(() => 0)).until).to.equal(after(noon, minutes(5)));
    expect(stage.wait('4m').look().kind).to.equal('Held');
    expect(stage.told.Metric).to.deep.equal([]);
    expect(stage.wait('1m').settle(() => 0).kind).to.equal('Promoted');
  });

  it('[gap] is looked at with the analysis, else at the retry interval (part B 3.2)', () => {
    const asked = (interval?: string): number => {
      const checks = [{ name: 'latency', source: metric('latency'), threshold: { max: '9' } }];
      const analysis = interval === undefined ? {} : { analysis: { checks, interval } };
      const stage = new StageAtGates({ soak: '30m', fastTrack, ...analysis });
      return between(noon, heldBy(stage.settle(() => 1)).until ?? noon);
    };
    expect([asked(), asked('20s')]).to.deep.equal([60_000, 20_000]);
  });

  it('goes on while the metric cannot be read, and never longer than without', () => {
    const stage = new StageAtGates({ soak: '3m', fastTrack });
    const hold = heldBy(stage.settle(() => ({ unreadable: 'status 503' })));
    expect(hold.reason).to.equal('Soaking');
    expect(hold.message).to.not.include('503');
    stage.wait('1m').settle(() => ({ denied: 'no' }));
    expect(stage.wait('2m').look().kind).to.equal('Promoted');
  });

  it('still needs the analysis to pass', () => {
    const checks = [{ name: 'latency', source: metric('latency'), threshold: { max: '9' } }];
    const analysis = { checks, failureLimit: 3 };
    const stage = new StageAtGates({ soak: '30m', fastTrack, analysis });
    const verdict = stage.settle((ask) =>
      ask.kind === 'Metric' && ask.source.prometheus?.query === 'latency' ? 10 : 0,
    );
    expect(heldBy(verdict).state.phase).to.equal('Analyzing');
  });
});
