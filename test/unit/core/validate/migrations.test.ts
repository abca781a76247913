import { expect } from 'chai';
import { admissionProblems } from '../../../../src/core/validate/admission.ts';
import type { FieldProblem } from '../../../../src/core/validate/field-problem.ts';
import {
  httpMigrationProblem,
  ladderVersionProblems,
  lostAnchors,
  migrationProblems,
} from '../../../../src/core/validate/migrations.ts';
import { stageSetProblems } from '../../../../src/core/validate/stage-set.ts';
import type { Action, Migration, StageSet, StageSetSpec } from '../../../../src/types/stages.ts';
import { specOf } from '../snapshot-builder.ts';
import { migration, steps } from '../version/ladders.ts';

const version = { value: '1.0.0' };

function told(problems: readonly FieldProblem[]): string[] {
  return problems.map(({ path, message }) => `${path}: ${message}`);
}

function problems(spec: Partial<StageSetSpec>): string[] {
  return told(migrationProblems(specOf(['dev', 'prod'], { version, ...spec })));
}

function problemsOf(fields: Partial<Migration>): string[] {
  return problems({ migrations: [migration('one', '2.0.0', fields)] });
}

describe('the migrations of a spec', () => {
  it('have no problem where nothing is wrong, or where there are none', () => {
    expect(
      problems({ migrations: [migration('one', '1.0.0'), migration('two', '2.0.0')] }),
    ).to.deep.equal([]);
    expect(problems({ migrations: [] })).to.deep.equal([]);
    expect(problems({ version: undefined, migrations: [] })).to.deep.equal([]);
  });

  it('come from one place, and are steps between versions', () => {
    const migrationsSourceRef = { sourceRef: { name: 'ladder' } };
    expect(problems({ migrationsSourceRef })).to.deep.equal([]);
    expect(
      problems({ migrationsSourceRef, migrations: [migration('one', '2.0.0')] }),
    ).to.deep.equal(['spec.migrationsSourceRef: excludes spec.migrations; keep one of them']);
    expect(told(migrationProblems(specOf(['dev'], { migrationsSourceRef })))).to.deep.equal([
      'spec.migrationsSourceRef: needs spec.version: migrations are steps between versions',
    ]);
    const producer = { sourceRef: { kind: 'JsonnetSnippet', name: 'ladder' } };
    expect(problems({ migrationsSourceRef: producer })[0]).to.match(
      /^spec.migrationsSourceRef.sourceRef.apiVersion: /,
    );
  });

  it('come from the namespace of the StageSet', () => {
    const of = (namespace: string): string[] => {
      const migrationsSourceRef = { sourceRef: { name: 'ladder', namespace } };
      const stageSet: StageSet = {
        apiVersion: 'stages.metio.wtf/v1',
        kind: 'StageSet',
        metadata: { name: 'shop', namespace: 'shop' },
        spec: specOf(['dev'], { version, migrationsSourceRef }),
      };
      return told(stageSetProblems(stageSet)).filter((text) => text.includes('namespace'));
    };
    expect([...of('shop'), ...of('')]).to.deep.equal([]);
    expect(of('other')).to.deep.equal([
      'spec.migrationsSourceRef.sourceRef.namespace: must be the namespace of the StageSet; leave it out',
    ]);
  });

  it('have names of their own (edge case 8, part B 13)', () => {
    expect(
      problems({ migrations: [migration('one', '1.0.0'), migration('one', '2.0.0')] }),
    ).to.deep.equal([
      'spec.migrations[1].name: is one, which spec.migrations[0] is called already; give it another name',
    ]);
    expect(problemsOf({ name: ' ' })[0]).to.match(/^spec.migrations\[0\].name: is empty/);
  });

  it('name their stages by names and anchors that are all different', () => {
    const stages = (one: string | undefined, other: string | undefined): StageSetSpec['stages'] =>
      [one, other].map((migrationAnchor, index) => ({
        name: index === 0 ? 'dev' : 'prod',
        sourceRef: { name: 'app' },
        ...(migrationAnchor === undefined ? {} : { migrationAnchor }),
      }));
    const of = (one?: string, other?: string): string[] =>
      problems({ stages: stages(one, other), migrations: [migration('one', '2.0.0')] });
    expect(of('db', 'web')).to.deep.equal([]);
    expect(of('db', 'db')).to.deep.equal([
      'spec.stages[1].migrationAnchor: is db, which spec.stages[0].migrationAnchor is already; choose another',
    ]);
    expect(of('prod')).to.deep.equal([
      'spec.stages[0].migrationAnchor: is prod, which spec.stages[1].name is already; choose another',
    ]);
    expect(problems({ stages: stages('db', 'db') })).to.deep.equal([]);
  });

  it('have a bounded size (edge case 11, part B 13)', () => {
    const many = Array.from({ length: 201 }, (_, index) => migration(`m${index}`, '2.0.0'));
    expect(problems({ migrations: many })).to.deep.equal([
      'spec.migrations: has 201 migrations; at most 200 are allowed',
    ]);
    expect(problems({ migrations: many.slice(1) })).to.deep.equal([]);
    const long = steps(...Array.from({ length: 101 }, (_, index) => `s${index}`));
    expect(problemsOf({ actions: long, down: long })).to.deep.equal([
      'spec.migrations[0].actions: are 101 actions; at most 100 are allowed',
      'spec.migrations[0].down: are 101 actions; at most 100 are allowed',
    ]);
    const retrying: Action[] = [{ name: 'try', wait: { duration: '1s' }, retries: 11 }];
    expect(problemsOf({ actions: retrying })).to.deep.equal([
      'spec.migrations[0].actions[0].retries: is 11; at most 10 are allowed in a migration',
    ]);
  });

  it('have actions that do one thing each, under a name of their own in each direction', () => {
    expect(problemsOf({ actions: steps('same'), down: steps('same') })).to.deep.equal([]);
    expect(problemsOf({ down: steps('same', 'same') })).to.deep.equal([
      'spec.migrations[0].down[1].name: is same, which spec.migrations[0].down[0] is called already; give ' +
        'it another name',
    ]);
    expect(problemsOf({ actions: [{ name: 'idle' }] })[0]).to.match(
      /^spec.migrations\[0\].actions\[0\]: must say exactly one thing to do/,
    );
    expect(problemsOf({ actions: steps('down/x') })).to.deep.equal([
      'spec.migrations[0].actions[0].name: must not begin with down/',
    ]);
  });

  it('have actions without scope and completionAnchor', () => {
    const anchored: Action[] = [
      {
        name: 'once',
        wait: { duration: '1s' },
        scope: 'Lifetime',
        completionAnchor: { apiVersion: 'v1', kind: 'Secret', name: 'seed' },
      },
    ];
    expect(problemsOf({ down: anchored })).to.deep.equal([
      'spec.migrations[0].down[0].scope: has no meaning in a migration, whose actions are done once in it; ' +
        'remove it',
      'spec.migrations[0].down[0].completionAnchor: belongs to pre and post actions with scope: Lifetime ' +
        'only; remove it',
    ]);
  });
});

