import { X509Certificate } from 'node:crypto';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expect } from 'chai';
import { createAuthority, loadAuthority } from '../../../../src/certs/authority.ts';
import { signCertificate } from '../../../../src/certs/build.ts';
import { issueCertificate } from '../../../../src/certs/issue.ts';
import { createKeyPair } from '../../../../src/certs/key-pair.ts';
import { type Instant, instant, after as later, minutes } from '../../../../src/core/time.ts';
import {
  parseAuthenticationConfig,
  trustNobody,
} from '../../../../src/server/aggregated/authentication-config.ts';
import { reviewSpec } from '../../../../src/server/aggregated/authorization.ts';
import {
  isClientOf,
  parseBundle,
  subjectOf,
} from '../../../../src/server/aggregated/client-certificate.ts';
import {
  callerFromHeaders,
  takeIdentityHeaders,
} from '../../../../src/server/aggregated/request-header.ts';

const now: Instant = instant(Date.now());

describe('client certificates', () => {
  let root: X509Certificate;
  let middle: X509Certificate;
  let leaf: X509Certificate;

  before(async () => {
    const keys = await Promise.all([createKeyPair(), createKeyPair()]);
    const [rootKeys, middleKeys] = keys;
    const extensions = [
      { name: 'basicConstraints', critical: true, cA: true },
      { name: 'keyUsage', critical: true, keyCertSign: true },
    ];
    const time = { notBefore: instant(now - minutes(1)), notAfter: later(now, minutes(30)) };
    const issuer = { commonName: 'root', organizations: [] };
    const sign = (commonName: string, publicKey: string): string =>
      signCertificate(
        { subject: { commonName, organizations: [] }, issuer, publicKey, ...time, extensions },
        rootKeys.privateKey,
      );
    root = new X509Certificate(sign('root', rootKeys.publicKey));
    const middlePem = sign('middle', middleKeys.publicKey);
    middle = new X509Certificate(middlePem);
    const pair = { certificate: middlePem, privateKey: middleKeys.privateKey };
    const issued = await issueCertificate(loadAuthority(pair), {
      commonName: 'olga',
      organizations: ['sales', 'owners'],
      usage: 'client',
      validFor: minutes(5),
      now,
    });
    leaf = new X509Certificate(issued.certificate);
  });

  it('may hang on an authority in between', () => {
    expect(isClientOf([root], leaf, [middle], now)).to.equal(true);
    expect(isClientOf([middle], leaf, [], now)).to.equal(true);
    expect(isClientOf([root], leaf, [], now)).to.equal(false);
  });

  it('are judged by the roots alone, whatever is sent along', () => {
    expect(isClientOf([], leaf, [middle, root], now)).to.equal(false);
    expect(isClientOf([leaf], leaf, [leaf], now)).to.equal(false);
  });

  it('count within their time only, and within that of their authorities', () => {
    expect(isClientOf([root], leaf, [middle], later(now, minutes(6)))).to.equal(false);
    expect(isClientOf([middle], leaf, [], instant(now - minutes(2)))).to.equal(false);
  });

  it('say who somebody is', () => {
    expect(subjectOf(leaf)).to.deep.equal({
      commonName: 'olga',
      organizations: ['sales', 'owners'],
    });
  });

  it('come in bundles with text between', async () => {
    const { certificate } = await createAuthority({ commonName: 'a', validFor: minutes(5), now });
    expect(parseBundle(`# one\n${certificate}\n# two\n${certificate}`)).to.have.length(2);
    for (const pem of ['', 'nonsense', certificate.replace('M', '*')]) {
      expect(() => parseBundle(pem)).to.throw(Error);
    }
  });
});

