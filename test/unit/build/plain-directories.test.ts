import { expect } from 'chai';
import fc from 'fast-check';
import { Builder } from '../../../src/build/builder.ts';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import type { StagePatch } from '../../../src/types/stages.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import { filesOf } from './artifact.ts';
import { expectedOf } from './oracle.ts';

const scalar = fc.constantFrom(
  ...[
    'text',
    '"quoted"',
    "'single'",
    '5',
    '"5"',
    '0644',
    '1.5',
    'true',
    '"true"',
    'yes',
    'on',
    '~',
  ],
  ...['""', '2026-01-01', '"2026-01-01"', '12:30', '1_000', '"a: b"', '"# c"', '|-\n    x\n    y'],
  ...[
    '"${count}"',
    '"${word}-${count}"',
    '"${absent:-a b}"',
    '"$${kept}"',
    '"$plain"',
    '"${word}: x"',
  ],
);

/** A custom resource as YAML, of a kind and with a name, in one of two namespaces or none. */
const manifest = fc
  .record({
    kind: fc.constantFrom('Toy', 'Game'),
    name: fc.constantFrom('one', 'two', 'three', 'four'),
    namespace: fc.constantFrom('', '  namespace: red\n', '  namespace: blue\n'),
    labels: fc.constantFrom('', '  labels: {tier: web}\n', '  annotations: {note: "${word}"}\n'),
    values: fc.array(scalar, { minLength: 1, maxLength: 5 }),
  })
  .map(({ kind, name, namespace, labels, values }) => ({
    id: `${kind}/${name}/${namespace}`,
    text: `apiVersion: toys.example.com/v1\nkind: ${kind}\nmetadata:\n  name: ${name}\n${namespace}${labels}spec:\n${values.map((value, index) => `  v${index}: ${value}\n`).join('')}`,
  }));

/** Files of a directory; no object is there twice. */
const directory = fc
  .uniqueArray(manifest, { minLength: 1, maxLength: 8, selector: ({ id }) => id })
  .chain((manifests) =>
    fc
      .array(fc.constantFrom('a.yaml', 'b.yml', 'deep/c.yaml', 'deep/er/d.yaml'), {
        minLength: manifests.length,
        maxLength: manifests.length,
      })
      .map((names) => {
        const files: Record<string, string> = {};
        for (const [index, name] of names.entries()) {
          const text = manifests[index]?.text ?? '';
          files[name] = files[name] === undefined ? text : `${files[name]}---\n${text}`;
        }
        return files;
      }),
  );

const selector = fc.record(
  {
    group: fc.constantFrom('toys.example.com', '.*'),
    version: fc.constantFrom('v1', 'v2'),
    kind: fc.constantFrom('Toy', 'Game|Toy', 'T.*', '[TG].*'),
    name: fc.constantFrom('one', 't.*', 'one|two', '.*e', '(one|four)'),
    namespace: fc.constantFrom('red', 'default', 'red|blue', '.*'),
    labelSelector: fc.constantFrom('tier=web', '!tier'),
    annotationSelector: fc.constantFrom('note'),
  },
  { requiredKeys: [] },
);

const patch: fc.Arbitrary<StagePatch> = fc.oneof(
  fc.record({
    patch: fc.constantFrom(
      '- {op: add, path: /spec/added, value: "${word}"}',
      '[{"op":"add","path":"/spec/list","value":[1,"2",null]}]',
      '- {op: add, path: /metadata/labels, value: {patched: "1"}}',
      '- {op: add, path: /spec/v0, value: {deep: [true]}}',
    ),
    target: selector,
  }),
  fc.record({
    patch: fc.constantFrom(
      'apiVersion: v1\nkind: Any\nmetadata: {name: any}\nspec: {v0: null, merged: "${count}"}',
      'apiVersion: v1\nkind: Any\nmetadata: {name: any, labels: {patched: "2"}}',
      'apiVersion: v1\nkind: Any\nmetadata: {name: any}\n$patch: delete',
    ),
    target: selector,
  }),
);

const variables = fc.constantFrom<Record<string, string>>(
  {},
  { count: '3', word: 'true', kept: 'no' },
  { count: '', word: 'a b', other: '${count}' },
);

describe('a plain directory', () => {
  let builder: Builder;
  const { signal } = new AbortController();

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
  });
  after(() => builder.close());

  it('is built as kustomize builds a generated kustomization, patches and variables too', async () => {
    const stage = fc.record({
      files: directory,
      patches: fc.array(patch, { maxLength: 3 }),
      variables,
    });
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(stage, async (example) => {
        const { objects } = await builder.build(filesOf(example.files), {
          patches: example.patches,
          variables: new Map(Object.entries(example.variables)),
          signal,
        });
        const kustomization = JSON.stringify({ resources: Object.keys(example.files) });
        const files = { ...example.files, 'kustomization.yaml': kustomization };
        const expected = await expectedOf({ ...example, files });
        expect(objects.map((object) => canonicalJson(object)).sort()).to.deep.equal(expected);
        compared += 1;
      }),
      { numRuns: 150 },
    );
    process.stdout.write(`      ${compared} directories compared\n`);
  });
});
