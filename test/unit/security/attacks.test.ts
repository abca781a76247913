import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { readTitles, type TestTitle } from '../../titles.ts';

const index = new URL('../../security/README.md', import.meta.url);

/** Where a rule can be written. */
const written = /^(?:part [AB] \d+(?:\.\d+)*|aggregated API \d|Stage(?:Plan|Advance|Run))$/;

/** The last number of the checklist for aggregated API servers and webhooks. */
const lastOfChecklist = 42;

describe('the index of attacks', () => {
  let titles: TestTitle[];
  let attacks: string[][];
  let later: string[][];
  let gaps: string[][];

  before(async () => {
    titles = await readTitles();
    const text = await readFile(index, 'utf8');
    attacks = tableOf(text, 'Attacks');
    later = tableOf(text, 'Later');
    gaps = tableOf(text, 'Gaps and edge cases');
  });

  it('has every attack of the tests, and no other, by number, name, rule and file', () => {
    const listed = attacks.map(
      ([number, what, rule, where, file]) =>
        `attack ${number}: ${what} (${rule}, ${where}) in ${file}`,
    );
    const there = titles
      .filter(({ title }) => /\battacks? \d/.test(title))
      .map(({ title, file }) => `${title} in \`${file}\``);
    expect(listed.toSorted()).to.deep.equal(there.toSorted());
  });

  it('has each number once, in order, and all of the checklist', () => {
    const numbers = attacks.map(([number]) => Number(number));
    expect(numbers).to.deep.equal([...new Set(numbers)].sort((one, other) => one - other));
    expect(numbers.length).to.be.at.least(40);
    const all = new Set([...numbers, ...later.map(([number]) => Number(number))]);
    expect(all.size).to.equal(numbers.length + later.length);
    for (let number = 1; number <= lastOfChecklist; number += 1) {
      expect(all, `attack ${number}`).to.include(number);
    }
  });

  it('says of every rule where it is written', () => {
    for (const [number, , , where] of attacks) expect(where, `attack ${number}`).to.match(written);
  });

  it('has a test for every gap and edge case, which is named after it', () => {
    for (const [where = '', , title = '', file = ''] of gaps) {
      const found = titles.filter((seen) => seen.title === title && `\`${seen.file}\`` === file);
      expect(found, `${title} in ${file}`).to.have.lengthOf(1);
      const name = /\[gap\]|edge case \d+|part B [\d.]+/.exec(where)?.[0] ?? 'no name';
      if (!where.includes('--')) expect(title, where).to.include(name);
    }
  });

  it('has every edge case that a title names', () => {
    const listed = gaps.map(([where = '']) => /edge case \d+/.exec(where)?.[0]);
    const named = titles.flatMap(({ title }) => title.match(/edge case \d+/g) ?? []);
    expect([...new Set(named)].sort()).to.deep.equal(
      [...new Set(listed.filter((one) => one !== undefined))].sort(),
    );
  });
});

/** The cells of the first table behind a heading. */
function tableOf(text: string, heading: string): string[][] {
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  const lines = own.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}
