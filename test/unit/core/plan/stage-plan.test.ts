import { expect } from 'chai';
import {
  type Findings,
  type StageFindings,
  stagePlan,
} from '../../../../src/core/plan/stage-plan.ts';
import { planPage } from '../../../../src/core/plan/text.ts';
import type {
  Hold,
  PlannedChange,
} from '../../../../src/types/generated/subresources.stages.metio.wtf.v1.ts';

const soak: Hold = {
  gate: 'Soak',
  stage: 'web',
  reason: 'Stage web is healthy and soaks until 2026-11-27T12:00:00Z',
  since: '2026-11-27T11:00:00Z',
  until: '2026-11-27T12:00:00Z',
  releasedBy: 'Time',
};
const person: Hold = {
  gate: 'ManualPromotion',
  stage: 'web',
  reason: 'waits',
  releasedBy: 'Person',
};

function change(verb: PlannedChange['verb'], name: string): PlannedChange {
  return { verb, apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name };
}

function stage(name: string, found: Partial<StageFindings> = {}): StageFindings {
  return {
    name,
    sourceRef: { name },
    identity: 'controller',
    currentRevision: 'v1',
    revision: 'v1',
    changes: [],
    unchanged: 3,
    failure: undefined,
    actions: [],
    entryHolds: [],
    holds: [],
    ...found,
  };
}

function plan(found: Partial<Findings>): ReturnType<typeof stagePlan> {
  return stagePlan({
    runId: 'abc',
    trigger: 'SourceChanged',
    invalid: undefined,
    holds: [],
    stages: [],
    shown: undefined,
    ...found,
  });
}

const applies = { changes: [change('Update', 'web')] };
const fails = { failure: { message: 'no such file', blame: 'World' } } as const;

describe('the verdict of a plan', () => {
  const table: [string, Partial<Findings>, string, string[]][] = [
    ['nothing to do', { stages: [stage('web')] }, 'UpToDate', ['UpToDate']],
    ['an object to change', { stages: [stage('web', applies)] }, 'WillApply', ['WillApply']],
    [
      'a stage that was asked for, behind a gate of one that was not',
      { stages: [stage('web', { holds: [person] }), stage('api', applies)], shown: ['api'] },
      'Blocked',
      ['Blocked'],
    ],
    [
      'another revision of the same content',
      { stages: [stage('web', { revision: 'v2' })] },
      'WillApply',
      ['WillApply'],
    ],
    [
      'a soak before the next stage',
      { stages: [stage('web', { holds: [soak] }), stage('api', applies)] },
      'Held',
      ['Held', 'Held'],
    ],
    [
      'a person before the next stage',
      { stages: [stage('web', { holds: [person] }), stage('api', applies)] },
      'Blocked',
      ['Blocked', 'Blocked'],
    ],
    [
      'a stage that applies first and is held then',
      { stages: [stage('web', { ...applies, holds: [soak] }), stage('api', applies)] },
      'WillApply',
      ['WillApply', 'Held'],
    ],
    [
      'a stage that fails, and another behind it',
      { stages: [stage('web', fails), stage('api', applies), stage('end')] },
      'Blocked',
      ['Blocked', 'Blocked', 'UpToDate'],
    ],
    [
      'an object of somebody else',
      { stages: [stage('web', { changes: [change('Conflict', 'web')] })] },
      'Blocked',
      ['Blocked'],
    ],
    ['a spec that is refused', { invalid: 'spec.stages: needed' }, 'Invalid', []],
  ];
  for (const [what, found, verdict, stages] of table) {
    it(`of ${what} is ${verdict}`, () => {
      const made = plan(found);
      expect(made.verdict).to.equal(verdict);
      expect(made.stages.map((each) => each.verdict)).to.deep.equal(stages);
    });
  }

  it('counts a moved object as an update', () => {
    const { stages } = plan({ stages: [stage('web', { changes: [change('Move', 'web')] })] });
    expect(stages[0]?.objects).to.deep.equal({
      create: 0,
      update: 1,
      recreate: 0,
      prune: 0,
      conflict: 0,
      unchanged: 3,
    });
  });
});

describe('the digest of a plan', () => {
  it('is the same for the same decisions at another time', () => {
    const later = {
      ...soak,
      since: '2026-11-28T11:00:00Z',
      reason: 'soaks',
      until: '2026-11-28T12:00:00Z',
    };
    const digest = (hold: Hold): string =>
      plan({ stages: [stage('web', { holds: [hold] })] }).digest;
    expect(digest(soak)).to.equal(digest(later));
    expect(digest(soak)).to.match(/^sha256:[0-9a-f]{64}$/);
  });

  it('differs where one change, one gate or the run differs', () => {
    const digests = [
      plan({ stages: [stage('web')] }),
      plan({ stages: [stage('web', applies)] }),
      plan({ stages: [stage('web', { holds: [soak] })] }),
      plan({ stages: [stage('web', { holds: [person] })] }),
      plan({ runId: 'abd', stages: [stage('web')] }),
    ].map(({ digest }) => digest);
    expect(new Set(digests).size).to.equal(digests.length);
  });
});

describe('the page of a plan', () => {
  it('reads from top to bottom', () => {
    const update = {
      ...change('Update', 'web'),
      fields: [
        { path: 'data.color', from: 'red', to: 'blue' },
        { path: 'data.size', to: 3 },
      ],
    };
    const volume: PlannedChange = {
      verb: 'Prune',
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      namespace: 'shop',
      name: 'data',
      dataBearing: true,
    };
    const foreign = { ...change('Conflict', 'other'), owner: 'StageSet team/else' };
    const made = plan({
      stages: [
        stage('web', {
          revision: 'v2',
          changes: [change('Create', 'new'), update, volume],
          holds: [soak],
        }),
        stage('api', { changes: [foreign] }),
      ],
    });
    expect(
      planPage({ namespace: 'shop', name: 'web' }, made),
    ).to.equal(`StageSet shop/web: WillApply
The next run creates 1, updates 1, prunes 1 objects
run abc, SourceChanged

stage web: WillApply  v1 -> v2
  as controller
  1 to create, 1 to update, 0 to recreate, 1 to prune, 0 in conflict, 3 unchanged
  + v1 ConfigMap shop/new
  ~ v1 ConfigMap shop/web
      data.color: "red" -> "blue"
      data.size: (none) -> 3
  - v1 PersistentVolumeClaim shop/data  DATA IS LOST
  held by Soak until 2026-11-27T12:00:00Z, released by time: Stage web is healthy and soaks until 2026-11-27T12:00:00Z

stage api: Blocked  v1
  as controller
  0 to create, 0 to update, 0 to recreate, 0 to prune, 1 in conflict, 3 unchanged
  x v1 ConfigMap shop/other
      belongs to StageSet team/else
`);
  });

  it('lets no name or message begin a line or steer a terminal', () => {
    const made = plan({
      stages: [
        stage('web', { failure: { message: 'a\nstage evil: UpToDate\u001b[2J', blame: 'World' } }),
      ],
    });
    const page = planPage({ namespace: 'shop', name: 'web' }, made);
    expect(page).to.include('  a stage evil: UpToDate [2J');
    expect(page).not.to.include('\u001b');
  });
});
