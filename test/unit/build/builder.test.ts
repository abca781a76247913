import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Builder } from '../../../src/build/builder.ts';
import { TerminalError } from '../../../src/core/errors.ts';
import { milliseconds } from '../../../src/core/time.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import { configMap, failureOf, filesOf } from './artifact.ts';

describe('building a stage', () => {
  let builder: Builder;
  let binary: string;
  let temporaryDirectory: string;
  const { signal } = new AbortController();

  before(async () => {
    binary = await kustomizeBinary();
    temporaryDirectory = await mkdtemp(join(tmpdir(), 'build-test-'));
    builder = new Builder({ kustomizeBinary: binary, temporaryDirectory });
  });
  afterEach(async () => {
    expect(await readdir(temporaryDirectory), 'files left behind').to.deep.equal([]);
  });
  after(async () => {
    await builder.close();
    await rm(temporaryDirectory, { recursive: true });
  });

  const build = (texts: Record<string, string>, path?: string) =>
    builder.build(filesOf(texts), { path, signal });

  const names = async (texts: Record<string, string>, path?: string): Promise<string[]> =>
    (await build(texts, path)).objects.map(({ metadata }) => metadata.name).sort();

  const refusal = async (texts: Record<string, string>, path?: string): Promise<string> => {
    const error = await failureOf(build(texts, path));
    expect(error).to.be.instanceOf(TerminalError).and.to.include({ reason: 'StageFailed' });
    return error.message;
  };

  describe('finds the directory', () => {
    const texts = { 'root.yaml': configMap('root'), 'app/web/web.yaml': configMap('web') };

    for (const path of [undefined, '', '.', '/', './', '//']) {
      it(`at the root for ${JSON.stringify(path)}`, async () => {
        expect(await names(texts, path)).to.deep.equal(['root', 'web']);
      });
    }
    for (const path of ['app/web', '/app/web/', './app/./web', 'app/other/../web']) {
      it(`below it for ${path}`, async () => {
        expect(await names(texts, path)).to.deep.equal(['web']);
      });
    }
    it('and refuses a path that escapes', async () => {
      expect(await refusal(texts, '../other')).to.equal(
        'path ../other escapes the artifact; name a directory inside it',
      );
      expect(await refusal(texts, 'app/../../x')).to.match(/escapes the artifact/);
    });
    it('and refuses a path that is not there, or is a file', async () => {
      expect(await refusal(texts, 'ap')).to.equal(
        'path ap is not found in the artifact; name a directory of it',
      );
      expect(await refusal(texts, 'root.yaml')).to.equal(
        'path root.yaml is a file in the artifact; name a directory of it',
      );
    });
  });

  describe('counts manifests and not objects', () => {
    it('and refuses a directory without any', async () => {
      expect(await refusal({ 'README.md': '', 'app/values.txt': '' }, 'app')).to.equal(
        'path app of the artifact contains no manifests: no file ends in .yaml, .yml or .json. To ' +
          'delete what the stage applied, remove the stage from the spec',
      );
      expect(await refusal({})).to.match(/^the artifact contains no manifests/);
    });
    it('and does not count the settings of tools', async () => {
      expect(await refusal({ '.sops.yaml': 'creation_rules: []' })).to.match(
        /contains no manifests/,
      );
    });
    for (const [what, texts] of Object.entries<Record<string, string>>({
      'an empty YAML file': { 'a.yaml': '' },
      'a comment': { 'a.YML': '# nothing yet\n' },
      'an empty JSON array': { 'a.json': '[]' },
      'an empty kustomization': { 'kustomization.yaml': '' },
      'a kustomization without resources': {
        'kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n',
      },
      'a kustomization with an empty list': { Kustomization: 'resources: []', 'a/x.yaml': '' },
    })) {
      it(`and builds ${what} to nothing`, async () => {
        expect(await names(texts)).to.deep.equal([]);
      });
    }
  });

  describe('without a kustomization', () => {
    it('takes manifests of every directory and extension', async () => {
      const json = (name: string): string =>
        JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
      const texts = {
        'a.yaml': configMap('a'),
        'deep/er/b.yml': configMap('b'),
        'deep/C.JSON': json('c'),
        'd.json': `[${json('d')}, ${json('e')}]`,
        'notes.txt': 'no manifest',
        '.hidden/x.yaml': 'no manifest',
      };
      expect(await names(texts)).to.deep.equal(['a', 'b', 'c', 'd', 'e']);
    });

    it('ignores a .json file beside its .yaml file, and says so', async () => {
      const { objects, warnings } = await build({
        'a.yaml': configMap('yaml'),
        'a.json': '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"json"}}',
      });
      expect(objects.map(({ metadata }) => metadata.name)).to.deep.equal(['yaml']);
      expect(warnings).to.deep.equal([
        'a.json is ignored, since a.yaml is there too; remove one of them',
      ]);
    });

    it('builds a nested kustomization as one, and not the files below it', async () => {
      const texts = {
        'a.yaml': configMap('a'),
        'b.json': `[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"b"}}]`,
        'empty.yaml': '# nothing',
        'nested/kustomization.yaml': 'resources: [c.yaml]\nnamePrefix: x-\n',
        'nested/c.yaml': configMap('c'),
        'nested/unused.yaml': configMap('unused'),
        'nested/deeper/kustomization.yaml': 'resources: [nothing-that-exists.yaml]\n',
      };
      expect(await names(texts)).to.deep.equal(['a', 'b', 'x-c']);
    });

    it('asks kustomize about the files that need it, and not about thousands of others', async () => {
      const texts: Record<string, string> = { 'dated.yaml': configMap('dated', 'a: 2026-01-01') };
      for (let index = 0; index < 5000; index += 1) texts[`${index}.yaml`] = configMap(`c${index}`);
      const { objects } = await build(texts);
      expect(objects).to.have.length(5001);
      expect(objects.find(({ metadata }) => metadata.name === 'dated')?.['data']).to.deep.equal({
        a: '2026-01-01T00:00:00Z',
      });
    });

    it('lets a nested kustomization rename what a file beside it refers to', async () => {
      const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: c, envFrom: [{configMapRef: {name: settings}}]}]\n`;
      const { objects } = await build({
        'pod.yaml': pod,
        'nested/kustomization.yaml': 'configMapGenerator: [{name: settings, literals: [a=b]}]\n',
      });
      const generated = objects.find(({ kind }) => kind === 'ConfigMap')?.metadata.name;
      expect(generated).to.match(/^settings-[a-z0-9]{10}$/);
      expect(objects.find(({ kind }) => kind === 'Pod')?.['spec']).to.deep.equal({
        containers: [{ name: 'c', envFrom: [{ configMapRef: { name: generated } }] }],
      });
    });

    it('refuses a file that is no manifest, naming it', async () => {
      expect(await refusal({ 'a.yaml': configMap('a'), 'values.yaml': 'replicas: 1\n' })).to.match(
        /^values\.yaml:1:1: is not a Kubernetes object: apiVersion, kind, metadata\.name must be/,
      );
    });

    it('refuses the same object in two files, naming both', async () => {
      const texts = { 'a.yaml': configMap('same'), 'b/b.yaml': configMap('same') };
      expect(await refusal(texts)).to.equal(
        'b/b.yaml:1:1: ConfigMap/same is defined in a.yaml:1:1 already; remove one of them',
      );
    });

    it('says where YAML is broken', async () => {
      expect(await refusal({ 'a/b.yaml': 'a: 1\nb: c: d\n' })).to.match(
        /^a\/b\.yaml:2:4: is not valid YAML: /,
      );
    });

    it('normalises what it has read', async () => {
      const { objects } = await build({
        'secret.yaml':
          'apiVersion: v1\nkind: Secret\nmetadata: {name: a, creationTimestamp: null}\nstringData: {a: b}\n',
      });
      expect(objects).to.deep.equal([
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data: { a: 'Yg==' } },
      ]);
    });
  });

  describe('with a kustomization', () => {
    for (const name of ['kustomization.yaml', 'kustomization.yml', 'Kustomization']) {
      it(`uses ${name}`, async () => {
        const texts = { [name]: 'resources: [a.yaml]\nnamePrefix: x-\n', 'a.yaml': configMap('a') };
        expect(await names(texts)).to.deep.equal(['x-a']);
      });
    }

    it('refuses two of them', async () => {
      const texts = { 'kustomization.yaml': '', Kustomization: '' };
      expect(await refusal(texts)).to.equal(
        'kustomization.yaml and Kustomization are both kustomization files; keep one of them',
      );
    });

    it('reaches files and directories anywhere in the artifact', async () => {
      const texts = {
        'overlay/kustomization.yaml': `
resources: [../base, ../shared/extra.yaml]
components: [../component]
patches: [{path: ../shared/patch.yaml}]
configMapGenerator:
- name: generated
  files: [../shared/file.txt, renamed=../shared/file.txt]
  envs: [.env]
  options: {disableNameSuffixHash: true}
`,
        'overlay/.env': 'KEY=value\n',
        'base/kustomization.yaml': 'resources: [a.yaml]\n',
        'base/a.yaml': configMap('a'),
        'shared/extra.yaml': configMap('extra'),
        'shared/patch.yaml': configMap('a', 'patched: "true"'),
        'shared/file.txt': 'text',
        'component/kustomization.yaml':
          'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {x: "1"}\n',
      };
      const { objects } = await build(texts, 'overlay');
      const byName = Object.fromEntries(objects.map((object) => [object.metadata.name, object]));
      expect(Object.keys(byName).sort()).to.deep.equal(['a', 'extra', 'generated']);
      expect(byName['a']?.['data']).to.deep.equal({ a: 'b', patched: 'true' });
      expect(byName['extra']?.metadata.annotations).to.deep.equal({ x: '1' });
      expect(byName['generated']?.['data']).to.deep.equal({
        KEY: 'value',
        'file.txt': 'text',
        renamed: 'text',
      });
    });

    it('runs built-in transformers, inline ones before those from files', async () => {
      const prefix = (text: string): string =>
        `apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: ${text}}\nprefix: ${text}\nfieldSpecs: [{path: metadata/name}]\n`;
      const texts = {
        'kustomization.yaml': `resources: [a.yaml]\ntransformers:\n- prefix.yaml\n- |\n  ${prefix('x-').replaceAll('\n', '\n  ')}\n`,
        'prefix.yaml': prefix('y-'),
        'a.yaml': configMap('a'),
      };
      expect(await names(texts)).to.deep.equal(['y-x-a']);
    });

    it('applies inline strategic merge patches', async () => {
      const texts = {
        'kustomization.yaml': `resources: [a.yaml]\npatchesStrategicMerge:\n- |-\n  ${configMap('a', 'a: patched').replaceAll('\n', '\n  ')}\n`,
        'a.yaml': configMap('a'),
      };
      const { objects, warnings } = await build(texts);
      expect(objects[0]?.['data']).to.deep.equal({ a: 'patched' });
      expect(warnings).to.deep.equal([
        "'patchesStrategicMerge' is deprecated. Please use 'patches' instead. Run 'kustomize edit fix' to update your Kustomization automatically.",
      ]);
    });

    it('names both files of an object that is there twice', async () => {
      const texts = {
        'kustomization.yaml': 'resources: [a.yaml, b.yaml]\n',
        'a.yaml': configMap('same'),
        'b.yaml': `---\n${configMap('same')}`,
      };
      expect(await refusal(texts)).to.match(
        /; ConfigMap\/same is defined in a\.yaml:1:1; ConfigMap\/same is defined in b\.yaml:2:1$/,
      );
    });

    it('says where YAML is broken, without temporary paths', async () => {
      const texts = { 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': 'a: 1\nb: c: d\n' };
      const message = await refusal(texts);
      expect(message).to.match(/^kustomize: .*; a\.yaml:2:4: is not valid YAML: /);
      expect(message).not.to.contain(temporaryDirectory);
    });

    it('does not repeat objects of the artifact in its errors', async () => {
      const texts = {
        'kustomization.yaml': 'resources: [a.yaml]\n',
        'a.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {}\nstringData: {password: hunter2}\n',
      };
      expect(await refusal(texts)).not.to.contain('hunter2');
      const withOddKey = { ...texts, 'a.yaml': configMap('a', '1: hunter2') };
      expect(await refusal(withOddKey)).to.match(
        /^kustomize: \(…\); a\.yaml:6:3: the key 1 must be text: put it in quotes$/,
      );
    });

    it('refuses a kustomization that lists itself in a circle', async () => {
      const texts = {
        'a/kustomization.yaml': 'resources: [../b]\n',
        'b/kustomization.yaml': 'resources: [../a]\n',
      };
      expect(await refusal(texts, 'a')).to.match(/^kustomize: .*cycle detected/s);
    });
  });

  it('gives up on manifests that take too long to read', async () => {
    const other = new Builder({ kustomizeBinary: binary, timeout: milliseconds(1) });
    const large = Array.from({ length: 2000 }, (_, index) => configMap(`c${index}`)).join('---\n');
    const error = await failureOf(
      other.build(filesOf({ 'a.yaml': large }), { path: undefined, signal }),
    );
    await other.close();
    expect(error).to.be.instanceOf(TerminalError);
    expect(error.message).to.match(/its manifests took longer than 0\.001 s to read; split it$/);
  });

  it('builds ten thousand objects', async () => {
    const texts: Record<string, string> = {};
    for (let file = 0; file < 100; file += 1) {
      texts[`${file}.yaml`] = Array.from({ length: 100 }, (_, index) =>
        configMap(`c${file}-${index}`),
      ).join('---\n');
    }
    expect((await build(texts)).objects).to.have.length(10_000);
  });

  it('builds several stages at the same time', async () => {
    const builds = Array.from({ length: 6 }, (_, index) =>
      names({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': configMap(`c${index}`) }),
    );
    expect((await Promise.all(builds)).flat()).to.deep.equal(['c0', 'c1', 'c2', 'c3', 'c4', 'c5']);
  });
});
