import { expect } from 'chai';
import { GateReports } from '../../../src/controller/gate-reports.ts';
import type { Answer, Ask } from '../../../src/core/gates/asks.ts';
import type { ErrorBudgetVerdict } from '../../../src/core/gates/error-budget.ts';
import { instant } from '../../../src/core/time.ts';
import type { EventRecord, EventRecorder } from '../../../src/kubernetes/events.ts';
import { createMetrics, type Metrics } from '../../../src/server/metrics.ts';
import { specOf, stageSetOf } from '../core/snapshot-builder.ts';

const at = instant(0);
const source = { webhook: { url: 'https://slo.example.com', jsonPath: '{.a}' } };
const errorBudget = { source, freezeThreshold: '0.1' };
const spec = specOf(['dev', 'prod'], { errorBudget });
const stageSet = stageSetOf({
  ...spec,
  stages: spec.stages.map((stage) => ({ ...stage, errorBudget })),
});

const freeze = { remaining: '0.05', freezeThreshold: '0.1', resumeThreshold: '0.25' };
const exhausted: ErrorBudgetVerdict = {
  kind: 'Held',
  reason: 'BudgetExhausted',
  hold: { gate: 'ErrorBudget', reason: 'spent', releasedBy: 'Metric' },
  message: 'held',
  freeze,
  until: at,
  remaining: 0.05,
};
const unavailable: ErrorBudgetVerdict = {
  ...exhausted,
  reason: 'BudgetSourceUnavailable',
  remaining: undefined,
  sourceError: 'slo.example.com answered 500',
};

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
    reports.budgetDecided(stageSet, undefined, exhausted);
    reports.budgetDecided(stageSet, 'prod', exhausted);
    expect(await series()).to.deep.equal([
      'stageset_budget_remaining{namespace="team",name="shop"} 0.05',
      'stageset_budget_frozen{namespace="team",name="shop"} 1',
      'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 1',
    ]);
    const open = { kind: 'Open', freeze: undefined, remaining: 0.5 } as const;
    reports.budgetDecided(stageSet, undefined, open);
    reports.budgetDecided(stageSet, 'prod', open);
    expect(await series()).to.deep.equal([
      'stageset_budget_remaining{namespace="team",name="shop"} 0.5',
      'stageset_budget_frozen{namespace="team",name="shop"} 0',
      'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 0',
    ]);
  });

  it('have no freeze where it is only recorded', async () => {
    reports.budgetDecided(stageSet, undefined, { kind: 'Open', freeze, remaining: 0.05 });
    expect(await series()).to.include('stageset_budget_frozen{namespace="team",name="shop"} 0');
  });

  it('have no freeze any more once the source cannot be read (edge case 20, part B 13)', async () => {
    const allowed: ErrorBudgetVerdict = { kind: 'Open', freeze, sourceError: 'gone' };
    for (const outage of [unavailable, allowed]) {
      for (const stage of [undefined, 'prod']) {
        reports.budgetDecided(stageSet, stage, exhausted);
        reports.budgetDecided(stageSet, stage, outage);
      }
      expect(await series()).to.include.members([
        'stageset_budget_remaining{namespace="team",name="shop"} 0.05',
        'stageset_budget_frozen{namespace="team",name="shop"} 0',
        'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 0',
      ]);
    }
  });

  it('have no freeze where no revision is new, and none of a budget that is still to be asked', async () => {
    reports.budgetDecided(stageSet, undefined, exhausted);
    reports.budgetDecided(stageSet, undefined, { kind: 'Ask', ask: { kind: 'Metric', source } });
    expect(await series()).to.include('stageset_budget_frozen{namespace="team",name="shop"} 1');
    reports.budgetNotAsked(stageSet, undefined);
    reports.budgetNotAsked(stageSet, 'prod');
    expect(await series()).to.include.members([
      'stageset_budget_frozen{namespace="team",name="shop"} 0',
      'stageset_stage_budget_frozen{namespace="team",stageset="shop",stage="prod"} 0',
    ]);
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
      reports.budgetDecided(stageSet, undefined, exhausted);
      for (const stage of ['dev', 'prod']) reports.budgetDecided(stageSet, stage, exhausted);
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

  it('tell of a freeze and of an outage', () => {
    const news = [
      { kind: 'Froze', freeze },
      { kind: 'Froze', freeze: { ...freeze, dryRun: true } },
      { kind: 'Unreadable', sourceError: 'it answered 500', verdict: 'Open' },
      { kind: 'Unreadable', sourceError: 'it answered 500', verdict: 'Held' },
    ] as const;
    for (const [index, each] of news.entries()) {
      reports.budgetNews(stageSet, index % 2 === 0 ? undefined : 'prod', each, undefined);
    }
    expect(events.map(({ type, reason, note }) => [type, reason, note])).to.deep.equal([
      [
        'Normal',
        'BudgetExhausted',
        'The error budget is exhausted, 0.05 remains: new revisions wait until it is 0.25 or more',
      ],
      [
        'Normal',
        'BudgetExhausted',
        'The error budget of stage prod is exhausted, 0.05 remains: with dryRun, nothing is held for it',
      ],
      [
        'Warning',
        'BudgetSourceUnavailable',
        'The error budget cannot be read, new revisions are released without it: it answered 500',
      ],
      [
        'Warning',
        'BudgetSourceUnavailable',
        'The error budget of stage prod cannot be read, new revisions wait until it can be read: it answered 500',
      ],
    ]);
  });
});
