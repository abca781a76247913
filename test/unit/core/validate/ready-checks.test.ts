import { expect } from 'chai';
import { readyCheckProblems } from '../../../../src/core/validate/ready-checks.ts';
import { specProblems } from '../../../../src/core/validate/spec.ts';
import type { ReadyExpression, StageSetSpec } from '../../../../src/types/stages.ts';

function specWith(...exprs: Partial<ReadyExpression>[]): StageSetSpec {
  const stage = { name: 'dev', sourceRef: { name: 'dev' } };
  const named = exprs.map((expr) => ({ apiVersion: 'v1', kind: 'Pod', ...expr }));
  return { stages: [stage, { ...stage, name: 'prod', readyChecks: { exprs: named } }] };
}

describe('the expressions of a spec', () => {
  it('are refused one by one, each by its field', () => {
    const spec = specWith({ current: 'true' }, { current: 'kind', inProgress: 'x', failed: '(' });
    expect(specProblems(spec)).to.deep.equal([
      {
        path: 'spec.stages[1].readyChecks.exprs[1].current',
        message: 'gives a value of type string, not a bool; compare it with something',
      },
      {
        path: 'spec.stages[1].readyChecks.exprs[1].inProgress',
        message:
          'does not hold together: there is no x; it can use apiVersion, kind, metadata, spec, status',
      },
      {
        path: 'spec.stages[1].readyChecks.exprs[1].failed',
        message: 'is not standard CEL from line 1, column 2 on; correct it there',
      },
    ]);
  });

  it('CEL: non-bool expressions are rejected at admission, dynamic ones allowed', () => {
    expect(specProblems(specWith({ current: 'size(status)' }))).to.have.lengthOf(1);
    expect(specProblems(specWith({ current: 'status.ready' }))).to.deep.equal([]);
  });

  it('count as absent when they are empty', () => {
    expect(specProblems(specWith({ current: '', failed: '' }, {}))).to.deep.equal([]);
  });

  it('are refused unread when they are too long together', () => {
    const long = `status.a == '${'x'.repeat(2000)}'`;
    const spec = specWith(...Array.from({ length: 9 }, () => ({ current: long })));
    expect(readyCheckProblems(spec)).to.deep.equal([
      {
        path: 'spec.stages',
        message:
          'the expressions of all readyChecks.exprs have 18126 characters together; ' +
          'shorten them to 16384',
      },
    ]);
  });

  it('are not checked again for a spec that was', () => {
    const spec = specWith({ current: 'kind' });
    expect(readyCheckProblems(spec)).to.equal(readyCheckProblems(spec));
  });

  it('say nothing against checks of a kind that nobody serves', () => {
    const [stage] = specWith().stages;
    if (stage === undefined) throw new Error('there are two stages');
    const checks = [{ apiVersion: 'nowhere.example.com/v1', kind: 'Nothing', name: 'x' }];
    expect(specProblems({ stages: [{ ...stage, readyChecks: { checks } }] })).to.deep.equal([]);
  });
});

describe('the objects that a spec waits for', () => {
  it('are named in full, by an apiVersion that can be one', () => {
    const [stage] = specWith().stages;
    if (stage === undefined) throw new Error('there are two stages');
    const checks = [
      { kind: 'Pod', name: 'web' },
      { apiVersion: '', kind: 'Pod', name: 'web' },
      { apiVersion: 'apps/v1beta1', kind: '', name: '' },
      { apiVersion: 'a/b/v1', kind: 'Pod', name: 'web' },
      { apiVersion: 'apps/', kind: 'Pod', name: 'web' },
    ];
    const exprs = [
      { apiVersion: '', kind: 'Pod', current: 'true' },
      { apiVersion: 'v1', kind: '', current: 'true' },
    ];
    const none = (shape: string): string =>
      `is ${shape} that is no apiVersion; give one such as "apps/v1" or "v1"`;
    const readyChecks = { checks, exprs };
    expect(specProblems({ stages: [{ ...stage, readyChecks }] })).to.deep.equal(
      [
        ['checks[2].kind', 'is empty'],
        ['checks[2].name', 'is empty'],
        ['checks[3].apiVersion', none('a string of 6 characters')],
        ['checks[4].apiVersion', none('a string of 5 characters')],
        ['exprs[0].apiVersion', 'is empty'],
        ['exprs[1].kind', 'is empty'],
      ].map(([field, message]) => ({ path: `spec.stages[0].readyChecks.${field ?? ''}`, message })),
    );
  });
});
