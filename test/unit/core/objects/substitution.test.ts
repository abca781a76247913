import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { TerminalError } from '../../../../src/core/errors.ts';
import { substitute } from '../../../../src/core/objects/substitution.ts';

type Variables = Readonly<Record<string, string>>;

function replaced(text: string, variables: Variables): string {
  return substitute(text, new Map(Object.entries(variables)));
}

function refusal(text: string, variables: Variables): string {
  try {
    replaced(text, variables);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    expect(error.reason).to.equal('StageFailed');
    return error.message;
  }
  throw new Error(`${text} was not refused`);
}

/** The table of part A 4.5, row by row. */
const table: [string, string][] = [
  ['${a}', 'A'],
  ['$a', '$a'],
  ['$(a)', '$(a)'],
  ['a lone $ here', 'a lone $ here'],
  ['100$', '100$'],
  ['$${a}', '${a}'],
  ['$$a', '$a'],
  ['$$${a}', '$A'],
  ['\\${a}', '\\A'],
  ['${e:-d}', 'd'],
  ['${m:-d}', 'd'],
  ['${m:=d}', 'd'],
  ['${m:-}', ''],
  ['${m:-${a}}', 'A'],
  ['${a:?x}', 'A'],
  ['${a:+y}', 'A'],
  ['${m:?x}', 'x'],
  ['${#s}', '10'],
  ['${s^}', 'Docs/a.b.c'],
  ['${s^^}', 'DOCS/A.B.C'],
  ['${t,}', 'mIXED'],
  ['${t,,}', 'mixed'],
  ['${s:5}', 'a.b.c'],
  ['${s:5:3}', 'a.b'],
  ['${s#*.}', 'b.c'],
  ['${s##*.}', 'c'],
  ['${s%.*}', 'docs/a.b'],
  ['${s%%.*}', 'docs/a'],
  ['${s/./-}', 'docs/a-b.c'],
  ['${s//./-}', 'docs/a-b-c'],
  ['${s/#docs/src}', 'src/a.b.c'],
  ['${s/%.c/.d}', 'docs/a.b.d'],
];

const tableVariables = { a: 'A', e: '', s: 'docs/a.b.c', t: 'MIXED' };

describe('the substitution table', () => {
  for (const [text, result] of table) {
    it(`makes ${JSON.stringify(result)} of ${text}`, () => {
      expect(replaced(text, tableVariables)).to.equal(result);
    });
  }

  for (const text of ['${a-d}', '${a.b}', '${A-B}', '${']) {
    it(`refuses ${text}`, () => {
      refusal(text, { ...tableVariables, A: 'yes' });
    });
  }

  const strict = ['', '^', '^^', ',', ',,', ':0', ':0:1', '#p', '##p', '%p', '%%p'].concat([
    '/p/r',
    '//p/r',
    '/#p/r',
    '/%p/r',
  ]);
  for (const text of ['${#m}', ...strict.map((operator) => `\${m${operator}}`)]) {
    it(`is strict about ${text} when the variable is not set`, () => {
      expect(refusal(text, tableVariables)).to.include('names a variable that is not set');
    });
  }

  it('takes names of letters, digits and underscores', () => {
    const variables = { a_1: 'one', _: 'two', '9': 'three', größe: 'four' };
    expect(replaced('${a_1} ${_} ${9} ${größe}', variables)).to.equal('one two three four');
  });

  it('leaves everything as it is without variables', () => {
    expect(replaced('${a} $${a} ${ ${a-d}', {})).to.equal('${a} $${a} ${ ${a-d}');
  });

  it('goes over all documents at once', () => {
    const text = 'a: ${a}\n---\nb: "${s%%/*}"\n---\nc: $${a}\n';
    expect(replaced(text, tableVariables)).to.equal('a: A\n---\nb: "docs"\n---\nc: ${a}\n');
  });
});

interface Golden {
  readonly variables: Variables;
  /** A text and what it becomes; a text alone is refused. */
  readonly cases: readonly (readonly [text: string, result?: string])[];
}

