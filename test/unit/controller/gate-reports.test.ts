import { expect } from 'chai';
import { GateReports } from '../../../src/controller/gate-reports.ts';
import type { Answer, Ask } from '../../../src/core/gates/asks.ts';
import type { BudgetMemory } from '../../../src/core/gates/budget-memory.ts';
import { newRun } from '../../../src/core/new-run.ts';
import { type Correction, type RunProgress, withStage, withStep } from '../../../src/core/run.ts';
import { instant } from '../../../src/core/time.ts';
import type { EventRecord, EventRecorder } from '../../../src/kubernetes/events.ts';
import { createMetrics, type Metrics } from '../../../src/server/metrics.ts';
import type { PromotionPhase } from '../../../src/types/stages.ts';
import { artifactOf, noon, snapshotOf, specOf, stageSetOf } from '../core/snapshot-builder.ts';

const at = instant(0);
const source = { webhook: { url: 'https://slo.example.com', jsonPath: '{.a}' } };
const errorBudget = { source, freezeThreshold: '0.1' };
const spec = specOf(['dev', 'prod'], { errorBudget });
const stageSet = stageSetOf({
  ...spec,
  stages: spec.stages.map((stage) => ({ ...stage, errorBudget })),
});

const freeze = { remaining: '0.05', freezeThreshold: '0.1', resumeThreshold: '0.25' };
const exhausted: BudgetMemory = { freeze, remaining: 0.05, held: true };
const unavailable: BudgetMemory = { freeze, sourceError: 'it answered 500', held: true };
const released: BudgetMemory = { freeze, sourceError: 'it answered 500', held: false };
const fine: BudgetMemory = { freeze: undefined, remaining: 0.5, held: false };
const dry: BudgetMemory = {
  freeze: { ...freeze, dryRun: true },
  remaining: 0.05,
  held: false,
};
const nothingNew: BudgetMemory = { freeze: undefined };

const started = newRun(snapshotOf(stageSet), [artifactOf('dev'), artifactOf('prod')]);

/** The run with what is remembered of its budget, and of that of stage `prod`. */
function runWith(budget: BudgetMemory | undefined, ofProd?: BudgetMemory): RunProgress {
  const run = { ...started, ...(budget === undefined ? {} : { budget }) };
  return ofProd === undefined ? run : withStage(run, 1, (stage) => ({ ...stage, budget: ofProd }));
}

function correctionOf(interrupted: RunProgress): Correction {
  return { objects: [], interrupted };
}

function atGates(run: RunProgress, phase: PromotionPhase): RunProgress {
  return withStep(run, 0, { kind: 'AtGates', state: { phase } });
}

