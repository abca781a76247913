import { expect } from 'chai';
import fc from 'fast-check';
import { decide } from '../../../../src/core/decide.ts';
import { dependencyUnmet } from '../../../../src/core/gates/dependencies.ts';
import {
  cycleThrough,
  type DependencyFacts,
  type DependencyGraph,
} from '../../../../src/core/gates/dependency-graph.ts';
import { after, between, minutes } from '../../../../src/core/time.ts';
import type { StageSetSpec } from '../../../../src/types/stages.ts';
import {
  noon,
  pending,
  ready,
  snapshotOf,
  specOf,
  stageSetOf,
  unavailable,
} from '../snapshot-builder.ts';

type Dependencies = NonNullable<StageSetSpec['dependsOn']>;

const well: DependencyFacts = {
  generation: 3,
  observedGeneration: 3,
  ready: { status: 'True', reason: 'Succeeded' },
  holdsRevision: false,
  version: undefined,
  deleting: false,
  dependsOn: [],
};

function verdictOn(
  dependsOn: Dependencies,
  graph: Readonly<Record<string, DependencyFacts>>,
): string {
  const stageSet = stageSetOf(specOf(['dev'], { dependsOn }));
  const rest = dependencyUnmet(
    snapshotOf(stageSet, { dependencies: new Map(Object.entries(graph)) }),
  );
  return rest === undefined
    ? 'met'
    : `${rest.ready?.reason ?? 'nothing'}: ${rest.ready?.message ?? ''}`;
}

describe('a dependency', () => {
  const cases: [string, DependencyFacts | undefined, Partial<Dependencies[number]>, string][] = [
    ['that is ready is met', well, {}, 'met'],
    ['that does not exist is not', undefined, {}, 'StageSet team/base does not exist'],
    [
      'that no controller has seen is not',
      { ...well, ready: undefined },
      {},
      'StageSet team/base has not been looked at yet',
    ],
    [
      'that failed is not',
      { ...well, ready: { status: 'False', reason: 'StageFailed' } },
      {},
      'StageSet team/base is not ready (StageFailed)',
    ],
    [
      'that is under way is not',
      { ...well, ready: { status: 'Unknown', reason: 'Progressing' } },
      {},
      'StageSet team/base is not ready (Progressing)',
    ],
    [
      'that is ready for an older spec is not',
      { ...well, generation: 4 },
      {},
      'StageSet team/base is ready for generation 3, and its spec is at 4',
    ],
    [
      'that is being deleted is not',
      { ...well, deleting: true },
      {},
      'StageSet team/base is being deleted',
    ],
    [
      // Part A 11, 31.
      'that holds a revision in an update window is not',
      { ...well, holdsRevision: true },
      {},
      'StageSet team/base holds a newer revision back (status.pendingUpdate)',
    ],
    ['at the least version is met', { ...well, version: 'v1.4' }, { minVersion: '1.4.0' }, 'met'],
    [
      'below the least version is not',
      { ...well, version: '1.3.9' },
      { minVersion: 'v1.4' },
      'StageSet team/base is at version 1.3.9, version v1.4 is needed',
    ],
    [
      'without a version is not, where one is needed',
      well,
      { minVersion: '1.4.0' },
      'StageSet team/base has no version yet, version 1.4.0 is needed',
    ],
    [
      'with a version that cannot be read is not, where one is needed',
      { ...well, version: 'latest' },
      { minVersion: '1.4.0' },
      'StageSet team/base has a version that is no semantic version, version 1.4.0 is needed',
    ],
    ['with a version that nobody asks for is met', { ...well, version: 'latest' }, {}, 'met'],
  ];
  for (const [name, facts, more, said] of cases) {
    it(name, () => {
      const graph: Record<string, DependencyFacts> = {};
      if (facts !== undefined) graph['team/base'] = facts;
      expect(verdictOn([{ name: 'base', ...more }], graph)).to.equal(
        said === 'met' ? said : `DependencyNotReady: ${said}`,
      );
    });
  }

  it('with an empty namespace is in the own one', () => {
    expect(verdictOn([{ name: 'base', namespace: '' }], { 'team/base': well })).to.equal('met');
  });

  it('in another namespace can be met', () => {
    const dependsOn = [{ name: 'base', namespace: 'platform' }];
    expect(verdictOn(dependsOn, { 'platform/base': well })).to.equal('met');
  });

  it('in another namespace is told of in one sentence, whatever is wrong with it', () => {
    const dependsOn = [{ name: 'base', namespace: 'platform', minVersion: '2.0.0' }];
    const wrongs: (DependencyFacts | undefined)[] = [
      undefined,
      { ...well, deleting: true },
      { ...well, ready: { status: 'False', reason: 'RBACDenied' } },
      { ...well, generation: 9 },
      { ...well, version: '1.0.0' },
    ];
    const said = wrongs.map((facts) =>
      verdictOn(dependsOn, facts === undefined ? {} : { 'platform/base': facts }),
    );
    expect(new Set(said)).to.deep.equal(
      new Set([
        'DependencyNotReady: StageSet base in namespace platform cannot be relied on: references ' +
          'to other namespaces are forbidden here, or it is not ready, or it has not delivered ' +
          'version 2.0.0',
      ]),
    );
  });

  it('is one of many that are told of, up to ten', () => {
    const dependsOn = Array.from({ length: 12 }, (_, index) => ({ name: `base-${index}` }));
    expect(verdictOn(dependsOn, {})).to.match(
      /^DependencyNotReady: StageSet team\/base-0 does not exist; .*base-9 does not exist; and 2 more$/,
    );
  });

  it('that is not ready is looked at again after retryInterval, give or take 5 %', () => {
    const spec = specOf(['dev'], { dependsOn: [{ name: 'base' }], retryInterval: '2m' });
    const wakeAt = dependencyUnmet(snapshotOf(stageSetOf(spec)))?.wakeAt ?? noon;
    expect(between(noon, wakeAt)).to.be.within(minutes(1.9), minutes(2.1));
  });
});

