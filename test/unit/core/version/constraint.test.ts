import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { isProblem } from '../../../../src/core/problem.ts';
import {
  admits,
  type Constraint,
  parseConstraint,
} from '../../../../src/core/version/constraint.ts';
import { parseVersion, type Version } from '../../../../src/core/version/semver.ts';

/** What dev/golden/constraints printed: `+` and `-` in the order of the versions, null if refused. */
interface Golden {
  readonly versions: readonly string[];
  readonly admitted: Readonly<Record<string, string | null>>;
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, 'constraints.json'), 'utf8'),
) as Golden;

function version(text: string): Version {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(`${text} should be a version`);
  return parsed;
}

function constraint(text: string): Constraint {
  const parsed = parseConstraint(text);
  if (isProblem(parsed)) throw new Error(`${text} ${parsed.problem}`);
  return parsed;
}

describe('a constraint on versions admits what Masterminds/semver admits', () => {
  for (const [text, admitted] of Object.entries(golden.admitted)) {
    it(JSON.stringify(text), () => {
      const parsed = parseConstraint(text);
      const answers = isProblem(parsed)
        ? null
        : golden.versions.map((each) => (admits(parsed, version(each)) ? '+' : '-')).join('');
      expect(answers).to.equal(admitted);
    });
  }

  it('in enough cases', () => {
    const read = Object.values(golden.admitted).filter((admitted) => admitted !== null);
    expect(read.length).to.be.greaterThan(120);
    expect(golden.versions.length).to.be.greaterThan(30);
  });
});

describe('a constraint on versions', () => {
  it('says what to write where it is none', () => {
    const problems = ['', 'latest', `>=${'1'.repeat(600)}`, Array(40).fill('1').join('||')].map(
      (text) => parseConstraint(text),
    );
    expect(problems).to.deep.equal([
      { problem: 'is empty; write a constraint such as >=1.2.0' },
      {
        problem:
          'is no constraint on versions; write one such as >=1.2.0, ^1.4, 1.x or >=1.0.0 <2.0.0',
      },
      { problem: 'is longer than 512 characters; shorten it' },
      { problem: 'has more than 32 alternatives divided by ||; use fewer' },
    ]);
  });

  it('admits prereleases of all versions where it names one', () => {
    const open = constraint('>=1.0.0-0');
    expect(admits(open, version('2.3.4-rc.1'))).to.equal(true);
    expect(admits(constraint('>=1.0.0'), version('2.3.4-rc.1'))).to.equal(false);
  });

  it('of whatever text is read without an error, and quickly', () => {
    const pieces = fc.constantFrom(
      ...['1', '.', 'x', '*', ' ', ',', '||', '>=', '-', '^', 'v', '+', 'a'],
    );
    const texts = fc.oneof(
      fc.string({ maxLength: 600 }),
      fc.array(pieces, { maxLength: 200 }).map((all) => all.join('')),
    );
    const some = version('1.2.3');
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseConstraint(text);
        if (!isProblem(parsed)) admits(parsed, some);
      }),
    );
  });
});
