import { expect } from 'chai';
import { readManifests, refuseDuplicates } from '../../../src/core/objects/parse.ts';

const parse = (files: Record<string, string>) =>
  readManifests(
    Object.entries(files).map(([path, text]) => [path, Buffer.from(text)] as const),
    'Kustomize',
  );

const failure = (files: Record<string, string>): string => {
  try {
    refuseDuplicates(parse(files).manifests);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('This was expected to fail');
};

const names = (files: Record<string, string>): string[] =>
  parse(files).manifests.map(({ object }) => object.metadata.name);

const configMap = (name: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

describe('parsing manifests', () => {
  it('takes all documents of all files, with their positions', () => {
    const { manifests, unusual } = parse({
      'a.yaml': `${configMap('one')}---\n${configMap('two')}`,
      'b.yaml': `# empty\n`,
      'c.yaml': configMap('three'),
    });
    expect(manifests.map(({ object, at }) => [object.metadata.name, at])).to.deep.equal([
      ['one', { file: 'a.yaml', line: 1, column: 1 }],
      ['two', { file: 'a.yaml', line: 6, column: 1 }],
      ['three', { file: 'c.yaml', line: 1, column: 1 }],
    ]);
    expect(unusual).to.equal(false);
  });

  it('expands Lists, also of a kind and in one another', () => {
    const list = `apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: ConfigMapList
  items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: one}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: two}}
`;
    expect(names({ 'list.yaml': list })).to.deep.equal(['one', 'two']);
  });

  it('takes an empty List for nothing, and a kind that only ends in List for itself', () => {
    expect(names({ 'a.yaml': 'apiVersion: v1\nkind: List\nitems: []\n' })).to.deep.equal([]);
    const allow = 'apiVersion: example.com/v1\nkind: AllowList\nmetadata: {name: one}\n';
    expect(names({ 'a.yaml': allow })).to.deep.equal(['one']);
  });

  it('expands an array in a .json file only', () => {
    const array = `[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"one"}}]`;
    expect(names({ 'a.json': array })).to.deep.equal(['one']);
    expect(names({ 'a.json': '[]' })).to.deep.equal([]);
    expect(failure({ 'a.yaml': array })).to.match(
      /^a\.yaml:1: is not a Kubernetes object but a list/,
    );
  });

  it('drops kustomization documents but not those of Flux', () => {
    const { manifests, unusual } = parse({
      'a.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: []\n',
      'b.yaml':
        'apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps}\n',
    });
    expect(manifests.map(({ object }) => object.metadata.name)).to.deep.equal(['apps']);
    expect(unusual).to.equal(true);
  });

  it('drops the placeholder namespace', () => {
    const files = { 'a.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: _placeholder}\n' };
    expect(names(files)).to.deep.equal([]);
  });

  it('refuses what is no Kubernetes object, so that it cannot vanish', () => {
    expect(failure({ 'values.yaml': 'replicas: 3\n' })).to.equal(
      'values.yaml:1:1: is not a Kubernetes object: apiVersion, kind, metadata.name must be there ' +
        'and be text; complete it, or move it out of the directory that the stage builds',
    );
    expect(failure({ 'a.yaml': 'just text\n' })).to.match(/is not a Kubernetes object but text;/);
    expect(
      failure({ 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 123}\n' }),
    ).to.match(/metadata\.name must be there and be text/);
  });

  it('refuses an object that two files define, in whatever version', () => {
    const deployment = (version: string): string =>
      `apiVersion: apps/${version}\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n`;
    expect(failure({ 'a.yaml': deployment('v1'), 'b/c.yaml': deployment('v1beta2') })).to.equal(
      'b/c.yaml:1:1: Deployment/shop/web is defined in a.yaml:1:1 already; remove one of them',
    );
  });

  it('refuses text that is not UTF-8', () => {
    expect(() =>
      readManifests([['a.yaml', Uint8Array.of(0xff, 0xfe, 0x61)]], 'Kustomize'),
    ).to.throw('a.yaml: is not UTF-8 text; save it as UTF-8');
  });

  it('reads past a byte order mark', () => {
    expect(names({ 'a.yaml': `\uFEFF${configMap('one')}` })).to.deep.equal(['one']);
  });

  for (const [what, manifest] of Object.entries({
    'an annotation that is an order to kustomize':
      'metadata: {name: a, annotations: {config.kubernetes.io/local-config: "true"}}',
    'a label that is not text': 'metadata: {name: a, labels: {a: true}}',
    'annotations without content': 'metadata: {name: a, annotations: {}}',
    'a null in a list': 'metadata: {name: a}\ndata: [null]',
    'an anchor': 'metadata: {name: a}\ndata: {a: &x 1, b: *x}',
    'a date': 'metadata: {name: a}\ndata: {a: 2026-01-01}',
  })) {
    it(`leaves ${what} to kustomize`, () => {
      const { unusual } = parse({ 'a.yaml': `apiVersion: v1\nkind: ConfigMap\n${manifest}\n` });
      expect(unusual).to.equal(true);
    });
  }
});
