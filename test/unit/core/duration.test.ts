import { expect } from 'chai';
import fc from 'fast-check';
import { formatDuration, parseDuration, positiveDuration } from '../../../src/core/duration.ts';
import { TerminalError } from '../../../src/core/errors.ts';
import { milliseconds } from '../../../src/core/time.ts';

describe('a duration in Go syntax', () => {
  const accepted: [text: string, milliseconds: number][] = [
    ['0', 0],
    ['-0', 0],
    ['+0', 0],
    ['0s', 0],
    ['90s', 90_000],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['1h1h', 7_200_000],
    ['30m1h', 5_400_000],
    ['+5s', 5_000],
    ['-5m', -300_000],
    ['-1m30s', -90_000],
    ['.5s', 500],
    ['5.s', 5_000],
    ['1.004s', 1_004],
    ['100ms', 100],
    ['100us', 0.1],
    ['100\u00b5s', 0.1],
    ['100\u03bcs', 0.1],
    ['1ns', 0.000001],
    ['1.9ns', 0.000001],
    ['0.9ns', 0],
    ['0.3333333333333333333h', 1_200_000],
    ['0.100000000000000000000h', 360_000],
    ['0.830103483285477580700h', 2_988_372.539827],
    ['000000000000000000000000000000000001s', 1_000],
    ['9223372036854775807ns', 9223372036854.775807],
    ['-9223372036854775808ns', -9223372036854.775808],
    ['2562047h47m16.854775807s', 9223372036854.775807],
  ];
  for (const [text, expected] of accepted) {
    it(`reads ${text} as ${expected} ms`, () => {
      expect(parseDuration(text)).to.equal(expected);
    });
  }

  const refused: [text: string, problem: string][] = [
    ['', 'it has no number'],
    ['-', 'it has no number'],
    ['5', 'a unit is missing, one of ns, us, ms, s, m or h'],
    ['+5', 'a unit is missing, one of ns, us, ms, s, m or h'],
    ['00', 'a unit is missing, one of ns, us, ms, s, m or h'],
    ['1d', '"d" is no unit, only ns, us, ms, s, m or h are'],
    ['1m 30s', '"m " is no unit, only ns, us, ms, s, m or h are'],
    [' 1m', 'a number is missing'],
    ['1m ', '"m " is no unit, only ns, us, ms, s, m or h are'],
    ['1H', '"H" is no unit, only ns, us, ms, s, m or h are'],
    ['s', 'a number is missing'],
    ['.s', 'a number is missing'],
    ['.', 'a number is missing'],
    ['--5s', 'a number is missing'],
    ['1e3s', '"e" is no unit, only ns, us, ms, s, m or h are'],
    ['5m-1s', '"m-" is no unit, only ns, us, ms, s, m or h are'],
    ['\u0665s', 'a number is missing'],
    ['9223372036854775808ns', 'it is longer than the 292 years that a duration can hold'],
    ['-9223372036854775809ns', 'it is longer than the 292 years that a duration can hold'],
    ['3000000h', 'it is longer than the 292 years that a duration can hold'],
    ['2562047h47m16.854775808s', 'it is longer than the 292 years that a duration can hold'],
    ['99999999999999999999s', 'it is longer than the 292 years that a duration can hold'],
  ];
  for (const [text, problem] of refused) {
    it(`refuses ${JSON.stringify(text)} and says what is expected`, () => {
      const message = `${JSON.stringify(text)} is not a duration: ${problem}; give a duration such as 90s, 15m or 1h30m`;
      expect(() => parseDuration(text)).to.throw(TerminalError, message);
    });
  }

  it('cuts a long text in its error', () => {
    expect(() => parseDuration('x'.repeat(5000)))
      .to.throw(TerminalError)
      .with.property('message')
      .with.length.below(200);
  });

  const printed: [milliseconds: number, text: string][] = [
    [0, '0s'],
    [0.000001, '1ns'],
    [0.0011, '1.1\u00b5s'],
    [2.2, '2.2ms'],
    [3300, '3.3s'],
    [60_000, '1m0s'],
    [900_000, '15m0s'],
    [245_000, '4m5s'],
    [245_001, '4m5.001s'],
    [5_400_000, '1h30m0s'],
    [18_367_001, '5h6m7.001s'],
    [-300_000, '-5m0s'],
    [480_000.000001, '8m0.000000001s'],
  ];
  for (const [span, text] of printed) {
    it(`prints ${span} ms as ${text}`, () => {
      expect(formatDuration(milliseconds(span))).to.equal(text);
    });
  }

  it('reads back what it prints', () => {
    const spans = fc.tuple(fc.integer({ min: -1e12, max: 1e12 }), fc.integer({ min: 0, max: 999 }));
    fc.assert(
      fc.property(spans, ([whole, thousandth]) => {
        const span = milliseconds(whole + thousandth / 1000);
        expect(parseDuration(formatDuration(span))).to.be.closeTo(span, 1e-3);
      }),
    );
  });

  it('refuses or reads any text without any other error', () => {
    const texts = fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom('1', '0', '.', '-', 'h', 'm', 's', 'ns', 'us', '99', ' '))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          expect(parseDuration(text)).to.be.finite;
        } catch (error) {
          expect(error).to.be.instanceOf(TerminalError);
        }
      }),
    );
  });

  it('takes absent, zero and negative as not set', () => {
    expect(positiveDuration(undefined)).to.equal(undefined);
    expect(positiveDuration('0')).to.equal(undefined);
    expect(positiveDuration('-5m')).to.equal(undefined);
    expect(positiveDuration('5m')).to.equal(300_000);
    expect(() => positiveDuration('5')).to.throw(TerminalError);
  });
});
