import { expect } from 'chai';
import { Builder } from '../../../src/build/builder.ts';
import { TerminalError } from '../../../src/core/errors.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import { configMap, failureOf, filesOf } from './artifact.ts';

const toy = (spec: string): string =>
  `apiVersion: toys.example.com/v1\nkind: Toy\nmetadata: {name: a}\nspec: ${spec}\n`;

const asDirectory = (text: string): Record<string, string> => ({ 'a.yaml': text });
const asKustomization = (text: string): Record<string, string> => ({
  'a.yaml': text,
  'kustomization.yaml': 'resources: [a.yaml]\n',
});

describe('post-build substitution', () => {
  let builder: Builder;
  const { signal } = new AbortController();

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
  });
  after(() => builder.close());

  for (const [where, filesFor] of Object.entries({ asDirectory, asKustomization })) {
    describe(where === 'asDirectory' ? 'of a plain directory' : 'of a kustomization', () => {
      const specOf = async (spec: string, variables: Record<string, string>): Promise<unknown> => {
        const files = filesOf(filesFor(toy(spec)));
        const order = { variables: new Map(Object.entries(variables)), signal };
        return (await builder.build(files, order)).objects[0]?.['spec'];
      };
      const refusal = async (text: string, variables: Record<string, string>): Promise<string> => {
        const order = { variables: new Map(Object.entries(variables)), signal };
        const error = await failureOf(builder.build(filesOf(filesFor(text)), order));
        expect(error).to.be.instanceOf(TerminalError);
        return error.message;
      };

      it('does nothing without variables', async () => {
        expect(await specOf('{a: "${a}", b: "$${b}"}', {})).to.deep.equal({
          a: '${a}',
          b: '$${b}',
        });
      });

      it('makes a number of a quoted number, since kustomize drops the quotes', async () => {
        expect(await specOf('{a: "${a}", b: "x${a}"}', { a: '3' })).to.deep.equal({
          a: 3,
          b: 'x3',
        });
      });

      it('makes truth values and nothing, as Kubernetes reads them', async () => {
        expect(await specOf('{a: "${a}", b: "${b}"}', { a: 'yes', b: '~' })).to.deep.equal({
          a: true,
          b: null,
        });
      });

      it('keeps text where quotes are needed', async () => {
        expect(await specOf('{a: "${a}: x", b: " ${a}"}', { a: '3' })).to.deep.equal({
          a: '3: x',
          b: ' 3',
        });
      });

      it('works in blocks of text, in keys and behind escapes', async () => {
        const spec = '\n  a: |\n    x ${a}\n    y\n  "${a}": "\\x24{a}"';
        expect(await specOf(spec, { a: 'b' })).to.deep.equal({ a: 'x b\ny\n', b: 'b' });
      });

      it('does not see comments', async () => {
        expect(await specOf('{a: b} # ${absent}', { a: 'b' })).to.deep.equal({ a: 'b' });
      });

      it('names the object of a variable that is not set', async () => {
        expect(await refusal(toy('{a: "${absent}"}'), { a: 'b' })).to.match(/^Toy\/a: .*absent/);
      });

      it('does not repeat a value that breaks the object', async () => {
        const message = await refusal(toy('{a: "${a}"}'), { a: 'x: [hunter2: "' });
        expect(message).to.match(/^Toy\/a is no Kubernetes object any more after the substitution/);
        expect(message).not.to.contain('hunter2');
      });

      it('refuses a number for a name', async () => {
        expect(await refusal(configMap('"${a}"'), { a: '3' })).to.match(
          /^ConfigMap\/\$\{a\} is no Kubernetes object any more .* a number where text must be/,
        );
      });

      it('refuses two objects that become the same one', async () => {
        const text = `${configMap('x')}---\n${configMap('"${a}"')}`;
        expect(await refusal(text, { a: 'x' })).to.match(/ConfigMap\/x is defined in .* already/);
      });
    });
  }

  it('leaves to kustomize what only kustomize knows how to write', async () => {
    const key = 'k'.repeat(200);
    const files = filesOf(asDirectory(toy(`{"${key}": "\${a}"}`)));
    const { objects } = await builder.build(files, { variables: new Map([['a', '3']]), signal });
    expect(objects[0]?.['spec']).to.deep.equal({ [key]: 3 });
  });
});