describe('substitution beside the one that Flux uses', () => {
  let golden: Golden;

  before(async () => {
    const file = join(import.meta.dirname, 'substitution-cases.json');
    golden = JSON.parse(await readFile(file, 'utf8')) as Golden;
  });

  it('makes the same of every recorded expression', () => {
    expect(golden.cases).to.have.lengthOf.above(900);
    const outcomes = golden.cases.map(([text]) => {
      try {
        return [text, replaced(text, golden.variables)];
      } catch (error) {
        if (!(error instanceof TerminalError)) throw error;
        return [text];
      }
    });
    expect(outcomes).to.deep.equal(golden.cases);
  });

  /** What Flux makes of it is said in the comments; the shell is followed instead. */
  const departures: [string, string, string][] = [
    // The first character: its shortest match is never empty.
    ['the shortest match of a star is nothing', '${s#*}', 'abcdEF'],
    ['the shortest match of a star is nothing, from the end', '${s%*}', 'abcdEF'],
    // Nothing is removed: it turns the pattern round, brackets and all.
    ['brackets work from the end', '${s%[A-Z]}', 'abcdE'],
    ['brackets work from the end with a star', '${s%%[A-Z]*}', 'abcd'],
    ['an exclamation mark negates brackets', '${s##[!x]}', 'bcdEF'],
    ['a dash can be in brackets', '${dashed##*[-_]}', 'c'],
    // Nothing is removed.
    ['the beginning can be replaced by nothing', '${s/#ab/}', 'cdEF'],
    ['the end can be replaced by nothing', '${s/%EF/}', 'abcd'],
    // The slash is lost.
    ['a replacement can begin with a slash', '${s/abc//x}', '/xdEF'],
    // Bad substitution.
    ['a pattern can have an expression in it', '${s#a${b}}', 'cdEF'],
    ['a replacement can have an expression in it', '${s/a/<${b}>}', '<b>bcdEF'],
    // All of the value.
    ['a negative position may follow a space', '${s: -2}', 'EF'],
    // A crash.
    ['a negative length counts from the end', '${s:1:${minus}}', 'bcd'],
    // A letter before each character.
    ['replacing nothing changes nothing', '${s//${empty}/x}', 'abcdEF'],
    // Half of the character.
    ['one character of a pattern is a whole one', '${u#?}', 'té'],
  ];
  const variables = { s: 'abcdEF', b: 'b', empty: '', minus: '-2', dashed: 'a-b_c', u: 'été' };
  for (const [title, text, result] of departures) {
    it(`${title}: ${text} is ${result}`, () => {
      expect(replaced(text, variables)).to.equal(result);
    });
  }

  it('an expression never goes on behind its brace to the next slash', () => {
    expect(refusal('${s/a} and /etc}', variables)).to.include('needs a replacement');
  });

  it('no character is cut in two', () => {
    expect(replaced('${u:0:2}', variables)).to.equal('é');
    expect(refusal('${u:0:1}', variables)).to.include('cuts a character in two');
  });
});

describe('what a refused expression says', () => {
  const secret = 'correct-horse';

  it('has the line, the form, the variable and what to do', () => {
    expect(refusal('a: 1\nb: 2\nc: ${region}\n', { a: 'A' })).to.equal(
      'line 3 of the built manifests: ${region} names a variable that is not set: set region in ' +
        'postBuild, give it a default as in ${region:-…}, or write $${region} for the text itself',
    );
  });

  it('counts lines without being misled by what was substituted', () => {
    expect(refusal('a: ${a}\nb: ${b}\n', { a: 'one\ntwo\nthree' })).to.match(/^line 2 of /);
  });

  const quiet: [string, string][] = [
    ['${m/${pw}/x}', '${m/…}'],
    ['${pw:0:-99}', '${pw:…}'],
    ['${pw/x', '${pw/…}'],
    ['${pw:-${m}}', '${m}'],
    ['${pw;correct-horse}', '${pw…}'],
    [`\${m:${secret}}`, '${m:…}'],
  ];
  for (const [text, form] of quiet) {
    it(`names ${form} and neither values nor arguments`, () => {
      const message = refusal(text, { pw: secret });
      expect(message).to.include(` ${form} `);
      expect(message).not.to.include('horse');
    });
  }

  it('names the innermost expression', () => {
    expect(refusal('x\n${a:-\n${b:-${c}}}', { z: '' })).to.match(
      /^line 3 of the built manifests: \$\{c\} names a variable/,
    );
  });

  it('cuts names that are too long to read', () => {
    const message = refusal(`\${${'x'.repeat(100_000)}}`, { a: 'A' });
    expect(message).to.have.lengthOf.below(600);
  });
});

