import { expect } from 'chai';
import { GateReports } from '../../../src/controller/gate-reports.ts';
import { type Answer, type Ask, askKey } from '../../../src/core/gates/asks.ts';
import type { BudgetMemory } from '../../../src/core/gates/budget-memory.ts';
import { type RunProgress, startRun } from '../../../src/core/run.ts';
import { instant } from '../../../src/core/time.ts';
import type { EventRecord, EventRecorder } from '../../../src/kubernetes/events.ts';
import { createMetrics, type Metrics } from '../../../src/server/metrics.ts';
import { artifactOf, specOf, stageSetOf } from '../core/snapshot-builder.ts';

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
const open: BudgetMemory = { freeze: undefined, remaining: 0.5, held: false };

/** A run whose budgets came to this; undefined was not asked. */
function runWith(budget: BudgetMemory | undefined, ofProd?: BudgetMemory): RunProgress {
  const run = startRun(
    {
      id: 'run',
      generation: 1,
      spec,
      attempt: 1,
      purpose: 'Rollout',
      pinned: ['dev', 'prod'].map((name) => artifactOf(name)),
      startedAt: at,
      requestedAt: undefined,
    },
    ['dev', 'prod'],
  );
  const stages = run.stages.map((stage) =>
    stage.name === 'prod' && ofProd !== undefined ? { ...stage, budget: ofProd } : stage,
  );
  return { ...run, stages, ...(budget === undefined ? {} : { budget }) };
}

