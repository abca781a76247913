import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { Builder } from '../../src/build/builder.ts';
import { TerminalError } from '../../src/core/errors.ts';
import { kustomizeBinary } from '../kustomize.ts';
import { configMap, filesOf } from '../unit/build/artifact.ts';

describe('attack 28: a kustomization that fetches, runs or reads outside ([gap] nothing remote, no plugin, no way out, part A 4.4)', () => {
  let builder: Builder;
  let server: Server;
  let origin: string;
  let requests = 0;
  const { signal } = new AbortController();

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
    server = createServer((_, response) => {
      requests += 1;
      response.end(configMap('fetched'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    await builder.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  afterEach(() => expect(requests, 'requests that were made').to.equal(0));

  const refusal = async (texts: Record<string, string>, path?: string): Promise<string> => {
    const outcome = await builder.build(filesOf(texts), { path, signal }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(outcome).to.be.instanceOf(TerminalError);
    return (outcome as Error).message;
  };

  /** Each way in which a kustomization can refer to something. */
  const fields: Record<string, (reference: string) => unknown> = {
    'resources[0]': (reference) => ({ resources: [reference] }),
    'bases[0]': (reference) => ({ bases: [reference] }),
    'components[0]': (reference) => ({ components: [reference] }),
    'crds[0]': (reference) => ({ crds: [reference] }),
    'configurations[0]': (reference) => ({ configurations: [reference] }),
    'openapi.path': (reference) => ({ openapi: { path: reference } }),
    'generators[0]': (reference) => ({ generators: [reference] }),
    'transformers[0]': (reference) => ({ transformers: [reference] }),
    'validators[0]': (reference) => ({ validators: [reference] }),
    'patches[0].path': (reference) => ({ patches: [{ path: reference }] }),
    'patchesJson6902[0].path': (reference) => ({ patchesJson6902: [{ path: reference }] }),
    'patchesStrategicMerge[0]': (reference) => ({ patchesStrategicMerge: [reference] }),
    'replacements[0].path': (reference) => ({ replacements: [{ path: reference }] }),
    'configMapGenerator[0].files[0]': (reference) => ({
      configMapGenerator: [{ name: 'x', files: [`key=${reference}`] }],
    }),
    'configMapGenerator[0].envs[0]': (reference) => ({
      configMapGenerator: [{ name: 'x', envs: [reference] }],
    }),
    'configMapGenerator[0].env': (reference) => ({
      configMapGenerator: [{ name: 'x', env: reference }],
    }),
    'secretGenerator[0].files[0]': (reference) => ({
      secretGenerator: [{ name: 'x', files: [reference] }],
    }),
    'ConfigMapGenerator.files[0]': (reference) => ({
      generators: [inline('ConfigMapGenerator', { files: [reference] })],
    }),
    'SecretGenerator.envs[0]': (reference) => ({
      generators: [inline('SecretGenerator', { envs: [reference] })],
    }),
    'PatchTransformer.path': (reference) => ({
      transformers: [inline('PatchTransformer', { path: reference })],
    }),
    'PatchJson6902Transformer.path': (reference) => ({
      transformers: [inline('PatchJson6902Transformer', { path: reference })],
    }),
    'PatchStrategicMergeTransformer.paths[0]': (reference) => ({
      transformers: [inline('PatchStrategicMergeTransformer', { paths: [reference] })],
    }),
    'ReplacementTransformer.replacements[0].path': (reference) => ({
      transformers: [inline('ReplacementTransformer', { replacements: [{ path: reference }] })],
    }),
    'ValueAddTransformer.targetFilePath': (reference) => ({
      transformers: [inline('ValueAddTransformer', { targetFilePath: reference })],
    }),
  };
  const inline = (kind: string, configuration: object): string =>
    JSON.stringify({ apiVersion: 'builtin', kind, metadata: { name: 'x' }, ...configuration });

  const references: [what: string, reference: string, because: RegExp][] = [
    [
      'leaves the artifact',
      '../../secrets/token',
      /it leaves the artifact; only files inside it can be used$/,
    ],
    ['is absolute', '/etc/passwd', /absolute paths are not allowed; use a relative one$/],
  ];

  for (const [field, kustomization] of Object.entries(fields)) {
    const texts = (reference: string): Record<string, string> => ({
      'app/kustomization.yaml': JSON.stringify(kustomization(reference)),
    });
    it(`with a remote reference in ${field} is refused and fetches nothing`, async () => {
      const reference = `${origin}/remote.yaml`;
      expect(await refusal(texts(reference), 'app')).to.equal(
        `app/kustomization.yaml: ${field} refers to ${JSON.stringify(reference)}: remote references ` +
          'are not fetched; put the files into the artifact',
      );
    });
    for (const [what, reference, because] of references) {
      it(`with a reference in ${field} that ${what} is refused`, async () => {
        const message = await refusal(texts(reference), 'app');
        expect(message).to.match(because);
        expect(message).to.contain(`app/kustomization.yaml: ${field} refers to "${reference}": `);
      });
    }
  }

  for (const remote of [
    'https://example.com/base',
    'HTTPS://example.com/base',
    'http://example.com/base?ref=main',
    'ssh://git@example.com/base.git',
    'git@example.com:base.git',
    'git::https://example.com/base',
    'oci://example.com/base',
    'file:///etc',
    'github.com/example/base',
    'GitHub.com/example/base',
    'www.github.com/example/base',
    'example.com/base.git//path',
    'base?ref=main',
    'https:/example.com',
    'ｈttps://example.com',
  ]) {
    it(`with the resource ${remote} is refused`, async () => {
      const texts = {
        'kustomization.yaml': JSON.stringify({ resources: [remote] }),
        'github.com/example/base/kustomization.yaml': 'resources: []',
      };
      expect(await refusal(texts)).to.match(/remote references are not fetched/);
    });
  }

  it('in a nested directory is refused too', async () => {
    const texts = {
      'kustomization.yaml': 'resources: [base]',
      'base/kustomization.yaml': 'components: [../component]',
      'component/kustomization.yaml': `kind: Component\nresources: ["${origin}/x"]`,
    };
    expect(await refusal(texts)).to.match(
      /^component\/kustomization\.yaml: resources\[0\] refers to/,
    );
  });

  it('below a plain directory is refused too', async () => {
    const texts = {
      'a.yaml': configMap('a'),
      'nested/kustomization.yaml': `resources: ["${origin}/x"]`,
    };
    expect(await refusal(texts)).to.match(/^nested\/kustomization\.yaml: resources\[0\] refers to/);
  });

  it('that refers to nothing is refused before kustomize takes the name for a repository', async () => {
    expect(await refusal({ 'kustomization.yaml': 'resources: [example.com/org/repo]' })).to.equal(
      'kustomization.yaml: resources[0] refers to "example.com/org/repo": there is no such file or ' +
        'directory in the artifact',
    );
  });

  const hidden: [trick: string, kustomization: string, because: RegExp][] = [
    ['another case', 'Resources: ["URL"]', /the field Resources is not one of a kustomization/],
    ['letters that fold to ASCII', 'reſources: ["URL"]', /the field reſources is not one of/],
    [
      'another case in a generator',
      'configMapGenerator: [{name: x, Files: ["URL"]}]',
      /the field configMapGenerator\[0\]\.Files is not one of/,
    ],
    [
      'another case in a patch',
      'patches: [{PATH: "URL"}]',
      /the field patches\[0\]\.PATH is not one of/,
    ],
    [
      'another case in a plugin',
      `transformers: ['{"apiVersion": "builtin", "kind": "PatchTransformer", "metadata": {"name": "x"}, "Path": "URL"}']`,
      /the field PatchTransformer\.Path must be written path$/,
    ],
    [
      'letters that fold in a plugin',
      `transformers: ['{"apiVersion": "builtin", "kind": "PatchTransformer", "metadata": {"name": "x"}, "pathſ": "URL"}']`,
      /the field PatchTransformer\.pathſ must be written in ASCII$/,
    ],
    ['an anchor', 'x: &x ["URL"]\nresources: *x', /the field x is not one of a kustomization/],
    ['a merge', '<<: {resources: ["URL"]}', /resources\[0\] refers to .*remote references/],
    [
      'the same key twice',
      'resources: []\nresources: ["URL"]',
      /the key resources is there twice$/,
    ],
    [
      'a second document',
      'resources: []\n---\nresources: ["URL"]',
      /is a second document; keep one$/,
    ],
    ['a tag', 'resources: !!seq ["URL"]', /resources\[0\] refers to .*remote references/],
    ['a list of another type', 'resources: {a: "URL"}', /resources must be a list$/],
    ['an item of another type', 'resources: [["URL"]]', /resources\[0\] must be text$/],
    ['a directive', '%YAML 1.1\n---\nresources: ["URL"]', /has a %YAML directive; remove it$/],
  ];
  for (const [trick, kustomization, because] of hidden) {
    it(`that hides a reference by ${trick} is refused`, async () => {
      const texts = { 'kustomization.yaml': kustomization.replaceAll('URL', `${origin}/x`) };
      expect(await refusal(texts)).to.match(because);
    });
  }

  for (const [field, embed] of Object.entries<(text: string) => unknown>({
    patchesStrategicMerge: (text) => ({ patchesStrategicMerge: [text] }),
    transformers: (text) => ({
      transformers: [inline('PatchStrategicMergeTransformer', { paths: [text] })],
    }),
  })) {
    it(`cannot make an inline document in ${field} a URL`, async () => {
      const text = `${origin}/x?a: b`;
      const texts = {
        'kustomization.yaml': JSON.stringify({ resources: ['a.yaml'], ...(embed(text) as object) }),
        'a.yaml': configMap('a'),
      };
      expect(await refusal(texts)).to.match(/^kustomize: /);
    });
  }

  const plugins: [what: string, plugin: object][] = [
    ['a program', { apiVersion: 'example.com/v1', kind: 'Anything' }],
    [
      'a function that is a program',
      {
        apiVersion: 'example.com/v1',
        kind: 'Anything',
        metadata: {
          name: 'x',
          annotations: { 'config.kubernetes.io/function': 'exec: {path: ./evil.sh}' },
        },
      },
    ],
    [
      'a function in a container',
      {
        apiVersion: 'example.com/v1',
        kind: 'Anything',
        metadata: {
          name: 'x',
          annotations: {
            'config.kubernetes.io/function': 'container: {image: evil, network: true}',
          },
        },
      },
    ],
    [
      'a Helm chart',
      { apiVersion: 'builtin', kind: 'HelmChartInflationGenerator', metadata: { name: 'x' } },
    ],
    ['a list of plugins', { apiVersion: 'v1', kind: 'List', items: [] }],
  ];
  for (const [what, plugin] of plugins) {
    for (const field of ['generators', 'transformers', 'validators']) {
      it(`with ${what} among its ${field} is refused`, async () => {
        const because =
          /is not allowed: only kustomize's built-in generators and transformers are run/;
        const asText = JSON.stringify({ [field]: [JSON.stringify(plugin)] });
        expect(await refusal({ 'kustomization.yaml': asText })).to.match(because);
        const asFile = JSON.stringify({ [field]: ['plugin.yaml'] });
        const texts = { 'kustomization.yaml': asFile, 'plugin.yaml': JSON.stringify(plugin) };
        expect(await refusal(texts)).to.match(because);
      });
    }
  }

  it('with a directory of plugins is refused, since kustomize would build them first', async () => {
    const texts = {
      'kustomization.yaml': 'transformers: [plugins]',
      'plugins/kustomization.yaml': 'resources: []',
    };
    expect(await refusal(texts)).to.match(/transformers\[0\] .*it is a directory, not a file$/);
  });

  for (const field of ['helmCharts', 'helmGlobals', 'helmChartInflationGenerator']) {
    it(`with ${field} is refused`, async () => {
      const texts = { 'kustomization.yaml': JSON.stringify({ [field]: [{ name: 'x' }] }) };
      expect(await refusal(texts)).to.equal(
        `kustomization.yaml: ${field} is not supported: render the chart into the artifact`,
      );
    });
  }

  it('that makes much of little with aliases is stopped before it takes the memory of all', async () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const aliases = Array.from({ length: 10 }, () => `*a${level}`).join(', ');
      return `  a${level + 1}: &a${level + 1} [${aliases}]`;
    });
    const patch = [
      'apiVersion: v1',
      'kind: ConfigMap',
      'metadata: {name: web}',
      'x:',
      '  a0: &a0 [x, x]',
      ...levels,
    ].join('\n');
    const said = await refusal({
      'kustomization.yaml': 'resources: [web.yaml]\npatches: [{path: p.yaml}]\n',
      'web.yaml': configMap('web'),
      'p.yaml': `${patch}\n`,
    });
    expect(said).to.match(/memory|alias/);
  });

  it('of a megabyte and more is refused', async () => {
    const texts = { 'kustomization.yaml': `# ${'x'.repeat(1024 * 1024)}` };
    expect(await refusal(texts)).to.match(/is larger than 1048576 bytes; split it$/);
  });
});
