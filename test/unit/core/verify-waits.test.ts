import { expect } from 'chai';
import { settleActions } from '../../../src/core/actions/settle-actions.ts';
import { decide } from '../../../src/core/decide.ts';
import type { ExpressionVerdict } from '../../../src/core/health/expressions.ts';
import { lookBy } from '../../../src/core/look-by.ts';
import type { RunProgress, StageStep, Wait } from '../../../src/core/run.ts';
import { after, type Instant, milliseconds, minutes, seconds } from '../../../src/core/time.ts';
import {
  afterLook,
  beginWait,
  describeWait,
  minutesPassed,
  settleWaits,
} from '../../../src/core/waits.ts';
import type { StageSetSpec } from '../../../src/types/stages.ts';
import {
  at,
  done,
  establishing,
  health,
  noon,
  pending,
  snapshotOf,
  specOf,
  stageSetOf,
  verifying,
} from './snapshot-builder.ts';

const end = after(noon, minutes(5));

function settled(now: Instant, step: StageStep, rest: Partial<StageSetSpec> = {}): RunProgress {
  const world = snapshotOf(stageSetOf(specOf(['dev'], { timeout: '5m', ...rest })));
  const { run } = decide(world);
  if (run === undefined) throw new Error('a run starts at the first look');
  return settleActions(settleWaits(at(run, step), { ...world, now }), { ...world, now });
}

type Verdict = ExpressionVerdict['verdict'];

/** All objects are current, and the expressions say this of one object each. */
function asked(...verdicts: Verdict[]): Extract<StageStep, Wait> {
  const told = verdicts.map((verdict, index): ExpressionVerdict => {
    const { object } = health(`web-${index}`);
    return { object, verdict, message: `${verdict} it says` };
  });
  const subjects = told.map(({ object }) => ({ object, exprs: [0] }));
  return { ...verifying(health('web')), expressions: { subjects, verdicts: told } };
}

function atTheEnd<Step extends Wait>(step: Step): Step {
  return { ...step, nextLook: after(end, minutes(1)) };
}

/** `Ready`, `waiting`, `held` or the message of the failure. */
function endOf({ stages, outcome }: RunProgress): string {
  if (outcome?.kind === 'Failed') return outcome.failure.message;
  if (outcome?.kind === 'Progressing') return `held: ${outcome.message}`;
  return stages[0]?.step.kind === 'AtGates' ? 'ready' : 'waiting';
}

const converging = verifying(health('web', 'InProgress'));

