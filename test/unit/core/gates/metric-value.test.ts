import { expect } from 'chai';
import fc from 'fast-check';
import { parseDecimal } from '../../../../src/core/gates/decimal.ts';
import { prometheusValue, webhookValue } from '../../../../src/core/gates/metric-value.ts';
import { withinThreshold } from '../../../../src/core/gates/threshold.ts';

function prometheus(resultType: string, result: unknown): string {
  return JSON.stringify({ status: 'success', data: { resultType, result } });
}

describe('an answer of Prometheus (part B 4.5)', () => {
  const time = 1_764_000_000.123;
  const one = { metric: { job: 'web' }, value: [time, '0.25'] };
  const values: [what: string, body: string, value: number][] = [
    ['a scalar', prometheus('scalar', [time, '0.25']), 0.25],
    ['a vector of one sample', prometheus('vector', [one]), 0.25],
    ['an exponent', prometheus('scalar', [time, '1e+06']), 1_000_000],
    ['a negative value', prometheus('scalar', [time, '-0.5']), -0.5],
    ['zero', prometheus('scalar', [time, '0']), 0],
    [
      'an answer with warnings',
      JSON.stringify({
        status: 'success',
        warnings: ['slow'],
        data: { resultType: 'scalar', result: [time, '2'] },
      }),
      2,
    ],
  ];
  for (const [what, body, value] of values) {
    it(`is ${what}`, () => {
      expect(prometheusValue(body)).to.deep.equal({ kind: 'Value', value });
    });
  }

  const refused: [what: string, body: string, problem: RegExp][] = [
    ['NaN', prometheus('scalar', [time, 'NaN']), /is NaN/],
    ['+Inf', prometheus('vector', [{ ...one, value: [time, '+Inf'] }]), /is infinite/],
    ['-Inf', prometheus('scalar', [time, '-Inf']), /is infinite/],
    ['an empty vector', prometheus('vector', []), /has no sample/],
    ['several series', prometheus('vector', [one, one, one]), /has 3 series/],
    ['a matrix', prometheus('matrix', [{ metric: {}, values: [[time, '1']] }]), /is a matrix/],
    ['a string', prometheus('string', [time, 'text']), /is a string/],
    ['a histogram', prometheus('vector', [{ metric: {}, histogram: [time, {}] }]), /histogram/],
    ['an error', JSON.stringify({ status: 'error', error: 'x' }), /says that the query failed/],
    ['no status', JSON.stringify({ data: {} }), /is no answer of the query API/],
    ['no data', JSON.stringify({ status: 'success' }), /is no answer of the query API/],
    ['another type', prometheus('streams', []), /is no answer of the query API/],
    ['a vector that is no list', prometheus('vector', { 0: one }), /is no answer/],
    ['a sample that is no object', prometheus('vector', [1]), /is no answer/],
    ['a value that is a number', prometheus('scalar', [time, 0.25]), /is no answer/],
    ['a time that is a text', prometheus('scalar', ['now', '0.25']), /is no answer/],
    ['a sample of three', prometheus('scalar', [time, '1', '2']), /is no answer/],
    ['hexadecimal', prometheus('scalar', [time, '0x10']), /is no decimal number/],
    ['an empty text', prometheus('scalar', [time, '']), /is no decimal number/],
    ['a list', '[]', /is no answer/],
    ['nothing', '', /is empty/],
    ['HTML', '<html>', /is no JSON/],
    ['brackets without end', '['.repeat(500_000), /is nested deeper/],
  ];
  for (const [what, body, problem] of refused) {
    it(`is unreadable with ${what}`, () => {
      const read = prometheusValue(body);
      expect(read.kind).to.equal('Problem');
      expect(read.kind === 'Problem' ? read.problem : '').to.match(problem);
    });
  }
});

