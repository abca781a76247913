import { expect } from 'chai';
import fc from 'fast-check';
import { isAtLeast, parseVersion, type Version } from '../../../../src/core/version/semver.ts';

function version(text: string): Version {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(`${text} should be a version`);
  return parsed;
}

describe('a version', () => {
  const readings: [string, string][] = [
    ['1.4.2', '1.4.2'],
    ['v1.4.2', '1.4.2'],
    ['v1.4', '1.4.0'],
    ['1', '1.0.0'],
    ['01.002.3', '1.2.3'],
    ['1.4-rc.1', '1.4.0-rc.1'],
    ['2.0.0-beta+build.7', '2.0.0-beta'],
  ];
  for (const [text, meant] of readings) {
    it(`${text} means ${meant}`, () => expect(version(text).version).to.equal(meant));
  }

  const refused = [
    '',
    'v',
    'latest',
    ' 1.2.3',
    '1.2.3 ',
    '1.2.3.4',
    '1..2',
    '>=1.2.3',
    '1.x',
    '-1.0.0',
    '1.2.3-01',
    '1.0.0-',
    '9007199254740993.0.0',
    `1.0.0-${'a'.repeat(300)}`,
    '1.2.3\n',
    'sha256:0123',
  ];
  for (const text of refused) {
    it(`is not read out of ${JSON.stringify(text.slice(0, 24))}`, () => {
      expect(parseVersion(text)).to.equal(undefined);
    });
  }

  it('of whatever text is read without an error', () => {
    fc.assert(fc.property(fc.string({ maxLength: 400 }), (text) => void parseVersion(text)));
  });
});

describe('the least version', () => {
  const cases: [string, string, boolean][] = [
    ['1.4.0', '1.4.0', true],
    ['1.4.0', 'v1.4', true],
    ['1.10.0', '1.9.0', true],
    ['1.3.9', '1.4.0', false],
    ['1.4.0-rc.1', '1.4.0', false],
    ['1.4.0', '1.4.0-rc.1', true],
    ['1.4.0-rc.10', '1.4.0-rc.9', true],
    ['1.4.0+a', '1.4.0+b', true],
  ];
  for (const [delivered, least, reached] of cases) {
    it(`${least} is ${reached ? '' : 'not '}reached by ${delivered}`, () => {
      expect(isAtLeast(version(delivered), version(least))).to.equal(reached);
    });
  }

  it('orders by number, then the next number', () => {
    const number = fc.nat(1000);
    const numbers = fc.tuple(number, number, number);
    fc.assert(
      fc.property(numbers, numbers, (one, other) => {
        const index = one.findIndex((part, position) => part !== other[position]);
        const later = index === -1 || (one[index] ?? 0) > (other[index] ?? 0);
        expect(isAtLeast(version(one.join('.')), version(`v${other.join('.')}`))).to.equal(later);
      }),
    );
  });
});