describe('the end of the time of a stage (part A 6.5)', () => {
  const rollback = { onTimeout: 'Rollback' } as const;
  const rows: readonly (readonly [string, StageStep, Partial<StageSetSpec>, string])[] = [
    [
      'kstatus: no object Failed, Hold: holds',
      converging,
      {},
      'held: Stage dev is still converging after 5m0s (spec.timeout), nothing failed; waiting for ' +
        '1 of 1 not ready: Deployment/team/web: InProgress it is',
    ],
    [
      'kstatus: no object Failed, Rollback: fails',
      converging,
      rollback,
      'not ready within 5m0s (spec.timeout), and onTimeout is Rollback: ' +
        '1 of 1 not ready: Deployment/team/web: InProgress it is',
    ],
    [
      'kstatus: an object that cannot be read, Hold: holds, since a read blip must not undo a release',
      verifying(health('web', 'Unknown')),
      {},
      'held: Stage dev is still converging after 5m0s (spec.timeout), nothing failed; waiting for ' +
        '1 of 1 not ready: Deployment/team/web: Unknown it is',
    ],
    [
      'kstatus: some object Failed, Hold: fails',
      verifying(health('web', 'Failed')),
      {},
      '1 of 1 not ready: Deployment/team/web: Failed it is',
    ],
    [
      'kstatus: some object Failed, Rollback: fails',
      verifying(health('web', 'Failed')),
      rollback,
      '1 of 1 not ready: Deployment/team/web: Failed it is',
    ],
    [
      'CEL: one that is not ready is in progress, Hold: holds',
      asked('Ready', 'NotReady', 'Converging'),
      {},
      'held: Stage dev is still converging after 5m0s (spec.timeout), nothing failed; waiting for ' +
        '2 of 3 not ready: Deployment/team/web-1: NotReady it says; ' +
        'Deployment/team/web-2: Converging it says',
    ],
    [
      'CEL: one that is not ready is in progress, Rollback: fails',
      asked('Converging'),
      rollback,
      'not ready within 5m0s (spec.timeout), and onTimeout is Rollback: ' +
        '1 of 1 not ready: Deployment/team/web-0: Converging it says',
    ],
    [
      'CEL: none in progress, Hold: fails',
      asked('Ready', 'NotReady'),
      {},
      'not ready within 5m0s (spec.timeout), and nothing is in progress: ' +
        '1 of 2 not ready: Deployment/team/web-1: NotReady it says',
    ],
    [
      'CEL: none in progress, Rollback: fails',
      asked('NotReady'),
      rollback,
      'not ready within 5m0s (spec.timeout), and onTimeout is Rollback: ' +
        '1 of 1 not ready: Deployment/team/web-0: NotReady it says',
    ],
  ];
  for (const [name, step, spec, expected] of rows) {
    it(name, () => {
      const looked = step.kind === 'Verifying' ? atTheEnd(step) : step;
      expect(endOf(settled(end, looked, spec))).to.equal(expected);
    });
  }

  it('takes onTimeout of the stage, then of the spec, then Hold', () => {
    const stage = (onTimeout: 'Hold' | 'Rollback'): Partial<StageSetSpec> => ({
      stages: [{ name: 'dev', sourceRef: { name: 'dev' }, onTimeout }],
    });
    const ends = (spec: Partial<StageSetSpec>): string | undefined =>
      settled(end, atTheEnd(converging), spec).outcome?.kind;
    expect(ends({})).to.equal('Progressing');
    expect(ends(rollback)).to.equal('Failed');
    expect(ends({ ...stage('Hold'), ...rollback })).to.equal('Progressing');
    expect(ends({ ...stage('Rollback'), onTimeout: 'Hold' })).to.equal('Failed');
  });

  it('fails with backoff and the reason StageFailed', () => {
    const { outcome } = settled(end, atTheEnd(converging), rollback);
    const failure = outcome?.kind === 'Failed' ? outcome.failure : undefined;
    expect([failure?.reason, failure?.operation, failure?.retry]).to.deep.equal([
      'StageFailed',
      'verify',
      'Backoff',
    ]);
  });

  it('says which bound was hit', () => {
    const message = (spec: Partial<StageSetSpec>): string =>
      endOf(
        settled(
          after(noon, minutes(60)),
          { ...converging, nextLook: after(noon, minutes(61)) },
          spec,
        ),
      );
    const stage = { name: 'dev', sourceRef: { name: 'dev' } };
    expect(message({})).to.include('after 5m0s (spec.timeout)');
    expect(message({ stages: [{ ...stage, timeout: '2m' }] })).to.include(
      'after 2m0s (timeout of the stage)',
    );
    expect(
      message({ stages: [{ ...stage, timeout: '2m', readyChecks: { timeout: '1m' } }] }),
    ).to.include('after 1m0s (readyChecks.timeout of the stage)');
    expect(message({ timeout: '0s' })).to.include('after 15m0s (the default)');
  });
});

describe('a stage with expressions', () => {
  it('is ready when all of them are satisfied', () => {
    expect(endOf(settled(noon, asked('Ready', 'Ready')))).to.equal('ready');
  });

  it('is not ready before they were asked', () => {
    const step = { ...asked('Ready'), nextLook: after(noon, seconds(1)) };
    const unasked = { ...step, expressions: { subjects: [], verdicts: undefined } };
    expect(endOf(settled(noon, unasked))).to.equal('waiting');
  });

  it('fails at once when one says so, whatever the others say', () => {
    expect(endOf(settled(noon, asked('Ready', 'Converging', 'Failed')))).to.equal(
      '2 of 3 not ready: Deployment/team/web-2: Failed it says; ' +
        'Deployment/team/web-1: Converging it says',
    );
  });

  for (const verdict of ['NotReady', 'Converging'] as const) {
    it(`waits while one says ${verdict}`, () => {
      const step = { ...asked('Ready', verdict), nextLook: after(noon, seconds(1)) };
      expect(endOf(settled(noon, step))).to.equal('waiting');
    });
  }

  it('does not rely on what they said while an object is no longer current', () => {
    const step = { ...asked('Ready'), health: [health('web', 'InProgress')] };
    expect(endOf(settled(noon, { ...step, nextLook: after(noon, seconds(1)) }))).to.equal(
      'waiting',
    );
    expect(describeWait(step)).to.equal('1 of 1 not ready: Deployment/team/web: InProgress it is');
  });
});

