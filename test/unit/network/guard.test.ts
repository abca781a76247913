import { expect } from 'chai';
import { forbiddenAddress } from '../../../src/network/addresses.ts';
import { Guard } from '../../../src/network/guard.ts';

const refusal = (url: string, guard = new Guard()): string | undefined => {
  try {
    guard.checkUrl(url);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('the guard of artifact URLs', () => {
  const forbidden: [url: string, because: RegExp][] = [
    ['http://localhost/a', /its host is localhost/],
    ['http://LocalHost/a', /its host is localhost/],
    ['http://localhost./a', /its host is localhost/],
    ['http://x.localhost/a', /its host is x\.localhost/],
    ['http://127.0.0.1/a', /its address 127\.0\.0\.1 is loopback/],
    ['http://127.0.0.1./a', /loopback/],
    ['http://127.8.9.1/a', /loopback/],
    ['http://0x7f000001/a', /loopback/],
    ['http://2130706433/a', /loopback/],
    ['http://017700000001/a', /loopback/],
    ['http://127.1/a', /loopback/],
    ['http://0x7f.0.0.01/a', /loopback/],
    ['http://0177.0x0.1/a', /loopback/],
    ['http://%31%32%37.0.0.1/a', /loopback/],
    ['http://１２７.0.0.1/a', /loopback/],
    ['http://169.254.169.254/latest/meta-data', /link-local/],
    ['http://0xa9fea9fe/', /link-local/],
    ['http://224.0.0.1/', /multicast/],
    ['http://0.0.0.0/', /unspecified/],
    ['http://0/', /unspecified/],
    ['http://[::1]/', /loopback/],
    ['http://[::]/', /unspecified/],
    ['http://[0:0:0:0:0:0:0:1]/', /loopback/],
    ['http://[fe80::1]/', /link-local/],
    ['http://[ff02::1]/', /multicast/],
    ['http://[::ffff:127.0.0.1]/', /loopback/],
    ['http://[::ffff:7f00:1]/', /loopback/],
    ['http://[::ffff:a9fe:a9fe]/', /link-local/],
    ['http://[::127.0.0.1]/', /loopback/],
    ['http://[64:ff9b::169.254.169.254]/', /link-local/],
    ['http://[2002:7f00:1::]/', /loopback/],
    ['ftp://example.com/a', /its scheme is ftp/],
    ['file:///etc/passwd', /its scheme is file/],
    ['http://', /not a URL/],
    ['example.com/a', /not a URL/],
    ['http://user:secret@example.com/a', /contains credentials/],
  ];
  for (const [url, because] of forbidden) {
    it(`refuses ${url}`, () => expect(refusal(url)).to.match(because));
  }

  for (const url of [
    'http://source-controller.flux-system.svc.cluster.local./a.tar.gz',
    'HTTPS://example.com/a',
    'http://10.0.0.1/a',
    'http://172.16.0.1:8080/a',
    'http://192.168.1.1/a',
    'http://100.64.0.1/a',
    'http://[fd00::1]/a',
    'http://[::ffff:10.0.0.1]/a',
    'http://128.0.0.1/a',
  ]) {
    it(`allows ${url}`, () => expect(refusal(url)).to.equal(undefined));
  }

  it('does not repeat credentials or signatures of the URL', () => {
    expect(refusal('http://user:secret@example.com/a')).not.to.contain('secret');
    expect(refusal('http://127.0.0.1/a?signature=secret')).not.to.contain('secret');
  });

  it('lets through exactly the hosts that are allowed for development', () => {
    const guard = new Guard({
      allowedHosts: [
        { host: '127.0.0.1', port: 9000 },
        { host: 'localhost', port: undefined },
        { host: '::1', port: 80 },
      ],
    });
    expect(refusal('http://127.0.0.1:9000/a', guard)).to.equal(undefined);
    expect(refusal('http://127.0.0.1:9001/a', guard)).to.match(/loopback/);
    expect(refusal('http://127.0.0.2:9000/a', guard)).to.match(/loopback/);
    expect(refusal('http://localhost:1234/a', guard)).to.equal(undefined);
    expect(refusal('http://[::1]/a', guard)).to.equal(undefined);
    expect(refusal('https://[::1]/a', guard)).to.match(/loopback/);
  });

  it('judges an IPv6 address with a zone', () => {
    expect(forbiddenAddress('fe80::1%eth0')).to.equal('link-local');
  });

  it('forbids what is no address', () => {
    expect(forbiddenAddress('127.1')).to.equal('not an IP address');
  });
});