describe('the versions of a ladder', () => {
  const of = (to: string, from?: string): string[] =>
    told(
      ladderVersionProblems(
        [{ name: 'one', to, ...(from === undefined ? {} : { from }) }],
        (index) => `ladder[${index}]`,
      ),
    );

  it('are versions, and constraints on them', () => {
    expect([
      ...of('2.0.0', '>=1.0.0 <2.0.0'),
      ...of('v2', '1.x'),
      ...of('2.0.0', ''),
    ]).to.deep.equal([]);
    expect(of('2.x', 'new')).to.deep.equal([
      'ladder[0].to: is "2.x", which is no semantic version such as 2.0.0',
      'ladder[0].from: is no constraint on versions; write one such as >=1.2.0, ^1.4, 1.x or >=1.0.0 <2.0.0',
    ]);
  });

  it('are no bare ones to be left (edge case 7, part B 13)', () => {
    for (const from of ['1.0.0', 'v1.0.0', 'V1.0.0']) {
      expect(of('2.0.0', from)).to.deep.equal([
        `ladder[0].from: is the bare version ${from}, which matches that one only; write >=1.0.0 or =1.0.0`,
      ]);
    }
    expect([...of('2.0.0', '1.0'), ...of('2.0.0', '1')]).to.deep.equal([]);
  });
});

describe('a migration at admission', () => {
  it('runs before a stage that exists, by its name or anchor', () => {
    const spec = specOf(['dev'], { migrations: [migration('one', '2.0.0', { stage: 'db' })] });
    expect(told(lostAnchors(spec))).to.deep.equal([
      'spec.migrations[0].stage: is db, and no stage has that name or migrationAnchor; correct one of them',
    ]);
    const anchored = spec.stages.map((stage) => ({ ...stage, migrationAnchor: 'db' }));
    expect(lostAnchors({ ...spec, stages: anchored })).to.deep.equal([]);
  });

  it('has sources, times and versions checked as elsewhere in the spec', () => {
    const job = (namespace: string): Action => ({
      name: 'copy',
      job: { sourceRef: { name: 'jobs', namespace } },
      timeout: '-1s',
    });
    const stageSet: StageSet = {
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'StageSet',
      metadata: { name: 'shop', namespace: 'shop' },
      spec: specOf(['dev'], {
        version,
        migrations: [migration('one', '2.x', { down: [job('other')] })],
      }),
    };
    const found = admissionProblems(stageSet, { crossNamespaceReferences: 'Refused' });
    expect(found.map(({ path }) => path)).to.include.members([
      'spec.migrations[0].down[0].timeout',
      'spec.migrations[0].down[0].job.sourceRef.namespace',
      'spec.migrations[0].to',
    ]);
  });
});

describe('migrations that call hosts', () => {
  const http: Action[] = [{ name: 'tell', http: { url: 'https://example.com' } }];

  it('need a list of allowed ones, for what is on the way down as well (edge case 10, part B 13)', () => {
    const up = migration('up', '2.0.0', { actions: http });
    const down = migration('down', '2.0.0', { down: http });
    const neither = migration('neither', '2.0.0');
    expect(httpMigrationProblem([up, neither, down], [])).to.deep.equal({
      reason: 'InvalidSpec',
      message:
        'migrations with http actions need --allowed-action-hosts, which this installation does not set: ' +
        'up, down',
    });
    expect(httpMigrationProblem([neither], [])).to.equal(undefined);
    expect(httpMigrationProblem([up, down], ['*.example.com'])).to.equal(undefined);
  });
});
