import { expect } from 'chai';
import fc from 'fast-check';
import { blockYaml } from '../../../src/core/objects/block-yaml.ts';
import { stringify } from '../../../src/core/objects/yaml.ts';
import { kustomizeOutput } from '../build/oracle.ts';

/** What is hard to write in YAML: indicators, quotes, spaces, words and numbers of YAML 1.1. */
const pieces = [
  ...[
    '${a}',
    '$${b}',
    'word',
    'yes',
    'null',
    '0x1F',
    '1_000',
    '12:30',
    '2026-01-01',
    '.5',
    '~',
    '<<',
  ],
  ...[
    ' ',
    '  ',
    '\n',
    '\n\n',
    '\t',
    ': ',
    ':',
    ' #',
    '#',
    '- ',
    '-',
    '? ',
    '---',
    '...',
    ', ',
    '.',
  ],
  ...["'", '"', '\\', '{', '}', '[', ']', '&', '*', '!', '|', '>', '%', '@', '`', '='],
  ...['é', '→', '🎈', '\u00a0', '\u0007', '\r', 'x'.repeat(30), 'long words '],
];

const text = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((some) => some.join(''));
/** Without numbers that begin in the middle: their order in go-yaml depends on that of the input. */
const key = fc.oneof(
  text.filter((some) => !/^$|^<<$|[\n\r0-9]/.test(some) && some.length < 60),
  fc.constantFrom('a', 'a2', 'a10', 'A', '_', 'b-1', 'b.1'),
);
const value = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    { arbitrary: text, weight: 6 },
    { arbitrary: fc.oneof(fc.integer(), fc.boolean()), weight: 1 },
    fc.array(tie('node'), { maxLength: 4 }),
    fc.dictionary(key, tie('node'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).node;

/** What kustomize writes for objects, which it sorts by their names. */
async function documentsOf(objects: readonly object[]): Promise<(string | undefined)[]> {
  const files = {
    'all.yaml': stringify(objects),
    'kustomization.yaml': 'resources: [all.yaml]\n',
  };
  const documents = (await kustomizeOutput({ files })).split(/^---\n/m);
  return objects.map((_, index) =>
    documents.find((some) => some.includes(`\n  name: toy-${index}\n`)),
  );
}

const toy = (name: string, spec: unknown): object => ({
  apiVersion: 'toys.example.com/v1',
  kind: 'Toy',
  metadata: { name },
  spec: { value: spec },
});

describe('the YAML text of an object', () => {
  it('is what kustomize writes for it, byte for byte', async () => {
    const specs = fc.array(value, { minLength: 100, maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(specs, async (some) => {
        const objects = some.map((spec, index) => toy(`toy-${index}`, spec));
        const written = await documentsOf(objects);
        for (const [index, object] of objects.entries()) {
          expect(blockYaml(object)).to.equal(written[index]);
        }
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });

  it('has no quotes that YAML does not need', () => {
    const object = { a: '${COUNT}', b: '${A}: ${B}', c: ' ${D}', d: 'yes', e: [], f: ['${E}', {}] };
    expect(blockYaml(object)).to.equal(
      "a: ${COUNT}\nb: '${A}: ${B}'\nc: ' ${D}'\nd: \"yes\"\ne: []\nf:\n- ${E}\n- {}\n",
    );
  });

  it('is not known for keys that are not written on one line', () => {
    expect(blockYaml({ ['k'.repeat(129)]: '' })).to.equal(undefined);
    expect(blockYaml({ 'a\nb': '' })).to.equal(undefined);
    expect(blockYaml({ '<<': '' })).to.equal(undefined);
    expect(blockYaml({ a: ['\u2028'] })).to.equal(undefined);
  });
});