describe('the looks of a wait', () => {
  it('begin at once when expressions are to be asked or an object was not read', () => {
    const expressions = { subjects: [], verdicts: undefined };
    expect(beginWait(noon, minutes(5), [health('web')], expressions).nextLook).to.equal(noon);
    expect(beginWait(noon, minutes(5), [health('web', 'Unknown')]).nextLook).to.equal(noon);
    expect(beginWait(noon, minutes(5), [health('web', 'InProgress')]).nextLook).to.equal(
      noon + 100,
    );
  });

  it('[gap] fall on the end of the one bound that objects and expressions share', () => {
    let step: Wait = beginWait(noon, seconds(5), [health('web', 'InProgress')], {
      subjects: [],
      verdicts: undefined,
    });
    const times: number[] = [];
    while (step.nextLook < noon + 9_000) {
      const now = step.nextLook;
      times.push(now - noon);
      step = afterLook(step, { health: step.health, news: 'Polled', began: now, ended: now });
    }
    expect(times).to.deep.equal([0, 200, 600, 1400, 3000, 5000, 7000]);
    const late = afterLook(step, {
      health: [],
      news: 'Polled',
      began: after(noon, seconds(4)),
      ended: after(noon, seconds(6)),
    });
    expect(late.nextLook, 'a look that began before the end does not count as the last').to.equal(
      noon + 5000,
    );
  });

  it('see at the end how the objects are then, not how they were', () => {
    const early = { ...converging, nextLook: after(noon, minutes(5)) };
    expect(endOf(settled(end, early))).to.equal('waiting');
    const looked = afterLook(early, {
      health: [health('web')],
      news: 'Polled',
      began: end,
      ended: end,
    });
    expect(endOf(settled(end, looked))).to.equal('ready');
  });

  it('are at most 2 s apart', () => {
    let step: Wait = beginWait(noon, minutes(60), [health('web', 'InProgress')]);
    for (let look = 0; look < 50; look += 1) {
      const now = step.nextLook;
      step = afterLook(step, { health: step.health, news: 'Polled', began: now, ended: now });
      expect(step.nextLook - now).to.be.within(100, 2000);
    }
  });

  it('can be brought forward by news', () => {
    const later = { ...converging, nextLook: after(noon, seconds(30)) };
    const world = snapshotOf(stageSetOf(specOf(['dev', 'prod'])));
    const { run } = decide(world);
    if (run === undefined) throw new Error('a run starts at the first look');
    for (const step of [
      later,
      { ...establishing(health('crd', 'InProgress')), nextLook: later.nextLook },
    ]) {
      const waiting = at(run, done, step);
      expect(decide({ ...world, run: waiting }).next).to.include({
        kind: 'Rest',
        wakeAt: later.nextLook,
      });
      expect(decide({ ...world, run: lookBy(waiting, noon) }).next).to.deep.equal({
        kind: 'LookAtHealth',
        stage: 1,
      });
    }
  });

  it('are not brought forward where nothing is waited for', () => {
    const world = snapshotOf(stageSetOf(specOf(['dev'])));
    const { run } = decide(world);
    if (run === undefined) throw new Error('a run starts at the first look');
    for (const still of [at(run, pending), at(run, done)]) {
      expect(lookBy(still, noon)).to.equal(still);
    }
  });

  it('give a sign of life each minute', () => {
    const step = { ...converging, lookedAt: after(noon, seconds(59)) };
    expect(minutesPassed(step, after(noon, milliseconds(59_999)))).to.equal(undefined);
    expect(minutesPassed(step, after(noon, seconds(60)))).to.equal(1);
    const next = { ...converging, lookedAt: after(noon, seconds(60)) };
    expect(minutesPassed(next, after(noon, seconds(62)))).to.equal(undefined);
    expect(minutesPassed(next, after(noon, seconds(190)))).to.equal(3);
    expect(minutesPassed(converging, after(noon, seconds(30)))).to.equal(undefined);
  });
});
