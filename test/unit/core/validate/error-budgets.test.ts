import { expect } from 'chai';
import { decimalProblem } from '../../../../src/core/validate/decimals.ts';
import { errorBudgetProblems } from '../../../../src/core/validate/error-budgets.ts';
import { specProblems } from '../../../../src/core/validate/spec.ts';
import type { ErrorBudget } from '../../../../src/types/stages.ts';
import { specOf } from '../snapshot-builder.ts';

const source = { prometheus: { address: 'http://prometheus:9090', query: 'budget' } };

function problemsOf(change: Partial<ErrorBudget>): { path: string; message: string }[] {
  const errorBudget = { source, freezeThreshold: '0.1', ...change };
  return errorBudgetProblems(specOf(['dev'], { errorBudget }));
}

describe('spec.errorBudget', () => {
  const accepted: Partial<ErrorBudget>[] = [
    {},
    { resumeThreshold: '0.1' },
    { resumeThreshold: '0.10' },
    { resumeThreshold: '25e-2', interval: '30s', onSourceError: 'Hold', dryRun: true },
    { freezeThreshold: '-5', resumeThreshold: '-0.5' },
    { freezeThreshold: '0', resumeThreshold: '0' },
    { freezeThreshold: ' 0.1 ' },
  ];
  for (const change of accepted) {
    it(`may have ${JSON.stringify(change)}`, () => {
      expect(problemsOf(change)).to.deep.equal([]);
    });
  }

  const notDecimal = (characters: number): string =>
    `is a string of ${characters} characters that is no decimal number; give one such as "0.05"`;
  const refused: [change: Partial<ErrorBudget>, field: string, message: string][] = [
    [{ freezeThreshold: 'low' }, 'freezeThreshold', notDecimal(3)],
    [{ freezeThreshold: 'NaN' }, 'freezeThreshold', notDecimal(3)],
    [{ freezeThreshold: '10%' }, 'freezeThreshold', notDecimal(3)],
    [{ resumeThreshold: '0,25' }, 'resumeThreshold', notDecimal(4)],
    [
      { freezeThreshold: '' },
      'freezeThreshold',
      'is an empty string that is no decimal number; give one such as "0.05"',
    ],
    [
      { resumeThreshold: '0.09' },
      'resumeThreshold',
      'is below freezeThreshold; a budget thaws where it freezes, or above',
    ],
    [{ interval: '0s' }, 'interval', 'must be above 0; leave it out for spec.retryInterval'],
    [{ interval: '-5m' }, 'interval', 'must be above 0; leave it out for spec.retryInterval'],
  ];
  for (const [change, field, message] of refused) {
    it(`is refused with ${JSON.stringify(change)}`, () => {
      expect(problemsOf(change)).to.deep.equal([{ path: `spec.errorBudget.${field}`, message }]);
    });
  }

  it('is the same for a stage', () => {
    const spec = specOf(['dev', 'prod']);
    const [dev, prod] = spec.stages;
    if (dev === undefined || prod === undefined) throw new Error('there are two stages');
    const errorBudget = { source, freezeThreshold: '1', resumeThreshold: '0' };
    const problems = errorBudgetProblems({ ...spec, stages: [dev, { ...prod, errorBudget }] });
    expect(problems.map(({ path }) => path)).to.deep.equal([
      'spec.stages[1].errorBudget.resumeThreshold',
    ]);
  });

  it('has its intervals, thresholds and source asked with the whole spec', () => {
    const errorBudget: ErrorBudget = {
      source: {},
      freezeThreshold: 'low',
      interval: '9999999999999h',
    };
    const paths = specProblems(specOf(['dev'], { errorBudget })).map(({ path }) => path);
    expect(paths).to.include.members([
      'spec.errorBudget.interval',
      'spec.errorBudget.freezeThreshold',
      'spec.errorBudget.source',
    ]);
  });
});

describe('a decimal number', () => {
  it('is told of by its shape alone', () => {
    expect(decimalProblem('0.05')).to.equal(undefined);
    expect(decimalProblem('s3cr3t')).to.include('a string of 6 characters').and.not.include('s3');
  });
});