describe('headers that say who asks', () => {
  const names = {
    user: ['x-remote-user', 'x-user'],
    uid: ['x-remote-uid'],
    group: ['x-remote-group'],
    extraPrefixes: ['x-remote-extra-'],
  };

  it('are gone from every view of the request', () => {
    const request = new IncomingMessage(new Socket());
    request.rawHeaders = [
      ...['Accept', 'a', 'X-Remote-User', 'u', 'x-USER', 'v', 'X-REMOTE-Extra-k', 'e'],
      ...['Impersonate-User', 'i', 'X-Remote-Other', 'o', 'Host', 'h'],
    ];
    const taken = takeIdentityHeaders(request, names);
    expect(taken.map(([name]) => name)).to.deep.equal([
      ...['x-remote-user', 'x-user', 'x-remote-extra-k', 'impersonate-user', 'x-remote-other'],
    ]);
    expect(request.rawHeaders).to.deep.equal(['Accept', 'a', 'Host', 'h']);
  });

  it('are read like upstream: the first name that is there, decoded keys', () => {
    const caller = callerFromHeaders(
      [
        ['x-user', 'second'],
        ['x-remote-user', ''],
        ['x-remote-group', 'a'],
        ['x-remote-group', 'b, c'],
        ['x-remote-extra-example.com%2fscope', '1'],
        ['x-remote-extra-example.com%2FSCOPE', '2'],
        ['x-remote-extra-100%', '3'],
      ],
      names,
    );
    expect(caller).to.deep.equal({
      user: 'second',
      groups: ['a', 'b, c'],
      extra: { 'example.com/scope': ['1', '2'], '100%': ['3'] },
    });
  });

  it('name nobody when they are missing or name two', () => {
    expect(callerFromHeaders([], names)).to.equal(undefined);
    const two = [
      ['x-remote-user', 'a'],
      ['x-remote-user', 'b'],
    ] as const;
    expect(callerFromHeaders(two, names)).to.equal(undefined);
    const uids = [['x-remote-user', 'a'] as const, ['x-remote-uid', '1'] as const];
    expect(callerFromHeaders([...uids, ['x-remote-uid', '2']], names)).to.equal(undefined);
  });
});

describe('what the cluster says about trust', () => {
  it('is nobody when it says nothing', () => {
    expect(parseAuthenticationConfig(undefined)).to.deep.equal(trustNobody);
    expect(parseAuthenticationConfig({ 'client-ca-file': ' ' })).to.deep.equal(trustNobody);
  });

  it('is refused as a whole when a part of it cannot be read', async () => {
    const { certificate } = await createAuthority({ commonName: 'a', validFor: minutes(5), now });
    const data = { 'requestheader-client-ca-file': certificate };
    expect(parseAuthenticationConfig(data).requestHeader?.allowedNames).to.deep.equal([]);
    for (const wrong of [
      { 'requestheader-allowed-names': '["a"' },
      { 'requestheader-allowed-names': '"a"' },
      { 'requestheader-allowed-names': '[1]' },
      { 'requestheader-username-headers': 7 },
      { 'client-ca-file': 'nonsense' },
    ]) {
      expect(() => parseAuthenticationConfig({ ...data, ...wrong })).to.throw(Error);
    }
  });

  it('never makes every header an identity', async () => {
    const { certificate } = await createAuthority({ commonName: 'a', validFor: minutes(5), now });
    const config = parseAuthenticationConfig({
      'requestheader-client-ca-file': certificate,
      'requestheader-extra-headers-prefix': '["", "X-Extra-"]',
    });
    expect(config.requestHeader?.names.extraPrefixes).to.deep.equal(['x-extra-']);
  });
});

describe('a SubjectAccessReview', () => {
  it('has all that an authorizer may look at', () => {
    const caller = { user: 'olga', uid: 'u', groups: ['g'], extra: { k: ['v'] } };
    const what = {
      verb: 'get',
      group: 'a',
      version: 'v1',
      resource: 'b',
      subresource: 'c',
      namespace: 'd',
      name: 'e',
    };
    expect(reviewSpec(caller, { kind: 'Resource', ...what })).to.deep.equal({
      ...caller,
      resourceAttributes: what,
    });
    expect(reviewSpec(caller, { kind: 'Path', verb: 'get', path: '/metrics' })).to.deep.equal({
      ...caller,
      nonResourceAttributes: { verb: 'get', path: '/metrics' },
    });
  });
});
