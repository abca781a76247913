import { expect } from 'chai';
import { Builder } from '../../../src/build/builder.ts';
import { TerminalError } from '../../../src/core/errors.ts';
import type { StagePatch } from '../../../src/types/stages.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import { configMap, failureOf, filesOf } from './artifact.ts';

const plain = { 'a.yaml': configMap('a'), 'b.yaml': configMap('b') };
const kustomized = { ...plain, 'kustomization.yaml': 'resources: [a.yaml, b.yaml]\n' };

describe('patches of a stage', () => {
  let builder: Builder;
  const { signal } = new AbortController();

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
  });
  after(() => builder.close());

  const dataAfter = async (
    files: Record<string, string>,
    patches: readonly StagePatch[],
  ): Promise<Record<string, unknown>> => {
    const { objects } = await builder.build(filesOf(files), { patches, signal });
    return Object.fromEntries(objects.map(({ metadata, data }) => [metadata.name, data]));
  };
  const refusal = async (
    files: Record<string, string>,
    patches: readonly StagePatch[],
  ): Promise<string> => {
    const error = await failureOf(builder.build(filesOf(files), { patches, signal }));
    expect(error).to.be.instanceOf(TerminalError).and.to.include({ reason: 'StageFailed' });
    return error.message;
  };

  for (const [where, files] of Object.entries({ plain, kustomized })) {
    describe(`in a ${where} directory`, () => {
      it('merge into the object that they name', async () => {
        expect(await dataAfter(files, [{ patch: configMap('a', 'c: d') }])).to.deep.equal({
          a: { a: 'b', c: 'd' },
          b: { a: 'b' },
        });
      });

      it('are JSON 6902 operations where they are a list, as YAML or as JSON', async () => {
        const target = { kind: 'ConfigMap', name: 'b' };
        const patches = [
          { patch: '- op: add\n  path: /data/c\n  value: d\n', target },
          { patch: '[{"op":"remove","path":"/data/a"}]', target },
        ];
        expect(await dataAfter(files, patches)).to.deep.equal({ a: { a: 'b' }, b: { c: 'd' } });
      });

      it('apply in order', async () => {
        const patches = ['one', 'two'].map((value) => ({ patch: configMap('a', `a: ${value}`) }));
        expect(await dataAfter(files, patches)).to.deep.include({ a: { a: 'two' } });
      });

      it('with a target that selects nothing change nothing', async () => {
        const patches = [{ patch: configMap('x', 'c: d'), target: { name: 'aa?b' } }];
        expect(await dataAfter(files, patches)).to.deep.equal({ a: { a: 'b' }, b: { a: 'b' } });
      });

      it('anchor the patterns of their target at both ends', async () => {
        const patches = [{ patch: configMap('x', 'a: c'), target: { kind: 'Config', name: '.' } }];
        expect(await dataAfter(files, patches)).to.deep.equal({ a: { a: 'b' }, b: { a: 'b' } });
      });

      it('can take objects away', async () => {
        const patch = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n$patch: delete\n';
        expect(await dataAfter(files, [{ patch }])).to.deep.equal({ b: { a: 'b' } });
      });

      it('that name an object that is not there fail, and are named by their index', async () => {
        const patches = ['a', 'lost', 'b'].map((name) => ({ patch: configMap(name, 'c: d') }));
        expect(await refusal(files, patches)).to.match(
          /^patches\[1\]: kustomize: no resource matches strategic merge patch "ConfigMap\.v1\.\[noGrp\]\/lost\.\[noNs\]": no matches for Id/,
        );
      });

      it('that do not apply fail, and are named by their index', async () => {
        const target = { name: 'a' };
        const patches = [
          { patch: configMap('a', 'c: d') },
          { patch: '[{"op":"replace","path":"/data/x/y","value":"hunter2"}]', target },
        ];
        expect(await refusal(files, patches)).to.equal(
          'patches[1]: kustomize: replace operation does not apply: doc is missing path: ' +
            '/data/x/y: missing value',
        );
      });

      it('that are neither kind fail without being repeated', async () => {
        expect(await refusal(files, [{ patch: 'hunter2: x' }])).to.equal(
          'patches[0]: kustomize: trouble configuring builtin PatchTransformer: unable to parse SM ' +
            'or JSON patch',
        );
      });

      it('of operations without a target fail', async () => {
        const patches = [{ patch: '[{"op":"remove","path":"/data/a"}]' }];
        expect(await refusal(files, patches)).to.equal(
          'patches[0]: kustomize: must specify a target for JSON patch',
        );
      });

      it('that are no YAML fail with line and column', async () => {
        expect(await refusal(files, [{ patch: 'a: 1\nb: c: d\n' }])).to.match(
          /^patches\[0\]:2:4: is not valid YAML: /,
        );
      });

      it('whose target is no regular expression fail', async () => {
        const patches = [{ patch: configMap('a'), target: { name: '((' } }];
        expect(await refusal(files, patches)).to.match(/^patches\[0\]: .*missing closing \)/);
      });

      it('load no files, whatever else is in them', async () => {
        const smuggled = {
          patch: configMap('a', 'c: d'),
          path: '/etc/passwd',
          options: { x: true },
        };
        expect(await dataAfter(files, [smuggled])).to.deep.include({ a: { a: 'b', c: 'd' } });
      });
    });
  }

  it('come after those of the kustomization', async () => {
    const files = {
      ...kustomized,
      'kustomization.yaml': `resources: [a.yaml]\npatches:\n- patch: '${JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { a: 'own' } })}'\n`,
    };
    expect(await dataAfter(files, [{ patch: configMap('a', 'a: stage') }])).to.deep.equal({
      a: { a: 'stage' },
    });
  });

  it('leave the blame to the kustomization where it fails by itself', async () => {
    const files = { ...plain, 'kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: [x]\n' };
    expect(await refusal(files, [{ patch: configMap('a') }])).to.match(/^kustomize: /);
  });

  it('that rename an object change what refers to it', async () => {
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers: [{name: c, envFrom: [{configMapRef: {name: a}}]}]\n';
    const { objects } = await builder.build(filesOf({ ...plain, 'pod.yaml': pod }), {
      patches: [
        {
          patch: '[{"op":"replace","path":"/metadata/name","value":"renamed"}]',
          target: { kind: 'ConfigMap', name: 'a' },
        },
      ],
      signal,
    });
    expect(objects.find(({ kind }) => kind === 'Pod')?.['spec']).to.deep.equal({
      containers: [{ name: 'c', envFrom: [{ configMapRef: { name: 'renamed' } }] }],
    });
  });

  it('cost kustomize only the objects that they can touch', async () => {
    const many = Array.from({ length: 3000 }, (_, index) => configMap(`c${index}`)).join('---\n');
    const started = performance.now();
    const after = await dataAfter({ 'many.yaml': many }, [
      { patch: configMap('c7', 'c: d') },
      { patch: '[{"op":"add","path":"/data/e","value":"f"}]', target: { name: 'c2.9' } },
    ]);
    expect(Object.keys(after)).to.have.length(3000);
    expect(after).to.deep.include({ c7: { a: 'b', c: 'd' }, c239: { a: 'b', e: 'f' } });
    // kustomize takes minutes for all of them.
    expect(performance.now() - started).to.be.below(20_000);
  });
});
