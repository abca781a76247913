import { expect } from 'chai';
import { secretRefusal } from '../../../src/network/secret-redirect.ts';

function refusalOf(from: string, to: string): string | undefined {
  return secretRefusal(new URL(from), new URL(to))?.message;
}

describe('a redirect of a request with a Secret in it', () => {
  it('is not followed from https to http, although both have the same host', () => {
    expect(refusalOf('https://hooks.example/a', 'http://hooks.example/a')).to.include(
      'unencrypted',
    );
  });

  it('is not followed to another host or port', () => {
    expect(refusalOf('https://hooks.example/', 'https://other.example/')).to.include(
      'another host',
    );
    expect(refusalOf('https://hooks.example/', 'https://hooks.example:8443/')).to.be.a('string');
  });

  it('is followed on the same host, also from http to https', () => {
    expect(refusalOf('https://hooks.example/a', 'https://hooks.example/b')).to.equal(undefined);
    expect(refusalOf('http://hooks.example/', 'https://hooks.example/')).to.equal(undefined);
  });
});
