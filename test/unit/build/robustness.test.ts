import { expect } from 'chai';
import { Builder } from '../../../src/build/builder.ts';
import { TerminalError } from '../../../src/core/errors.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import { configMap, failureOf, filesOf } from './artifact.ts';

const bom = '\ufeff';

describe('manifests that are odd but right', () => {
  let builder: Builder;
  const { signal } = new AbortController();

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
  });
  after(() => builder.close());

  const names = async (files: Record<string, string>): Promise<string[]> => {
    const { objects } = await builder.build(filesOf(files), { signal });
    return objects.map(({ metadata }) => metadata.name).sort();
  };
  const refusal = async (files: Record<string, string>): Promise<string> => {
    const error = await failureOf(builder.build(filesOf(files), { signal }));
    expect(error).to.be.instanceOf(TerminalError);
    return error.message;
  };

  const list = `apiVersion: v1\nkind: List\nitems:\n- ${configMap('b').replaceAll('\n', '\n  ')}\n`;

  for (const [what, text] of Object.entries({
    'a byte order mark': `${bom}${configMap('a')}`,
    'CRLF line ends': configMap('a').replaceAll('\n', '\r\n'),
    'CRLF between documents': `---\r\n${configMap('a')}---\r\n`,
    'empty documents': `---\n---\n# nothing\n---\n${configMap('a')}---\n---\n`,
    'an empty List': `${configMap('a')}---\napiVersion: v1\nkind: List\nitems: []\n`,
    'no line end at the end': configMap('a').trimEnd(),
  })) {
    it(`with ${what} are read`, async () => {
      expect(await names({ 'a.yaml': text })).to.deep.equal(['a']);
    });
    it(`with ${what} are read in a kustomization`, async () => {
      const files = {
        'a.yaml': text,
        'kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: x-\n',
      };
      expect(await names(files)).to.deep.equal(['x-a']);
    });
  }

  it('are all there: several documents, and a List among them', async () => {
    expect(await names({ 'a.yaml': `${configMap('a')}---\n${list}` })).to.deep.equal(['a', 'b']);
  });

  it('fail where a List repeats an object of another file, naming both', async () => {
    expect(await refusal({ 'a/list.yaml': list, 'z.yaml': `---\n${configMap('b')}` })).to.equal(
      'z.yaml:2:1: ConfigMap/b is defined in a/list.yaml:1:1 already; remove one of them',
    );
  });

  it('fail where two of a nested kustomization and of a file are the same, naming the object', async () => {
    const files = {
      'a.yaml': configMap('a'),
      'nested/kustomization.yaml': 'resources: [b.yaml]\n',
      'nested/b.yaml': configMap('a'),
    };
    expect(await refusal(files)).to.match(
      /; ConfigMap\/a is defined in nested\/b\.yaml:1:1; ConfigMap\/a is defined in a\.yaml:1:1$/,
    );
  });

  it('fail for an object that no API server takes', async () => {
    expect(await refusal({ 'a.yaml': configMap('a', `a: ${'x'.repeat(3_200_000)}`) })).to.match(
      /^ConfigMap\/a has 3200\d\d\d bytes; an API server takes 3145728 at most$/,
    );
  });

  it('keep characters that JSON has and YAML has not, on their way through kustomize', async () => {
    const data = { a: 'x\ufeffy\u00a0z→' };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data };
    const { objects } = await builder.build(filesOf({ 'a.json': JSON.stringify(object) }), {
      patches: [{ patch: configMap('a', 'b: c') }],
      signal,
    });
    expect(objects[0]?.['data']).to.deep.equal({ ...data, b: 'c' });
  });
});
