import { expect } from 'chai';
import { Builder } from '../../../src/build/builder.ts';
import { planBuild } from '../../../src/build/plan.ts';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import type { KubernetesObject } from '../../../src/types/kubernetes.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import { configMap, filesOf } from './artifact.ts';

/** A custom resource with a spec. */
const toy = (spec: string): string =>
  `apiVersion: toys.example.com/v1\nkind: Toy\nmetadata:\n  name: a\nspec:\n  ${spec.replaceAll('\n', '\n  ')}\n`;

const directories: Record<string, Record<string, string>> = {
  'one object': { 'a.yaml': configMap('a') },
  'several files and documents': {
    'a.yaml': `---\n${configMap('a')}---\n${configMap('b')}---\n`,
    'c.yaml': `# a comment\n${configMap('c')}`,
  },
  directories: { 'a/a.yaml': configMap('a'), 'a/b/c.yml': configMap('c') },
  'a List': {
    'list.yaml': `apiVersion: v1\nkind: List\nitems:\n- ${configMap('a').replaceAll('\n', '\n  ')}\n- ${configMap('b').replaceAll('\n', '\n  ')}\n`,
  },
  'a list of a kind': {
    'list.yaml': `apiVersion: v1\nkind: ConfigMapList\nitems:\n- ${configMap('a').replaceAll('\n', '\n  ')}\n`,
  },
  JSON: {
    'a.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1"}}',
  },
  'numbers of every spelling': {
    'a.yaml': toy(
      'a: 0644\nb: 0o17\nc: 0x1F\nd: 1_000\ne: 1e3\nf: .5\ng: 1.0\nh: -0\ni: 08\nj: 1e21\nk: 123456789.123456789\nl: 0b11\nm: +7\nn: 1e-7',
    ),
  },
  'words of YAML 1.1': {
    'a.yaml': toy(
      'a: yes\nb: on\nc: y\nd: No\ne: OFF\nf: "yes"\ng: ~\nh: TRUE\ni: 12:30:45\nj: =\nk: "null"',
    ),
  },
  'keys that look like words': { 'a.yaml': toy('on: 1\ny: 2\n"no": 3\n"1": 4\n"true": 5') },
  'texts of every form': {
    'a.yaml': toy(
      "a: |\n  two\n  lines\nb: >-\n  folded\n  text\nc: 'it''s'\nd: \"tab\\there\"\ne: plain: no\n".replace(
        'e: plain: no\n',
        '',
      ) +
        'e: a # comment\nf: "# none"\ng: |+\n  kept\n\nh: ""\ni: |2\n    indented\nj: "ünï → 🎈"\nk: "0644"\nl: "1e3"\nm: "---"',
    ),
  },
  'empty values': { 'a.yaml': toy('a: null\nb: {}\nc: []\nd:\ne: {f: null, g: [{}]}') },
  'large integers': {
    'a.yaml': toy('a: 9007199254740992\nb: -9007199254740992\nc: 9223372036854775808'),
  },
  'CRLF line ends': { 'a.yaml': configMap('a', 'a: "x"').replaceAll('\n', '\r\n') },
  'a Secret': {
    'a.yaml':
      'apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop}\ntype: Opaque\nstringData: {a: b}\ndata: {c: ZA==}\n',
  },
  'labels and annotations': {
    'a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  labels: {a: "1", b: "true"}\n  annotations: {c: "null", d: "a\\nb"}\n',
  },
  'a CRD with the bounds of int64': {
    'a.yaml':
      'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: toys.example.com}\nspec:\n  versions:\n  - schema:\n      openAPIV3Schema:\n        properties:\n          size: {type: integer, maximum: 9223372036854775807, minimum: -9223372036854775808}\n',
  },
  'the same name in two namespaces and kinds': {
    'a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: one}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: two}\n---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, namespace: two}\n',
  },
  'flow style': {
    'a.yaml': '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {a: "b", c: d}}',
  },
};

/** Written so that it is left to kustomize: the same result then, of course. */
const unusual: Record<string, Record<string, string>> = {
  dates: { 'a.yaml': toy('a: 2026-01-01\nb: 2026-01-01T10:00:00Z') },
  'anchors and merges': { 'a.yaml': toy('a: &x {b: 1}\nc: {<<: *x, d: 2}\ne: *x') },
  'explicit tags': { 'a.yaml': toy('a: !!str 5\nb: !!int "6"') },
  'annotations that are no text': {
    'a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {a: "b"}, labels: {}}\n',
  },
  'an object for local use only': {
    'a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {config.kubernetes.io/local-config: "true"}}\n',
    'b.yaml': configMap('b'),
  },
};

const plain = { path: undefined, patches: [], variables: new Map<string, string>() };

describe('a plain directory', () => {
  let builder: Builder;
  const { signal } = new AbortController();

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
  });
  after(() => builder.close());

  const built = async (texts: Record<string, string>): Promise<string[]> => {
    const { objects } = await builder.build(filesOf(texts), { path: undefined, signal });
    return objects.map((object: KubernetesObject) => canonicalJson(object)).sort();
  };

  const withKustomization = (texts: Record<string, string>): Record<string, string> => ({
    ...texts,
    'kustomization.yaml': JSON.stringify({ resources: Object.keys(texts) }),
  });

  for (const [what, texts] of Object.entries(directories)) {
    it(`with ${what} is read as kustomize reads it`, async () => {
      expect(planBuild(filesOf(texts), plain).kind).to.equal('Objects');
      const objects = await built(texts);
      expect(objects).not.to.deep.equal([]);
      expect(objects).to.deep.equal(await built(withKustomization(texts)));
    });
  }

  for (const [what, texts] of Object.entries(unusual)) {
    it(`with ${what} is left to kustomize`, async () => {
      expect(planBuild(filesOf(texts), plain).kind).to.equal('Kustomize');
      expect(await built(texts)).to.deep.equal(await built(withKustomization(texts)));
    });
  }
});
