import { access } from 'node:fs/promises';
import { expect } from 'chai';
import { root, textOf } from '../docs/markdown.ts';

/** Instructions of a Containerfile, such as `COPY` with its words. */
function instructions(text: string): { name: string; words: string[] }[] {
  return text
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => {
      const [name = '', ...words] = line.split(/\s+/);
      return { name, words };
    });
}

describe('the Containerfile', () => {
  let lines: ReturnType<typeof instructions>;

  before(async () => {
    lines = instructions(await textOf('Containerfile'));
  });

  const argumentsOf = (name: string): string[][] =>
    lines.filter((line) => line.name === name).map(({ words }) => words);

  it('copies only what is in the repository or in one of its stages', async () => {
    const stages = argumentsOf('FROM').flatMap(([, as, stage]) => (as === 'AS' ? [stage] : []));
    for (const [first = '', ...others] of argumentsOf('COPY')) {
      if (first.startsWith('--from=')) {
        expect(stages).to.include(first.slice('--from='.length));
        continue;
      }
      const sources = [first, ...others].slice(0, -1);
      for (const source of sources) await access(`${root}${source}`);
    }
  });

  it('starts what the package calls its program, on the Node.js that it asks for', async () => {
    const { bin, engines } = JSON.parse(await textOf('package.json')) as {
      bin: Record<string, string>;
      engines: { node: string };
    };
    expect(argumentsOf('WORKDIR').at(-1)).to.deep.equal(['/app']);
    const entry: unknown = JSON.parse(argumentsOf('ENTRYPOINT').flat().join(' '));
    expect(entry).to.deep.equal(['/nodejs/bin/node', `/app/${bin['stageset-controller'] ?? ''}`]);
    const major = /[0-9]+/.exec(engines.node)?.[0] ?? '';
    const images = argumentsOf('FROM').map(([image = '']) => image);
    expect(images.filter((image) => image.includes('node'))).to.have.lengthOf(2);
    expect(images[0]).to.include(`/node:${major}-`);
    expect(images[2]).to.include(`/nodejs${major}-`);
  });

  it('takes the kustomize that the tests use', async () => {
    const modules = await textOf('dev/assets/kustomize/go.mod');
    const version = /kustomize\/v5 (v[0-9.]+)/.exec(modules)?.[1] ?? 'unknown';
    expect(argumentsOf('FROM').map(([image]) => image)).to.include(
      `registry.k8s.io/kustomize/kustomize:${version}`,
    );
  });

  it('runs as nobody in particular, and says so by number', () => {
    expect(argumentsOf('USER')).to.deep.equal([['65532:65532']]);
  });
});
