import { expect } from 'chai';
import fc from 'fast-check';
import {
  parseJsonPath,
  parseJsonPathTemplate,
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