describe('a cycle of dependencies', () => {
  const cycles: [string, Dependencies, Record<string, DependencyFacts>, string][] = [
    ['of itself', [{ name: 'shop' }], {}, 'team/shop'],
    [
      'of two',
      [{ name: 'base' }],
      { 'team/base': { ...well, dependsOn: ['team/shop'] } },
      'team/base',
    ],
    [
      'that leads through another namespace',
      [{ name: 'other' }, { name: 'base', namespace: 'platform' }],
      {
        'team/other': well,
        'platform/base': { ...well, dependsOn: ['secret/thing'] },
        'secret/thing': { ...well, dependsOn: ['team/shop'] },
      },
      'platform/base',
    ],
  ];
  for (const [name, dependsOn, graph, through] of cycles) {
    it(`${name} stalls, and is looked at every minute`, () => {
      const stageSet = stageSetOf(specOf(['dev'], { dependsOn }));
      const dependencies = new Map(Object.entries(graph));
      expect(dependencyUnmet(snapshotOf(stageSet, { dependencies }))).to.deep.equal({
        kind: 'Rest',
        ready: {
          status: 'False',
          reason: 'Stalled',
          message:
            `the dependsOn graph forms a cycle: StageSet ${through} depends on this one in the ` +
            'end; remove one of the references of the cycle',
        },
        wakeAt: after(noon, minutes(1)),
      });
    });
  }

  it('among others only keeps this one waiting', () => {
    const looping = { ...well, ready: { status: 'False', reason: 'Stalled' } };
    expect(
      verdictOn([{ name: 'a' }], {
        'team/a': { ...looping, dependsOn: ['team/b'] },
        'team/b': { ...looping, dependsOn: ['team/a'] },
      }),
    ).to.equal('DependencyNotReady: StageSet team/a is not ready (Stalled)');
  });

  it('does not end at one that is missing: that is a leaf', () => {
    expect(cycleThrough('a', ['b'], new Map([['b', { ...well, dependsOn: ['c'] }]]))).to.equal(
      undefined,
    );
  });

  it('is found exactly where a way leads back', () => {
    const node = fc.nat(7).map(String);
    const edges = fc.array(fc.tuple(node, node), { maxLength: 24 });
    fc.assert(
      fc.property(edges, (pairs) => {
        const graph: DependencyGraph = new Map(
          Array.from({ length: 8 }, (_, from) => [
            String(from),
            {
              ...well,
              dependsOn: pairs.filter(([one]) => one === String(from)).map(([, to]) => to),
            },
          ]),
        );
        const from = graph.get('0')?.dependsOn ?? [];
        const found = cycleThrough('0', from, graph);
        const back = from.findIndex((first) => canReach(graph, first, '0'));
        expect(found === undefined ? -1 : 0).to.equal(back === -1 ? -1 : 0);
        if (found !== undefined) expect(canReach(graph, from[found] ?? '', '0')).to.equal(true);
      }),
    );
  });
});

/** By plain repetition: what is reached after as many steps as there are nodes. */
function canReach(graph: DependencyGraph, from: string, to: string): boolean {
  let reached = new Set([from]);
  for (let step = 0; step < graph.size; step += 1) {
    reached = new Set([
      ...reached,
      ...[...reached].flatMap((at) => graph.get(at)?.dependsOn ?? []),
    ]);
  }
  return reached.has(to);
}

describe('the dependency gate', () => {
  const spec = specOf(['dev', 'prod'], { dependsOn: [{ name: 'base' }] });

  it('is asked before the sources', () => {
    const sources = [unavailable('ArtifactNotFound'), ready('prod')];
    const { next } = decide(snapshotOf(stageSetOf(spec), { sources }));
    expect(next.kind === 'Rest' && next.ready?.reason).to.equal('DependencyNotReady');
  });

  it('is asked after suspension and after the spec is judged', () => {
    const suspended = decide(snapshotOf(stageSetOf({ ...spec, suspend: true })));
    expect(suspended.next.kind === 'Rest' && suspended.next.ready?.reason).to.equal('Suspended');
    const problems = [{ path: 'spec', message: 'is no good' }];
    const refused = decide(snapshotOf(stageSetOf(spec), { problems }));
    expect(refused.next.kind === 'Rest' && refused.next.ready?.reason).to.equal('InvalidSpec');
  });

  it('does not end a run that is under way', () => {
    const met = snapshotOf(stageSetOf(spec), { dependencies: new Map([['team/base', well]]) });
    const { run } = decide(met);
    expect(run?.stages.map(({ step }) => step)).to.deep.equal([pending, pending]);
    const { next } = decide({ ...met, run, dependencies: new Map() });
    expect(next).to.deep.equal({ kind: 'PrepareStage', stage: 0 });
  });
});
