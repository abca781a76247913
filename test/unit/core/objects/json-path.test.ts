import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  parseJsonPath,
  parseJsonPathTemplate,
  textAt,
  valuesAt,
} from '../../../../src/core/objects/json-path.ts';
import { isProblem } from '../../../../src/core/problem.ts';

const deployment = {
  metadata: {
    name: 'shop',
    labels: { 'app.kubernetes.io/version': '1.4.2', tier: 'web', app: { kubernetes: 'nested' } },
  },
  spec: {
    replicas: 3,
    paused: false,
    containers: [
      { name: 'shop', image: 'shop:1.4.2', ports: [{ containerPort: 80 }] },
      { name: "it's", image: 'side:7', ports: [{ containerPort: 81 }] },
    ],
  },
};

function found(text: string, document: unknown = deployment): unknown {
  const path = parseJsonPath(text);
  return isProblem(path) ? path.problem : valuesAt(path, document);
}

describe("a path in kubectl's JSONPath", () => {
  const readings: [string, unknown[]][] = [
    ['{.spec.replicas}', [3]],
    ['{ .spec.replicas }', [3]],
    ['{$.spec.replicas}', [3]],
    ['{@.spec.replicas}', [3]],
    ['.spec.replicas', [3]],
    ['$.spec.replicas', [3]],
    ['{.spec.paused}', [false]],
    ['{.metadata.labels.app\\.kubernetes\\.io/version}', ['1.4.2']],
    ["{.metadata.labels['app\\.kubernetes\\.io/version']}", ['1.4.2']],
    ['{.metadata.labels["app.kubernetes.io/version"]}', ['1.4.2']],
    ["{.metadata.labels['app.kubernetes']}", ['nested']],
    ["{['spec']['replicas']}", [3]],
    ['{.spec.containers[0].image}', ['shop:1.4.2']],
    ['{.spec.containers[-1].image}', ['side:7']],
    ['{.spec.containers[01].image}', ['side:7']],
    ['{.spec.containers[0:1].name}', ['shop']],
    ['{.spec.containers[::2].name}', ['shop']],
    ['{.spec.containers[*].name}', ['shop', "it's"]],
    ['{.spec.containers.*.name}', ['shop', "it's"]],
    ["{.metadata['name','labels'].tier}", ['web']],
    ['{.spec.containers[0,1].name}', ['shop', "it's"]],
    ['{..containerPort}', [80, 81]],
    ['{.spec.containers[?(@.name=="shop")].image}', ['shop:1.4.2']],
    ["{.spec.containers[?(@.name=='shop')].image}", ['shop:1.4.2']],
    ["{.spec.containers[?(@.name=='it\\'s')].image}", ['side:7']],
    ['{.spec.containers[?(@.ports[0].containerPort>80)].image}', ['side:7']],
    ['{.spec.containers[?(@.name != "shop")].image}', ['side:7']],
    ['{.spec.containers[?(@.image)].name}', ['shop', "it's"]],
    ['{.spec.containers[?(@.image==@.name)].name}', []],
    ['{.spec.absent.deeper}', []],
    ['{.spec.containers[9]}', []],
    ['{.spec.constructor}', []],
    ['{.spec.__proto__}', []],
    ['{.spec.containers.length}', []],
  ];
  for (const [text, values] of readings) {
    it(`${text} leads to ${JSON.stringify(values)}`, () => {
      expect(found(text)).to.deep.equal(values);
    });
  }

  const refusals: [string, RegExp][] = [
    ['', /is empty/],
    ['{}{}', /must be one JSONPath/],
    ['v{.spec.replicas}', /must be one JSONPath/],
    ['{.spec.replicas', /not closed/],
    ['{.}', /name of a field/],
    ['{.spec.}', /name of a field/],
    ['{.spec.containers[}', /not closed/],
    ['{.spec.containers[]}', /write an index/],
    ['{.spec.containers[one]}', /no index/],
    ['{.spec.containers[::0]}', /step/],
    ['{.spec.containers[99999999999999999999]}', /too large/],
    ['{range .spec.containers[*]}{.name}{end}', /range/],
    ['{..spec..image}', /more than once/],
    [`{${'[0,0]'.repeat(30)}}`, /more than once/],
    ['{.spec.containers[?(@.name=="shop"].image}', /does not end/],
    ['{.spec.containers[?(@.name=="a" && @.image=="b")].image}', /filter/],
    ['{.spec.containers[?(@.name=~"a")].image}', /operator/],
    ['{.spec.containers[?(@.ports[*].containerPort==80)].image}', /several values/],
    ['{.spec.containers[?($.spec.paused)].image}', /filter/],
    ['{.spec.containers[?(@..name)].image}', /filter/],
    [`{.${'a'.repeat(1100)}}`, /longer than 1024/],
    ['{"text"}', /not understood/],
  ];
  for (const [text, problem] of refusals) {
    it(`is not ${text.slice(0, 60)}`, () => {
      const path = parseJsonPath(text);
      expect(isProblem(path) ? path.problem : path).to.match(problem);
    });
  }

  it('of whatever text is read or refused, and never leads to an error', () => {
    const pieces = fc.constantFrom(
      ...['{', '}', '.', '..', '[', ']', '*', "'", '"', '\\', ',', ':', '?(@', ')', '==', '-', '$'],
      ...['a', 'name', '0', '7', ' ', 'ä', '\ud800', '\n'],
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 20 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, fc.json(), (text, json) => {
        const parts = parseJsonPathTemplate(text);
        if (isProblem(parts)) return;
        for (const part of parts) if (typeof part !== 'string') valuesAt(part, JSON.parse(json));
      }),
      { numRuns: 2000 },
    );
  });

  it('finds what nests too deeply for the stack', () => {
    let deep: unknown = { a: 'bottom' };
    for (let level = 0; level < 100_000; level += 1) deep = [deep];
    expect(found('{..a}', deep)).to.deep.equal(['bottom']);
  });
});

