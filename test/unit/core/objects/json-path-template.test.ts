import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { parseTemplate, textAt } from '../../../../src/core/objects/json-path-template.ts';
import { isProblem } from '../../../../src/core/problem.ts';

/** What dev/golden/json-path printed: what kubectl makes of a template, null where it refuses. */
interface Golden {
  readonly object: unknown;
  readonly found: Readonly<Record<string, string | null>>;
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, 'json-paths.json'), 'utf8'),
) as Golden;

/**
 * Where we find what kubectl does not: it stumbles over an item without the field and over numbers, and
 * takes every dot for a step down.
 */
const foundByUsOnly: ReadonlyMap<string, string> = new Map([
  ['{.spec.containers[?(@.extra=="yes")].ports[0].number}', '81'],
  ['{.spec.containers[?(@.ports[0].number=="81")].image}', 'side:7'],
  ['{.spec.containers[?(@.weight>2.0)].image}', 'side:7'],
  ['{.spec.containers[?(@.weight<=1.5)].image}', 'shop:1.4.2'],
  ["{.metadata.labels['app.kubernetes.io/version']}", '1.4.2'],
]);

/** Forms that hardly anybody writes, and that we refuse rather than read otherwise. */
const refusedByUs: ReadonlySet<string> = new Set([
  '{.metadata .name}',
  "{.metadata.annotations.it's}",
  "{.metadata.labels['app.kubernetes']}",
  '{.spec.containers[01].image}',
  '{.spec.containers[?(.name=="side")].image}',
]);

describe("a template says what kubectl's says", () => {
  for (const [text, found] of Object.entries(golden.found)) {
    it(JSON.stringify(text), () => {
      const parts = parseTemplate(text);
      const said = isProblem(parts) ? parts : textAt(parts, golden.object);
      const expected = refusedByUs.has(text) ? null : (found ?? foundByUsOnly.get(text) ?? null);
      expect(typeof said === 'string' ? said : null).to.equal(expected);
    });
  }
});

describe('a template', () => {
  const said = (text: string, document: unknown = golden.object): unknown => {
    const parts = parseTemplate(text);
    return isProblem(parts) ? parts : textAt(parts, document);
  };

  it('tells what is wrong where it leads to no single text', () => {
    const texts = [
      '{.spec.absent}',
      '{.spec.containers}',
      '{.spec.nothing}',
      '{.spec.containers[*].name}',
      '{.spec',
      '{range .spec.containers[*]}{.name}{end}',
      `{.${'a'.repeat(1024)}}`,
    ];
    expect(texts.map((text) => said(text))).to.deep.equal([
      { problem: 'leads to nothing; write \\. for a dot that belongs to a name' },
      { problem: 'leads to a list and not to text' },
      { problem: 'leads to null and not to text' },
      { problem: 'leads to 3 values; make it lead to one' },
      { problem: 'has a "{" that is not closed' },
      { problem: 'has a loop (range), which is not supported; name the value itself' },
      { problem: 'is longer than 1024 characters; shorten it' },
    ]);
    const wide = new Array<number>(200_000).fill(1);
    expect(said('{..a}', wide)).to.deep.equal({
      problem: 'is too much to look for; name the fields',
    });
  });

  it('is one path where it has no braces', () => {
    expect([said('.metadata.name'), said(' $.metadata.name ')]).to.deep.equal(['shop', 'shop']);
  });

  it('may have braces in quotes', () => {
    expect(said('{.items[?(@.name=="}")].value}', { items: [{ name: '}', value: 7 }] })).to.equal(
      '7',
    );
  });

  it('of whatever text is read or refused, and never leads to an error', () => {
    const pieces = fc.constantFrom(
      ...['{', '}', '.', '..', '[', ']', '*', "'", '"', '\\', ',', ':', '?(@', ')', '==', '-', '$'],
      ...['a', 'name', '0', '7', ' ', 'ä', '\ud800', '\n'],
    );
    const texts = fc.oneof(
      fc.string(),
      fc.array(pieces, { maxLength: 20 }).map((all) => all.join('')),
    );
    fc.assert(fc.property(texts, fc.json(), (text, json) => void said(text, JSON.parse(json))));
  });
});