describe('an answer of a webhook (part B 4.5)', () => {
  const values: [path: string, body: unknown, value: number][] = [
    ['{.budget}', { budget: 0.5 }, 0.5],
    ['{.budget}', { budget: '0.5' }, 0.5],
    ['{.budget}', { budget: ' 0.5\n' }, 0.5],
    ['{.budget}', { budget: 0 }, 0],
    ['$.services[0].budget', { services: [{ budget: -1 }] }, -1],
    ['{.a}', { a: 1, deep: { text: '[[[[{{' } }, 1],
  ];
  for (const [path, body, value] of values) {
    it(`has ${value} at ${path} in ${JSON.stringify(body)}`, () => {
      expect(webhookValue(JSON.stringify(body), path)).to.deep.equal({ kind: 'Value', value });
    });
  }

  const refused: [path: string, body: string, problem: RegExp][] = [
    ['{.budget}', '{}', /has nothing at jsonPath/],
    ['{.budget}', '{"budget": null}', /has null at jsonPath/],
    ['{.budget}', '{"budget": true}', /has a boolean at jsonPath/],
    ['{.budget}', '{"budget": {}}', /has an object at jsonPath/],
    ['{.budget}', '{"budget": [1]}', /has a list at jsonPath/],
    ['{.budget}', '{"budget": "much"}', /is no decimal number/],
    ['{.budget}', '{"budget": "NaN"}', /is NaN/],
    ['{.budget}', '{"budget": "Infinity"}', /is infinite/],
    ['{.budget}', '{"budget": 1e999}', /no double can hold/],
    ['{.budget[*]}', '{"budget": [1, 2]}', /has 2 values at jsonPath/],
    ['{..a}', JSON.stringify(new Array(10_001).fill({ b: 1 })), /has more than 20000 values/],
    [`{..[${new Array(9).fill('*').join()}]}`, '{}', /jsonPath chooses 9 items in one place/],
    ['{.budget}', '{"budget": 1', /is no JSON/],
    ['{.budget}', '{"a":'.repeat(65), /is nested deeper/],
    ['{.budget', '{"budget": 1}', /jsonPath has a "\{" that is not closed/],
  ];
  for (const [path, body, problem] of refused) {
    it(`is unreadable at ${path} in ${body.slice(0, 30)}`, () => {
      const read = webhookValue(body, path);
      expect(read.kind).to.equal('Problem');
      expect(read.kind === 'Problem' ? read.problem : '').to.match(problem);
    });
  }

  it('is searched in a moment, whatever the path', () => {
    const body = JSON.stringify({ a: new Array(9_999).fill({ b: 1 }) });
    for (const path of ['{..[*,*,*,*,*,*,*,*]}', '{..*.*[?(@.b==2)]}', '{.*.*.*.*}']) {
      const start = performance.now();
      expect(webhookValue(body, path).kind, path).to.equal('Problem');
      expect(performance.now() - start, path).to.be.below(2000);
    }
  });

  it('is never quoted in what is wrong with it', () => {
    const canary = 'canary-in-an-answer';
    for (const body of [canary, `"${canary}"`, `{"a": "${canary}"}`, `{"a": {"b": "${canary}"}}`]) {
      expect(JSON.stringify(webhookValue(body, '{.a}'))).not.to.include(canary);
      expect(JSON.stringify(prometheusValue(body))).not.to.include(canary);
    }
  });
});

describe('a threshold (part B 3.2: inclusive at both ends)', () => {
  const cases: [value: number, threshold: { min?: string; max?: string }, within: boolean][] = [
    [0.1, { min: '0.1' }, true],
    [0.1, { max: '0.1' }, true],
    [0.1, { min: '0.1', max: '0.1' }, true],
    [0.3, { min: '0.30' }, true],
    [0.09999999999999999, { min: '0.1' }, false],
    [0.1 + 0.2, { max: '0.3' }, false],
    [5, { min: '1', max: '4' }, false],
    [-1, { min: '-1.0' }, true],
    [1_000_000, { min: '1e6' }, true],
    [9_007_199_254_740_993, { min: '9007199254740993' }, true],
    [1, { min: 'one' }, false],
    [1, { max: '' }, false],
    [1, { min: 'NaN' }, false],
    [1, { max: 'Inf' }, false],
    [1, {}, false],
  ];
  for (const [value, threshold, within] of cases) {
    it(`${JSON.stringify(threshold)} ${within ? 'lets in' : 'keeps out'} ${value}`, () => {
      expect(withinThreshold(value, threshold)).to.equal(within);
    });
  }

  it('lets in the value that is written like it, whatever it is', () => {
    const text = fc
      .tuple(
        fc.constantFrom('', '-', '+'),
        fc.stringMatching(/^[0-9]{1,25}$/),
        fc.stringMatching(/^[0-9]{0,25}$/),
      )
      .map(([sign, whole, fraction]) => `${sign}${whole}.${fraction}`);
    fc.assert(
      fc.property(text, (written) => {
        const value = parseDecimal(written);
        expect(value).to.be.a('number');
        expect(withinThreshold(value ?? NaN, { min: written, max: written })).to.equal(true);
      }),
    );
  });

  for (const text of [
    '',
    ' ',
    '.',
    '1.2.3',
    '1,5',
    '0x1',
    '1e',
    'Infinity',
    '--1',
    '1'.repeat(101),
  ]) {
    it(`cannot be ${text.length > 20 ? 'very long' : JSON.stringify(text)}`, () => {
      expect(parseDecimal(text)).to.equal(undefined);
    });
  }
});
