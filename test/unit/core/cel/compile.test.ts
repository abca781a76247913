import { expect } from 'chai';
import { compileExpression } from '../../../../src/core/cel/compile.ts';

function refusal(text: string): string | undefined {
  const compiled = compileExpression(text);
  return compiled.kind === 'Refused' ? compiled.message : undefined;
}

describe('an expression of readyChecks', () => {
  for (const text of [
    'true',
    "status.phase == 'Running'",
    "status.conditions.filter(e, e.type == 'Ready').all(e, e.status == 'True')",
    'has(status.ready) && status.ready',
    "metadata.labels['app.kubernetes.io/name'] in ['web', 'api']",
    'size(status.conditions) > 0 ? status.ok : dyn(1) == 2',
    "apiVersion.startsWith('apps/') && kind != 'x'",
    'type(spec.replicas) == int',
    'timestamp(metadata.creationTimestamp) < timestamp("2030-01-01T00:00:00Z")',
    "duration(spec.timeout) + duration('1m') > duration('2m')",
    "status.version.matches('^v[0-9]+$')",
    'status.anything',
    'status.replicas == spec.replicas',
    '.status.ok',
  ]) {
    it(`is accepted: ${text}`, () => {
      expect(refusal(text)).to.equal(undefined);
    });
  }

  const refused: readonly (readonly [name: string, text: string, message: string])[] = [
    [
      'a syntax error',
      "status.phase = 'Running'",
      'is not standard CEL from line 1, column 14 on; correct it there',
    ],
    ['nothing but space', ' \n', 'is empty; write a CEL expression or leave it out'],
    [
      'an unknown name',
      'self.status.ready',
      'does not hold together: there is no self; it can use apiVersion, kind, metadata, spec, status',
    ],
    [
      'the data of a Secret',
      "data.password == 'x'",
      'does not hold together: there is no data; it can use apiVersion, kind, metadata, spec, status',
    ],
    [
      'a loop variable outside of its loop',
      'status.list.all(c, c.ok) && c.ok',
      'does not hold together: there is no c; it can use apiVersion, kind, metadata, spec, status',
    ],
    [
      'an unknown function',
      "status.name.upperAscii() == 'X'",
      'does not hold together: there is no method upperAscii in standard CEL',
    ],
    [
      'a method that is a function only',
      "status.name.string() == 'X'",
      'does not hold together: there is no method string in standard CEL',
    ],
    [
      'a text as the result',
      'kind',
      'gives a value of type string, not a bool; compare it with something',
    ],
    [
      'a number as the result',
      'spec.replicas + 1',
      'gives a value of type int, not a bool; compare it with something',
    ],
    [
      'a size as the result',
      'size(status.list)',
      'gives a value of type int, not a bool; compare it with something',
    ],
    [
      'a list as the result',
      'status.list.map(c, c.ok)',
      'gives a value of type list, not a bool; compare it with something',
    ],
    [
      'a map as the result',
      "{'a': true}",
      'gives a value of type map, not a bool; compare it with something',
    ],
    [
      'null as the result',
      'null',
      'gives a value of type null, not a bool; compare it with something',
    ],
    [
      'a type as the result',
      'type(spec)',
      'gives a value of type type, not a bool; compare it with something',
    ],
    [
      'a choice of texts',
      "status.ok ? 'a' : 'b'",
      'gives a value of type string, not a bool; compare it with something',
    ],
    [
      'logic on a text',
      "status.ok && 'yes'",
      'does not hold together: && needs a bool and gets a string',
    ],
    [
      'a condition that is a number',
      '1 ? true : false',
      'does not hold together: ? : needs a bool and gets an int',
    ],
    [
      'fields of a text',
      'kind.name == 1',
      'does not hold together: a string has no fields, such as name',
    ],
    [
      'a loop over a text',
      'kind.all(c, true)',
      'does not hold together: cannot loop over a string; only over a list or a map',
    ],
    [
      'a message of Protocol Buffers',
      'google.protobuf.Int32Value{value: 1} == 1',
      'does not hold together: cannot make a google.protobuf.Int32Value; only lists and maps can be made',
    ],
    [
      'too many characters',
      `true${' '.repeat(2048)}`,
      'is longer than 2048 characters; shorten it',
    ],
    [
      'too many brackets',
      `${'('.repeat(25)}true${')'.repeat(25)}`,
      'has more than 24 brackets inside each other; simplify it',
    ],
    ['too many parts', `${'status.a && '.repeat(170)}true`, 'has more than 500 parts; simplify it'],
    [
      'too many loops',
      'spec.a.all(a, a.b.all(b, b.c.all(c, c.d.all(d, d))))',
      'has more than 3 loops inside each other; simplify it',
    ],
  ];
  for (const [name, text, message] of refused) {
    it(`is refused with ${name}`, () => {
      expect(refusal(text)).to.equal(message);
    });
  }

  it('is refused however deep its operators are', () => {
    expect(refusal(`${'1-'.repeat(1000)}1 == 1`)).to.equal('has more than 500 parts; simplify it');
    expect(refusal(`status${'.a'.repeat(1000)}`)).to.equal('has more than 500 parts; simplify it');
  });

  it('is the same object when it is asked for again', () => {
    const text = 'status.a.b.c == 7';
    expect(compileExpression(text)).to.equal(compileExpression(text));
  });

  it('is checked within a moment, whatever it is', () => {
    const nested = `${'a['.repeat(24)}1${']'.repeat(24)}+`;
    const times = ['a', 'b', 'c', 'd', 'e'].map((end) => {
      const text = `${nested.repeat(28).slice(0, 2046)}${end}`;
      const before = performance.now();
      expect(refusal(text)).to.be.a('string');
      return performance.now() - before;
    });
    // The best of them: the machine has other work as well.
    expect(Math.min(...times)).to.be.lessThan(200);
  });
});
