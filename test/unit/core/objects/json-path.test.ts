import { expect } from 'chai';
import fc from 'fast-check';
import { type JsonValue, query } from 'jsonpath-rfc9535';
import { compileJsonPath } from '../../../../src/core/objects/json-path.ts';
import { valuesAt } from '../../../../src/core/objects/json-path-values.ts';

const document: JsonValue = {
  budget: { remaining: 0.25, spent: [1, 2, 3] },
  'a-b': { 'c.d': 'dotted', "it's": 'quoted' },
  services: [
    { name: 'web', value: 0.1, labels: { tier: 'front' } },
    { name: 'api', value: '0.2' },
    { name: 'db', value: null, replicas: [{ name: 'one' }] },
  ],
};

function found(path: string, root: unknown = document): unknown {
  const compiled = compileJsonPath(path);
  if (compiled.kind === 'Problem') return compiled.problem;
  const result = valuesAt(compiled.segments, root);
  return result.kind === 'Values' ? result.values : result.kind;
}

describe('a JSONPath', () => {
  const paths: [path: string, values: unknown[]][] = [
    ['{.budget.remaining}', [0.25]],
    ['.budget.remaining', [0.25]],
    ['$.budget.remaining', [0.25]],
    ['{$.budget.remaining}', [0.25]],
    ['{@.budget.remaining}', [0.25]],
    ['  { .budget.remaining }  ', [0.25]],
    ["$['budget']['remaining']", [0.25]],
    ["{['budget'].remaining}", [0.25]],
    ['{.a-b.c\\.d}', ['dotted']],
    ["{.a-b['c.d']}", ['dotted']],
    ["{.a-b['c\\.d']}", ['dotted']],
    ["{.a-b.it\\'s}", ['quoted']],
    ['{.budget.spent[0]}', [1]],
    ['{.budget.spent[-1]}', [3]],
    ['{.budget.spent[7]}', []],
    ['{.budget.spent[*]}', [1, 2, 3]],
    ['{.budget.spent[1:]}', [2, 3]],
    ['{.budget.spent[::-1]}', [3, 2, 1]],
    ['{.budget.spent[::0]}', []],
    ['{.budget.spent[-9:2]}', [1, 2]],
    ['{.budget.spent[:-9:-2]}', [3, 1]],
    ['{.budget.spent[0,2]}', [1, 3]],
    ['{.services[?(@.name=="web")].value}', [0.1]],
    ["{.services[?(@.name=='api')].value}", ['0.2']],
    ['{.services[?(@.value<1)].name}', ['web']],
    ['{.services[?(@.labels.tier=="front" && @.value>=0.1)].name}', ['web']],
    ['{.services[?(!@.labels)].name}', ['api', 'db']],
    ['{.services[?(@.replicas[0].name=="one")].name}', ['db']],
    ['{.services[?(@.value==null)].name}', ['db']],
    ['{.services[?(@.name!="web" || $.budget.remaining<0)].name}', ['api', 'db']],
    ['{.services[*].name}', ['web', 'api', 'db']],
    ['{..tier}', ['front']],
    ["{..['tier']}", ['front']],
    ['{..*}', [...query(document, '$..*')]],
    ['{.nothing.here}', []],
    ['{.budget.remaining.further}', []],
    ['{.__proto__}', []],
    ['{.constructor}', []],
    ['{.budget.spent.length}', []],
    ['{.}', [document]],
    ['$', [document]],
  ];
  for (const [path, values] of paths) {
    it(`${path} leads to what it names`, () => {
      if (path === '{..*}') expect(found(path)).to.have.deep.members(values);
      else expect(found(path)).to.deep.equal(values);
    });
  }

  const refused = [
    '',
    '{}',
    'budget',
    '{budget}',
    '{.budget}{.services}',
    '{range .services[*]}{.name}{end}',
    '{"text"}',
    '{.budget.}',
    '{.budget..}',
    '{.services[}',
    '{.services[?(@.name)}',
    '{.services[?(@.name=="web]}',
    '{.services[0',
    '.a b',
    '{.a|b}',
    '{.services[(@.length-1)]}',
    'a'.repeat(1025),
  ];
  for (const path of refused) {
    it(`cannot be ${path.length > 40 ? 'longer than 1024 characters' : JSON.stringify(path)}`, () => {
      expect(compileJsonPath(path).kind).to.equal('Problem');
    });
  }

  const wide = [
    '{.services[?match(@.name, "(a+)+")]}',
    '{.services[?search(@.name, "(a+)+")]}',
    '{.services[?length(@.name)==3]}',
    '{.services[?(@.value==@.name)]}',
    '{.services[?@..name]}',
    '{.services[?@.*]}',
    "{.services[?@['a','b']]}",
    '{.services[?@[?@.name]]}',
  ];
  for (const path of wide) {
    it(`has no filter that costs much: ${path}`, () => {
      expect(found(path)).to.match(/filter.*; filters compare a field with a literal/);
    });
  }

  it('is given up where a document is too much to look at', () => {
    const list = new Array<number>(200_000).fill(1);
    for (const path of ['$[*]', '$..a', '$[?(@.a==1)]', '$[0:]']) {
      expect(found(path, list), path).to.equal('TooMany');
    }
    expect(found('$[5]', list)).to.deep.equal([1]);
    const unions = `$${'[*,*,*,*]'.repeat(50)}`;
    const deep = JSON.parse('['.repeat(60) + ']'.repeat(60)) as unknown;
    expect(found(unions, deep)).to.equal('TooMany');
  });

  it('finds what the reference finds, in any document', () => {
    const key = fc.constantFrom('a', 'b', 'c', "d'e", 'f.g');
    const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        fc.constantFrom<JsonValue>(0, 1, 2, 'x', 'y', true, null),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    const literal = fc.constantFrom('0', '1', '"x"', 'true', 'null');
    const operator = fc.constantFrom('==', '!=', '<', '<=', '>', '>=');
    const field = fc.constantFrom('@', '@.a', '@.b', '@.a.b', '$.a');
    const test = fc.oneof(
      fc.constantFrom('@.a', '!@.b', '@.a.c'),
      fc.tuple(field, operator, literal).map((parts) => parts.join('')),
      fc.tuple(literal, operator, field).map((parts) => parts.join('')),
    );
    const filter = fc.oneof(
      test,
      fc.tuple(test, fc.constantFrom('&&', '||'), test).map((parts) => parts.join('')),
    );
    const index = fc.integer({ min: -3, max: 3 }).map(String);
    // The reference counts a place before the first item from the end once more.
    const place = fc.nat({ max: 4 }).map(String);
    const slice = fc
      .tuple(fc.option(place), fc.option(place), fc.option(index))
      .map(([start, end, step]) => `${start ?? ''}:${end ?? ''}:${step ?? ''}`);
    const selector = fc.oneof(
      fc.constantFrom("'a'", "'b'", "'d\\'e'", "'f.g'", '*'),
      index,
      slice,
      filter.map((text) => `?(${text})`),
    );
    const segment = fc.oneof(
      fc.constantFrom('.a', '.b', '.c', '.*', '..a', '..*'),
      fc
        .tuple(fc.constantFrom('', '..'), fc.array(selector, { minLength: 1, maxLength: 2 }))
        .map(([dots, selectors]) => `${dots}[${selectors.join(',')}]`),
    );
    const path = fc.array(segment, { maxLength: 3 }).map((segments) => `$${segments.join('')}`);
    fc.assert(
      fc.property(tree, path, (root, text) => {
        expect(found(text, root)).to.have.deep.members(query(root, text));
      }),
      { numRuns: 2000 },
    );
  });
});
