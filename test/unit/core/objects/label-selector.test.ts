import { expect } from 'chai';
import { TerminalError } from '../../../../src/core/errors.ts';
import { selectorText } from '../../../../src/core/objects/label-selector.ts';

describe('a label selector as text', () => {
  it('has all requirements', () => {
    const selector = {
      matchLabels: { app: 'shop', 'example.com/tier': '' },
      matchExpressions: [
        { key: 'env', operator: 'In', values: ['test', 'prod'] },
        { key: 'zone', operator: 'NotIn', values: ['x'] },
        { key: 'live', operator: 'Exists' },
        { key: 'old', operator: 'DoesNotExist', values: [] },
      ],
    };
    expect(selectorText(selector)).to.equal(
      'app=shop,example.com/tier=,env in (test,prod),zone notin (x),live,!old',
    );
  });

  it('is empty without requirements', () => {
    expect(selectorText({})).to.equal('');
    expect(selectorText({ matchLabels: {}, matchExpressions: [] })).to.equal('');
  });

  for (const { what, selector } of [
    { what: 'a value with a comma', selector: { matchLabels: { app: 'a,b' } } },
    { what: 'a value with a bracket', selector: { matchLabels: { app: 'a)' } } },
    { what: 'a value of 64 characters', selector: { matchLabels: { app: 'a'.repeat(64) } } },
    { what: 'a key with a comma', selector: { matchLabels: { 'a,!b': 'c' } } },
    { what: 'a key with two slashes', selector: { matchLabels: { 'a/b/c': 'd' } } },
    { what: 'an empty key', selector: { matchLabels: { '': 'd' } } },
    {
      what: 'an unknown operator',
      selector: { matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] },
    },
    { what: 'In without values', selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
    {
      what: 'Exists with values',
      selector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] },
    },
  ]) {
    it(`is refused with ${what}`, () => {
      expect(() => selectorText(selector)).to.throw(TerminalError, 'selector: ');
    });
  }
});
