import { expect } from 'chai';
import fc from 'fast-check';
import { redact } from '../../../src/core/redact.ts';

function redacted(text: string, ...secrets: string[]): string {
  return redact(text, new Set(secrets));
}

describe('a message about what Secrets went into', () => {
  const cases: [string, string, string, string][] = [
    [
      'loses a value',
      'spec.replicas: Invalid value: "correct horse": must be a number',
      'correct horse',
      'spec.replicas: Invalid value: "[redacted]": must be a number',
    ],
    [
      'loses a number as the API server writes it',
      'expected string, got &value.valueUnstructured{Value:123456}',
      '123456',
      'expected string, got &value.valueUnstructured{Value:[redacted]}',
    ],
    ['loses a value in quotes', 'got "a\\"b c\\nd e"', 'a"b c\nd e', 'got "[redacted]"'],
    ['loses a value in base64', 'got Y29ycmVjdA== there', 'correct', 'got [redacted] there'],
    ['loses a line of a value', 'got line-two-x!', 'line-one-x\nline-two-x', 'got [redacted]!'],
    ['loses a value without its last line end', 'got correct!', 'correct\n', 'got [redacted]!'],
    ['keeps what is too short to be a secret', 'got 3 and true', '3', 'got 3 and true'],
  ];
  for (const [title, text, secret, result] of cases) {
    it(title, () => expect(redacted(text, secret)).to.equal(result));
  }

  it('loses the longer of two values that begin alike', () => {
    expect(redacted('got secret-one-two', 'secret', 'secret-one-two')).to.equal('got [redacted]');
  });

  it('is withheld when there is too much to look for', () => {
    const value = Array.from({ length: 20_000 }, (_, line) => `line number ${line}`).join('\n');
    expect(redacted('got line number 7', value)).to.equal(
      'the message is withheld, since it may quote values of Secrets',
    );
  });

  it('never has a value left in it', () => {
    const word = fc.stringMatching(/^[a-z$&"\\]{6,12}$/);
    fc.assert(
      fc.property(word, fc.string(), fc.string(), (secret, before, after) => {
        expect(redacted(`${before}${secret}${after}`, secret)).not.to.include(secret);
      }),
    );
  });
});
