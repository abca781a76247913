import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, normalize } from 'node:path';
import { expect } from 'chai';
import { anchors, codeBlocks, pages, relativeLinks, root, textOf } from './markdown.ts';

async function exists(path: string): Promise<boolean> {
  return await stat(`${root}${path}`).then(
    () => true,
    () => false,
  );
}

/** What is wrong with a link of a page, or undefined. */
async function brokenLink(page: string, link: string): Promise<string | undefined> {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page : normalize(`${dirname(page)}/${file}`);
  if (!(await exists(target))) return `${page} links to ${link}, which does not exist`;
  if (anchor === undefined || anchors(await textOf(target)).includes(anchor)) return undefined;
  return `${page} links to ${link}, but ${target} has no such heading`;
}

/** The rules of .dependency-cruiser.cjs, by name. */
function dependencyRules(): string[] {
  const loaded: unknown = createRequire(import.meta.url)(`${root}.dependency-cruiser.cjs`);
  const { forbidden } = loaded as { forbidden: { name: string }[] };
  return forbidden.map(({ name }) => name);
}

describe('the documentation', () => {
  it('begins, in the README, with the demo and then the tests, each alone in its block', async () => {
    const [first, second] = codeBlocks(await textOf('README.md'));
    expect(first).to.equal('npm ci && npm run demo\n');
    expect(second).to.equal('npm ci && npm test\n');
  });

  it('has no link that leads nowhere', async () => {
    const broken: string[] = [];
    for (const page of await pages()) {
      for (const link of relativeLinks(await textOf(page))) {
        const problem = await brokenLink(page, link);
        if (problem !== undefined) broken.push(problem);
      }
    }
    expect(broken).to.deep.equal([]);
  });

  it('has no page that no other page links to', async () => {
    const all = await pages();
    const linked = new Set<string>(['README.md']);
    for (const page of all) {
      for (const link of relativeLinks(await textOf(page))) {
        linked.add(normalize(`${dirname(page)}/${link.split('#')[0] ?? ''}`));
      }
    }
    expect(all.filter((page) => !linked.has(page))).to.deep.equal([]);
  });

  it('explains every dependency rule that is enforced', async () => {
    const text = await textOf('docs/architecture.md');
    const missing = dependencyRules().filter((name) => !text.includes(`\`${name}\``));
    expect(missing).to.deep.equal([]);
  });
});