describe('reports of gates (part B 9.1, 9.2)', () => {
  let metrics: Metrics;
  let events: EventRecord[];
  let reports: GateReports;

  beforeEach(() => {
    metrics = createMetrics(() => 0);
    events = [];
    const recorder: Pick<EventRecorder, 'record'> = { record: (event) => void events.push(event) };
    reports = new GateReports(recorder as EventRecorder, metrics.controller);
  });

  async function series(): Promise<string[]> {
    const lines = (await metrics.registry.metrics()).split('\n');
    return lines.filter((line) => /^stageset_(stage_)?budget|^stageset_metric/.test(line));
  }

  it('have what remains of the budget, and whether it holds', async () => {
    reports.budgetsMoved(stageSet, runWith(exhausted, exhausted));
    expect(await series()).to.deep.equal([
      'stageset_budget_remaining{namespace="team",name="shop"} 0.05',
      'stageset_budget_frozen{namespace="team",name="shop"} 1',
      'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 1',
    ]);
    reports.budgetsMoved(stageSet, runWith(open, open));
    expect(await series()).to.deep.equal([
      'stageset_budget_remaining{namespace="team",name="shop"} 0.5',
      'stageset_budget_frozen{namespace="team",name="shop"} 0',
      'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 0',
    ]);
  });

  it('have no freeze where it is only recorded', async () => {
    const recorded = { freeze: { ...freeze, dryRun: true }, remaining: 0.05, held: false };
    reports.budgetsMoved(stageSet, runWith(recorded));
    expect(await series()).to.include('stageset_budget_frozen{namespace="team",name="shop"} 0');
  });

  it('have no freeze any more once the source cannot be read (edge case 20, part B 13)', async () => {
    for (const held of [true, false]) {
      const outage = { freeze, sourceError: 'gone', held };
      reports.budgetsMoved(stageSet, runWith(exhausted, exhausted));
      reports.budgetsMoved(stageSet, runWith(outage, outage));
      expect(await series()).to.include.members([
        'stageset_budget_remaining{namespace="team",name="shop"} 0.05',
        'stageset_budget_frozen{namespace="team",name="shop"} 0',
        'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 0',
      ]);
    }
  });

  it('have no freeze where no revision is new, and change nothing where none was asked', async () => {
    reports.budgetsMoved(stageSet, runWith(exhausted, exhausted));
    reports.budgetsMoved(stageSet, runWith(undefined));
    expect(await series()).to.include('stageset_budget_frozen{namespace="team",name="shop"} 1');
    reports.budgetsMoved(stageSet, runWith({ freeze: undefined }, { freeze: undefined }));
    expect(await series()).to.include.members([
      'stageset_budget_frozen{namespace="team",name="shop"} 0',
      'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 0',
    ]);
  });

  it('count each metric that was read in vain, whatever the gate (gap: part B 4.5)', async () => {
    const check = { name: 'web', selector: {} };
    const restarts: Ask = { kind: 'Restarts', stage: 'dev', check };
    const asked = (name: string): Ask => ({
      kind: 'Metric',
      source: { webhook: { url: `https://${name}.example.com`, jsonPath: '{.a}' } },
    });
    const asks = [restarts, ...['good', 'bad', 'denied', 'unanswered'].map(asked)];
    const answers = new Map<string, Answer>([
      [askKey(restarts), { kind: 'Unreadable', message: 'gone', at }],
      [askKey(asked('good')), { kind: 'Value', value: 1, at }],
      [askKey(asked('bad')), { kind: 'Unreadable', message: 'gone', at }],
      [askKey(asked('denied')), { kind: 'Denied', message: 'no', at }],
    ]);
    reports.answered(stageSet, asks, answers);
    expect(await series()).to.deep.equal([
      'stageset_metric_source_errors_total{namespace="team",name="shop"} 2',
    ]);
  });

  it('end with the stage, with the budget in the spec, and with the StageSet', async () => {
    const name = { namespace: 'team', name: 'shop' };
    const source = errorBudget.source;
    const ask: Ask = { kind: 'Metric', source };
    reports.answered(
      stageSet,
      [ask],
      new Map([[askKey(ask), { kind: 'Denied', message: '', at }]]),
    );
    reports.budgetsMoved(stageSet, runWith(exhausted, exhausted));
    reports.settled(stageSet);
    expect(await series()).to.have.length(4);
    reports.settled(stageSetOf(specOf(['dev', 'prod'], { errorBudget })));
    expect((await series()).filter((line) => line.includes('"prod"'))).to.deep.equal([]);
    reports.settled(stageSetOf(specOf(['dev', 'prod'])));
    expect(await series()).to.deep.equal([
      'stageset_metric_source_errors_total{namespace="team",name="shop"} 1',
    ]);
    reports.budgetsMoved(stageSet, runWith(exhausted, exhausted));
    metrics.controller.forgetStage(name, 'prod');
    expect((await series()).filter((line) => line.includes('"prod"'))).to.deep.equal([]);
    metrics.controller.forgetStageSet(name);
    expect(await series()).to.deep.equal([]);
  });

  it('tell of a freeze and of an outage, of the whole and of a stage', () => {
    const down = { freeze: undefined, sourceError: 'it answered 500' };
    reports.budgetsMoved(stageSet, runWith(exhausted, { ...down, held: true }));
    reports.forgotten({ namespace: 'team', name: 'shop' });
    const dry = { freeze: { ...freeze, dryRun: true }, held: false };
    reports.budgetsMoved(stageSet, runWith({ ...down, held: false }, dry));
    expect(events.map(({ type, reason, note }) => [type, reason, note])).to.deep.equal([
      [
        'Normal',
        'BudgetExhausted',
        'The error budget is exhausted, 0.05 remains: new revisions wait until it is 0.25 or more',
      ],
      [
        'Warning',
        'BudgetSourceUnavailable',
        'The error budget of stage prod cannot be read, new revisions wait until it can be read: it answered 500',
      ],
      [
        'Warning',
        'BudgetSourceUnavailable',
        'The error budget cannot be read, new revisions are released without it: it answered 500',
      ],
      [
        'Normal',
        'BudgetExhausted',
        'The error budget of stage prod is exhausted, 0.05 remains: with dryRun, nothing is held for it',
      ],
    ]);
  });

  it('tell of an outage once, whatever its errors say and however many runs it lasts (gap: part B 4.2)', () => {
    const outage = (sourceError: string): BudgetMemory => ({ freeze: undefined, sourceError });
    for (const budget of [
      outage('it answered 500'),
      outage('it gave no answer'),
      undefined,
      outage('it answered 500'),
      open,
      outage('it answered 500'),
    ]) {
      reports.budgetsMoved(stageSet, runWith(budget));
    }
    expect(events.map(({ reason }) => reason)).to.deep.equal([
      'BudgetSourceUnavailable',
      'BudgetSourceUnavailable',
    ]);
  });

  it('tell of a freeze once, also after a restart (gap: part B 4.2)', () => {
    const status = { budgetFreeze: freeze };
    reports.budgetsMoved({ ...stageSet, status }, runWith(exhausted));
    expect(events).to.deep.equal([]);
    reports.budgetsMoved(stageSet, runWith(open));
    reports.budgetsMoved(stageSet, runWith(exhausted));
    reports.budgetsMoved(stageSet, runWith({ ...exhausted, remaining: 0.04 }));
    expect(events.map(({ reason }) => reason)).to.deep.equal(['BudgetExhausted']);
  });
});
