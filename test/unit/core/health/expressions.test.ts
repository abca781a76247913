import { expect } from 'chai';
import type { ExpressionResult } from '../../../../src/core/cel/evaluate.ts';
import { subjectsOf, unreadVerdict, verdictOf } from '../../../../src/core/health/expressions.ts';
import type { ObjectReference } from '../../../../src/types/kubernetes.ts';

const train: ObjectReference = {
  apiVersion: 'toys.example.com/v1',
  kind: 'Train',
  namespace: 'team',
  name: 'express',
};
const yes: ExpressionResult = { kind: 'Bool', value: true };
const no: ExpressionResult = { kind: 'Bool', value: false };
const error: ExpressionResult = { kind: 'Error', message: 'there is no such field' };

describe('an expression about an object', () => {
  it('speaks of applied objects of the same group and kind, in whatever version', () => {
    const boat = { ...train, kind: 'Boat' };
    const other = { ...train, apiVersion: 'other.example.com/v1' };
    const exprs = [
      { apiVersion: 'toys.example.com/v2', kind: 'Train' },
      { apiVersion: 'v1', kind: 'Train' },
      { apiVersion: 'toys.example.com/v1', kind: 'Train' },
    ];
    expect(subjectsOf(exprs, [train, boat, other])).to.deep.equal([
      { object: train, exprs: [0, 2] },
    ]);
  });

  it('speaks of nothing where the stage applied no such object', () => {
    expect(subjectsOf([{ apiVersion: 'v1', kind: 'Pod' }], [train])).to.deep.equal([]);
  });

  const rows = [
    [{ current: yes }, 'Ready', 'readyChecks.exprs[1] is satisfied'],
    [{ current: no }, 'NotReady', 'readyChecks.exprs[1].current is false'],
    [{ current: no, inProgress: yes }, 'Converging', 'readyChecks.exprs[1].current is false'],
    [{ current: no, inProgress: no }, 'NotReady', 'readyChecks.exprs[1].current is false'],
    [{ current: no, inProgress: error }, 'NotReady', 'readyChecks.exprs[1].current is false'],
    [
      { current: error },
      'NotReady',
      'readyChecks.exprs[1].current gives no answer: there is no such field',
    ],
    [
      { current: error, inProgress: yes },
      'Converging',
      'readyChecks.exprs[1].current gives no answer: there is no such field',
    ],
    [{ current: yes, inProgress: yes }, 'Ready', 'readyChecks.exprs[1] is satisfied'],
    [{ current: yes, failed: yes }, 'Failed', 'readyChecks.exprs[1].failed is true'],
    [{ current: yes, failed: no }, 'Ready', 'readyChecks.exprs[1] is satisfied'],
    [{ current: yes, failed: error }, 'Ready', 'readyChecks.exprs[1] is satisfied'],
    [{ failed: no }, 'Ready', 'readyChecks.exprs[1] is satisfied'],
    [{ inProgress: yes }, 'Ready', 'readyChecks.exprs[1] is satisfied'],
    [{}, 'Ready', 'readyChecks.exprs[1] is satisfied'],
  ] as const;
  for (const [results, verdict, message] of rows) {
    const said = Object.entries(results)
      .map(([field, result]) => `${field} ${result.kind === 'Error' ? 'error' : result.value}`)
      .join(', ');
    it(`is ${verdict} with ${said === '' ? 'no expression' : said}`, () => {
      expect(verdictOf(train, 1, results)).to.deep.equal({ object: train, verdict, message });
    });
  }

  it('is neither ready nor converging for an object that cannot be read', () => {
    const check = {
      apiVersion: 'toys.example.com/v1',
      kind: 'Train',
      current: 'true',
      inProgress: 'true',
    };
    expect(unreadVerdict(train, 0, check, 'not found')).to.deep.equal({
      object: train,
      verdict: 'NotReady',
      message: 'readyChecks.exprs[0] cannot be asked: not found',
    });
  });

  it('without current never blocks, not even for an object that cannot be read', () => {
    const check = { apiVersion: 'toys.example.com/v1', kind: 'Train', failed: 'true' };
    expect(unreadVerdict(train, 0, check, 'not found').verdict).to.equal('Ready');
    expect(unreadVerdict(train, 0, { ...check, current: '' }, 'not found').verdict).to.equal(
      'Ready',
    );
  });
});
