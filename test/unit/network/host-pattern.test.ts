import { expect } from 'chai';
import { matchesHost, patternProblem } from '../../../src/network/host-pattern.ts';

describe('a glob of --allowed-action-hosts (part A 7.3)', () => {
  const cases: [pattern: string, host: string, matches: boolean][] = [
    ['hooks.example.com', 'hooks.example.com', true],
    ['hooks.example.com', 'hooks.example.com.', true],
    ['hooks.example.com.', 'hooks.example.com', true],
    ['hooks.example.com', 'hooks-example.com', false],
    ['hooks.example.com', 'hooks.example.com.evil.test', false],
    ['example.com', 'evil-example.com', false],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['hook?.test', 'hook1.test', true],
    ['hook?.test', 'hook.test', false],
    ['hook[12].test', 'hook2.test', true],
    ['hook[12].test', 'hook3.test', false],
    ['hook[a-c].test', 'hookb.test', true],
    ['hook[^a-c].test', 'hookb.test', false],
    ['hook[^a-c].test', 'hookd.test', true],
    ['*', '10.0.0.1', true],
    ['(a|b)+$', 'a', false],
  ];
  for (const [pattern, host, matches] of cases) {
    it(`${pattern} ${matches ? 'matches' : 'does not match'} ${host}`, () => {
      expect(matchesHost(pattern, host)).to.equal(matches);
    });
  }

  for (const pattern of ['', 'https://a.test', 'a.test:8080', 'a[.test', 'a[].test', 'a[^].test']) {
    it(`cannot be "${pattern}"`, () => {
      expect(patternProblem(pattern)).to.be.a('string');
    });
  }

  it('can be any host', () => {
    for (const pattern of ['*', 'a.test', 'a[^b].test', 'a]b', 'a?']) {
      expect(patternProblem(pattern)).to.equal(undefined);
    }
  });
});