describe("a template in kubectl's JSONPath", () => {
  it('has text around paths', () => {
    expect(parseJsonPathTemplate('v{.major}.{.minor}')).to.deep.equal([
      'v',
      { expression: '$["major"]' },
      '.',
      { expression: '$["minor"]' },
    ]);
  });

  it('of blanks has no part', () => expect(parseJsonPathTemplate(' \n')).to.deep.equal([]));
});

/** What dev/golden/json-path printed: what kubectl makes of a template, null where it refuses. */
interface Golden {
  readonly object: unknown;
  readonly found: Readonly<Record<string, string | null>>;
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, 'json-paths.json'), 'utf8'),
) as Golden;

/** Where kubectl stumbles over an item without the field, or a number, and we do not. */
const foundByUsOnly: ReadonlyMap<string, string> = new Map([
  ['{.spec.containers[?(@.extra=="yes")].ports[0].number}', '81'],
  ['{.spec.containers[?(@.ports[0].number=="81")].image}', 'side:7'],
  ['{.spec.containers[?(@.weight>2.0)].image}', 'side:7'],
  ['{.spec.containers[?(@.weight<=1.5)].image}', 'shop:1.4.2'],
]);

describe("a template says what kubectl's says", () => {
  for (const [text, found] of Object.entries(golden.found)) {
    it(JSON.stringify(text), () => {
      const parts = parseJsonPathTemplate(text);
      const said = isProblem(parts) ? parts : textAt(parts, golden.object);
      const expected = found ?? foundByUsOnly.get(text) ?? null;
      expect(typeof said === 'string' ? said : null).to.equal(expected);
    });
  }

  it('and tells what is wrong where it leads to no single text', () => {
    const problems = ['{.spec.absent}', '{.spec.containers}', '{.spec.containers[*].name}'].map(
      (text) => {
        const parts = parseJsonPathTemplate(text);
        return isProblem(parts) ? parts : textAt(parts, golden.object);
      },
    );
    expect(problems).to.deep.equal([
      { problem: 'leads to nothing; write \\. for a dot that belongs to a name' },
      { problem: 'leads to a list and not to text' },
      { problem: 'leads to 3 values; make it lead to one' },
    ]);
  });
});