describe('reports of gates (part B 9.1, 9.2)', () => {
  let metrics: Metrics;
  let events: EventRecord[];
  let reports: GateReports;
  let last: RunProgress | undefined;

  beforeEach(() => {
    metrics = createMetrics(() => 0);
    events = [];
    last = undefined;
    const recorder: Pick<EventRecorder, 'record'> = { record: (event) => void events.push(event) };
    reports = new GateReports(recorder as EventRecorder, metrics.controller);
  });

  async function series(pattern = /^stageset_(stage_)?budget|^stageset_metric/): Promise<string[]> {
    const lines = (await metrics.registry.metrics()).split('\n');
    return lines.filter((line) => pattern.test(line));
  }

  function move(run: RunProgress): void {
    reports.moved(stageSet, last, run);
    last = run;
  }

  it('have what remains of the budget, and whether it holds', async () => {
    move(runWith(exhausted, exhausted));
    expect(await series()).to.deep.equal([
      'stageset_budget_remaining{namespace="team",name="shop"} 0.05',
      'stageset_budget_frozen{namespace="team",name="shop"} 1',
      'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 1',
    ]);
    move(runWith(fine, fine));
    expect(await series()).to.deep.equal([
      'stageset_budget_remaining{namespace="team",name="shop"} 0.5',
      'stageset_budget_frozen{namespace="team",name="shop"} 0',
      'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 0',
    ]);
  });

  it('have no freeze where it is only recorded', async () => {
    move(runWith(dry));
    expect(await series()).to.include('stageset_budget_frozen{namespace="team",name="shop"} 0');
  });

  it('have no freeze any more once the source cannot be read (edge case 20, part B 13)', async () => {
    for (const outage of [unavailable, released]) {
      move(runWith(exhausted, exhausted));
      move(runWith(outage, outage));
      expect(await series()).to.include.members([
        'stageset_budget_remaining{namespace="team",name="shop"} 0.05',
        'stageset_budget_frozen{namespace="team",name="shop"} 0',
        'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 0',
      ]);
    }
  });

  it('have no freeze where no revision is new, and none of a budget that is still to be asked', async () => {
    move(runWith({ freeze }));
    expect(await series()).to.deep.equal([]);
    move(runWith(exhausted, exhausted));
    move(runWith(nothingNew, nothingNew));
    expect(await series()).to.include.members([
      'stageset_budget_frozen{namespace="team",name="shop"} 0',
      'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 0',
    ]);
  });

  it('say which stages wait at their gates, and which are blocked', async () => {
    const told = async (): Promise<string> => {
      const lines = await series(/^stageset_stage_promotion_.*stage="dev"/);
      return lines.map((line) => line.split(' ').at(-1)).join(' ');
    };
    move(started);
    expect(await told()).to.equal('0 0');
    move(atGates(started, 'Soaking'));
    expect(await told()).to.equal('1 0');
    const blocked = atGates(started, 'Blocked');
    move(blocked);
    expect(await told()).to.equal('1 1');
    // What is corrected meanwhile passes no gate.
    move({ ...withStep(started, 0, { kind: 'Ready' }), correction: correctionOf(blocked) });
    expect(await told()).to.equal('1 1');
    move(atGates(started, 'AwaitingManual'));
    expect(await told()).to.equal('1 0');
    move(withStep(started, 0, { kind: 'Ready' }));
    expect(await told()).to.equal('0 0');
    metrics.controller.forgetStage({ namespace: 'team', name: 'shop' }, 'dev');
    expect(await told()).to.equal('');
  });

  it('count each metric that was read in vain, whatever the gate (gap: part B 4.5)', async () => {
    const metric: Ask = { kind: 'Metric', source };
    const check = { name: 'web', selector: {} };
    const answers: Answer[] = [
      { kind: 'Value', value: 1, at },
      { kind: 'Unreadable', message: 'gone', at },
      { kind: 'Denied', message: 'no', at },
    ];
    for (const answer of answers) {
      reports.answered(stageSet, metric, answer);
      reports.answered(stageSet, { kind: 'Restarts', stage: 'dev', check }, answer);
    }
    expect(await series()).to.deep.equal([
      'stageset_metric_source_errors_total{namespace="team",name="shop"} 2',
    ]);
  });

  it('end with the stage, with the budget in the spec, and with the StageSet', async () => {
    const report = (): void => {
      const each = (run: RunProgress, index: number): RunProgress =>
        withStage(run, index, (stage) => ({ ...stage, budget: exhausted }));
      reports.moved(stageSet, undefined, each(each(runWith(exhausted), 0), 1));
      reports.answered(stageSet, { kind: 'Metric', source }, { kind: 'Denied', message: '', at });
    };
    const name = { namespace: 'team', name: 'shop' };
    report();
    metrics.controller.forgetStage(name, 'dev');
    expect((await series()).filter((line) => line.includes('"dev"'))).to.deep.equal([]);
    expect(await series()).to.have.length(4);
    reports.settled(stageSet);
    expect(await series()).to.have.length(4);
    reports.settled(stageSetOf(specOf(['dev', 'prod'])));
    expect(await series()).to.deep.equal([
      'stageset_metric_source_errors_total{namespace="team",name="shop"} 1',
    ]);
    report();
    metrics.controller.forgetStageSet(name);
    expect(await series()).to.deep.equal([]);
  });

  it('tell of a freeze and of an outage once, where Ready does not turn over it', () => {
    const told = (): unknown[] =>
      events.splice(0).map(({ type, reason, note }) => [type, reason, note]);
    move(runWith(exhausted));
    move(runWith({ ...exhausted, remaining: 0.04 }));
    expect(told()).to.deep.equal([
      [
        'Normal',
        'BudgetExhausted',
        'The error budget is exhausted, 0.05 remains: new revisions wait until it is 0.25 or more',
      ],
    ]);
    move(runWith(unavailable));
    move(runWith({ ...unavailable, sourceError: 'it gave no answer' }));
    expect(told()).to.deep.equal([
      [
        'Warning',
        'BudgetSourceUnavailable',
        'The error budget cannot be read, new revisions wait until it can be read: it answered 500',
      ],
    ]);
    move(runWith(undefined, dry));
    expect(told()).to.deep.equal([
      [
        'Normal',
        'BudgetExhausted',
        'The error budget of stage prod is exhausted, 0.05 remains: with dryRun, nothing is held for it',
      ],
    ]);
    move(runWith(undefined, released));
    expect(told()).to.deep.equal([
      [
        'Warning',
        'BudgetSourceUnavailable',
        'The error budget of stage prod cannot be read, new revisions are released without it: it answered 500',
      ],
    ]);
    const hold = { holds: [], reason: 'BudgetExhausted', message: '', until: undefined };
    const outcome: RunProgress['outcome'] = { kind: 'Held', at: noon, stage: 'dev', hold };
    move({ ...runWith(exhausted), outcome });
    expect(told()).to.deep.equal([]);
  });

  it('do not tell of a freeze again that the status remembers', () => {
    const known = { ...stageSet, status: { budgetFreeze: freeze } };
    reports.moved(known, undefined, runWith({ freeze }));
    reports.moved(known, runWith({ freeze }), runWith(exhausted));
    expect(events).to.deep.equal([]);
  });
});