describe('attack 66: a substitution that grows, nests or takes for ever (growth and time are bounded, part A 4.5)', () => {
  it('must not grow without bound', () => {
    const a = 'x'.repeat(1024 * 1024);
    const message = refusal('${a}'.repeat(100), { a });
    expect(message).to.equal(
      'line 1 of the built manifests: ${a} makes the text more than 64 MiB longer; substitute less',
    );
  });

  it('must not grow in a single replacement', () => {
    const a = 'x'.repeat(1024 * 1024);
    expect(refusal('${a//x/${a}}', { a })).to.include('more than 64 MiB longer');
  });

  it('must not grow in defaults that are thrown away', () => {
    const a = 'x'.repeat(1024 * 1024);
    expect(refusal(`\${a:-${'${a}'.repeat(100)}}`, { a })).to.include('more than 64 MiB longer');
  });

  it('must not nest without bound', () => {
    const text = `${'${m:-'.repeat(51)}x${'}'.repeat(51)}`;
    expect(refusal(text, { a: 'A' })).to.include('has more than 50 expressions inside one another');
    expect(replaced(`${'${m:-'.repeat(50)}x${'}'.repeat(50)}`, { a: 'A' })).to.equal('x');
  });

  const bounded: [string, string, Variables][] = [
    ['a pattern full of stars', `\${a##${'*x'.repeat(5000)}y}`, { a: 'x'.repeat(1_000_000) }],
    ['a short text that looks at a long value', '${#a}'.repeat(800), { a: 'x'.repeat(1_000_000) }],
    ['many changes of case', '${a^^}'.repeat(700), { a: 'ß'.repeat(1_000_000) }],
  ];
  for (const [title, text, variables] of bounded) {
    it(`is given up when it takes too long: ${title}`, () => {
      const began = performance.now();
      expect(refusal(text, variables)).to.include('takes too long');
      expect(performance.now() - began).to.be.below(2000);
    });
  }

  const linear: [string, (size: number) => string][] = [
    ['dollars', (size) => '$'.repeat(size)],
    ['escapes', (size) => '$$x'.repeat(size / 3)],
    ['expressions', (size) => '${a}\n'.repeat(size / 5)],
    ['defaults', (size) => '${m:-x$y}'.repeat(size / 9)],
    ['one long default', (size) => `\${m:-${'$x'.repeat(size / 2)}}`],
    ['one long pattern', (size) => `\${a/${'\\/'.repeat(size / 2)}/x}`],
  ];
  for (const [title, make] of linear) {
    it(`takes time in proportion to its length: ${title}`, () => {
      const took = (text: string): number => {
        const began = performance.now();
        replaced(text, { a: 'A' });
        return performance.now() - began;
      };
      took(make(100_000));
      // Ten times the text; a hundred times the time would be a square.
      expect(took(make(3_000_000))).to.be.below(30 * Math.max(20, took(make(300_000))));
    });
  }

  it('passes with many ordinary expressions', () => {
    const image = 'registry.example.com/team/application:v1.2.3';
    const text = 'image: ${image##*/} ${image%%:*} ${image^^}\n'.repeat(30_000);
    expect(replaced(text, { image })).to.have.lengthOf.above(1_000_000);
  });
});

describe('substitution in general', () => {
  const name = fc.stringMatching(/^[a-z_][a-z0-9_]{0,5}$/);
  const piece = fc.constantFrom('$', '${', '}', 'a', '{', ':', '-', '/', '#', '\\', '\n', '${x}');
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));

  it('changes no text without a dollar', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (some) => {
        const plain = some.replaceAll('$', '');
        expect(replaced(plain, { x: 'X' })).to.equal(plain);
      }),
    );
  });

  it('gives back what was escaped by doubling its dollars', () => {
    fc.assert(
      fc.property(text, (some) => {
        expect(replaced(some.replaceAll('$', '$$$$'), { x: 'X' })).to.equal(some);
      }),
    );
  });

  it('does not look into values again', () => {
    fc.assert(
      fc.property(name, text, text, (key, value, around) => {
        const escaped = around.replaceAll('$', '$$$$');
        const whole = `${escaped}\${${key}}${escaped}`;
        expect(replaced(whole, { [key]: value, x: 'X' })).to.equal(
          `${around}${key === 'x' ? 'X' : value}${around}`,
        );
      }),
    );
  });

  it('answers or refuses whatever it is given', () => {
    fc.assert(
      fc.property(text, text, (some, value) => {
        try {
          expect(replaced(some, { x: value, a: value })).to.be.a('string');
        } catch (error) {
          expect(error).to.be.instanceOf(TerminalError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
