import { expect } from 'chai';
import { readYaml, stringify } from '../../../src/core/objects/yaml.ts';
import type { YamlDialect } from '../../../src/core/objects/yaml-scalars.ts';

const read = (text: string, dialect: YamlDialect = 'Kustomize'): unknown[] =>
  [...readYaml(text, 'file.yaml', dialect)].map(({ value }) => value);

const scalar = (source: string, dialect: YamlDialect): unknown => {
  const [document] = read(`value: ${source}\n`, dialect) as [{ value: unknown }];
  return document.value;
};

const failure = (text: string, file = 'file.yaml'): string => {
  try {
    Array.from(readYaml(text, file, 'Kustomize'));
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('This was expected to fail');
};

describe('reading YAML', () => {
  describe('plain scalars', () => {
    // What `kustomize build` and `kubectl label --local -o json` print for these.
    const both: [source: string, value: unknown][] = [
      ['0644', 420],
      ['0o644', 420],
      ['-0644', -420],
      ['08', 8],
      ['0x1F', 31],
      ['+0x1F', 31],
      ['0b11', 3],
      ['1_000', 1000],
      ['1_0.5', 10.5],
      ['+5', 5],
      ['-0', 0],
      ['1e3', 1000],
      ['.5', 0.5],
      ['1.', 1],
      ['0.1e-7', 1e-8],
      ['12:30:45', '12:30:45'],
      ['190:20:30', '190:20:30'],
      ['1:20', '1:20'],
      ['1e400', '1e400'],
      ['123456789012345678901234567890', 1.2345678901234568e29],
      ['_1', '_1'],
      ['0x', '0x'],
      ['1e', '1e'],
      ['=', '='],
      ['~', null],
      ['null', null],
      ['NULL', null],
      ['', null],
      ['true', true],
      ['False', false],
      ['"0644"', '0644'],
      ["'yes'", 'yes'],
      ['!!str 5', '5'],
      ['!!int "5"', 5],
      ['.infinity', '.infinity'],
    ];
    for (const [source, value] of both) {
      it(`reads ${source === '' ? 'nothing' : source} as ${JSON.stringify(value)} everywhere`, () => {
        expect(scalar(source, 'Kustomize')).to.equal(value);
        expect(scalar(source, 'Kubernetes')).to.equal(value);
      });
    }

    const differing: [source: string, kustomize: unknown, kubernetes: unknown][] = [
      ['yes', 'yes', true],
      ['on', 'on', true],
      ['y', 'y', true],
      ['No', 'No', false],
      ['OFF', 'OFF', false],
      ['n', 'n', false],
    ];
    for (const [source, kustomize, kubernetes] of differing) {
      it(`reads ${source} as kustomize and as kubectl does`, () => {
        expect(scalar(source, 'Kustomize')).to.equal(kustomize);
        expect(scalar(source, 'Kubernetes')).to.equal(kubernetes);
      });
    }

    it('keeps dates as text and says that kustomize has its own idea of them', () => {
      const [document] = [...readYaml('value: 2026-01-01\n', 'file.yaml', 'Kustomize')];
      expect(document).to.deep.include({ value: { value: '2026-01-01' }, unusual: true });
    });

    it('keeps large integers that are exact', () => {
      expect(scalar('9223372036854775808', 'Kustomize')).to.equal(2 ** 63);
    });

    it('refuses to round an integer', () => {
      expect(failure('a: 1\nb: 9007199254740993\n')).to.equal(
        'file.yaml:2:4: the integer would lose digits; use one up to 2^53, or put ' +
          'it in quotes where the field takes text',
      );
    });

    it('refuses to round an integer in JSON', () => {
      expect(failure('{"a": 9007199254740993}', 'file.json')).to.match(
        /^file\.json:1:7: the integer/,
      );
    });

    it('rounds the bounds of a schema, which are doubles to the API server', () => {
      const [crd] = read('openAPIV3Schema:\n  maximum: 9223372036854775807\n');
      expect(crd).to.deep.equal({ openAPIV3Schema: { maximum: 2 ** 63 } });
    });

    it('refuses infinity, which JSON does not have', () => {
      expect(failure('a: .inf\n')).to.equal(
        'file.yaml:1:4: .inf has no JSON form; put it in quotes',
      );
    });
  });

  it('reads documents one after the other and leaves out the empty ones', () => {
    expect(read('---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n')).to.deep.equal([
      { a: 1 },
      { b: 2 },
    ]);
  });

  it('reads CRLF line ends', () => {
    expect(read('a: 1\r\nb: |\r\n  two\r\n  lines\r\n---\r\nc: 3\r\n')).to.deep.equal([
      { a: 1, b: 'two\nlines\n' },
      { c: 3 },
    ]);
  });

  it('reads JSON, and JSON as most people write it', () => {
    expect(read('{"a": [1, "yes", null]}')).to.deep.equal([{ a: [1, 'yes', null] }]);
    expect(read('{"a": 1, /**/}'.replace('/**/', ''))).to.deep.equal([{ a: 1 }]);
  });

  it('merges mappings: what is there wins, then the earlier one', () => {
    const text = 'base: &base {a: 1, b: 1}\nmerged:\n  b: 2\n  <<: [*base, {a: 9, c: 3}]\n';
    const [document] = [...readYaml(text, 'file.yaml', 'Kustomize')];
    expect(document).to.deep.include({
      value: { base: { a: 1, b: 1 }, merged: { b: 2, a: 1, c: 3 } },
      unusual: true,
    });
  });

  it('says where a line is wrong', () => {
    expect(failure('a: 1\n---\nb: c: d\n')).to.equal(
      'file.yaml:3:4: is not valid YAML: Nested mappings are not allowed in compact mappings',
    );
  });

  it('refuses the same key twice', () => {
    expect(failure('a: 1\nb: 2\na: 3\n')).to.equal('file.yaml:3:1: the key a is there twice');
  });

  it('reads keys that are no text as kubectl does, and refuses them where kustomize would', () => {
    expect(read('1: a\nyes: b\n', 'Kubernetes')).to.deep.equal([{ '1': 'a', true: 'b' }]);
    expect(failure('a: 1\n1: b\n')).to.equal(
      'file.yaml:2:1: the key 1 must be text: put it in quotes',
    );
  });

  it('refuses aliases that explode', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 10; level += 1) {
      const alias = `*a${level - 1}`;
      lines.push(`a${level}: &a${level} [${Array.from({ length: 10 }, () => alias).join(', ')}]`);
    }
    expect(failure(lines.join('\n'))).to.match(/its aliases stand for more than 100000 values$/);
  });

  it('refuses an alias that contains itself', () => {
    expect(failure('a: &a [*a]\n')).to.equal('file.yaml:1:8: the alias a contains itself');
  });

  it('refuses nesting without end', () => {
    expect(failure(`a: ${'['.repeat(20_000)}`)).to.match(/is nested deeper than 250 levels$/);
    expect(failure(`a: ${'['.repeat(300)}${']'.repeat(300)}`)).to.match(
      /is nested deeper than 250/,
    );
  });

  it('refuses directives and tags of its own', () => {
    expect(failure('%YAML 1.2\n---\na: 1\n')).to.match(/has a %YAML directive; remove it$/);
    expect(failure('a: !Ref b\n')).to.match(
      /:1:9: its tag is not supported; remove it, or put the text in quotes$/,
    );
  });

  it('does not let a key change what an object is', () => {
    const [document] = read('__proto__: {polluted: true}\n') as [object];
    expect(Object.getPrototypeOf(document)).to.equal(Object.prototype);
    expect(Object.keys(document)).to.deep.equal(['__proto__']);
  });

  it('writes documents that it reads the same again', () => {
    const documents = [
      { a: 'yes', b: '0644', c: '2026-01-01', d: [null, 1.5] },
      { e: 'x\n---\ny' },
    ];
    expect(read(stringify(documents), 'Kubernetes')).to.deep.equal(documents);
  });
});
