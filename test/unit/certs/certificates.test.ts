import { X509Certificate } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { type Authority, createAuthority, loadAuthority } from '../../../src/certs/authority.ts';
import { issueCertificate } from '../../../src/certs/issue.ts';
import { keyIdentifier } from '../../../src/certs/key-pair.ts';
import { TerminalError } from '../../../src/core/errors.ts';
import { instant, minutes } from '../../../src/core/time.ts';

const now = instant(Date.UTC(2026, 2, 14, 12, 0, 0, 250));
const day = minutes(24 * 60);

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('certificates', () => {
  let authority: Authority;

  before(async () => {
    authority = await createAuthority({ commonName: 'stageset-ca', validFor: day, now });
  });

  describe('an authority', () => {
    it('is self-signed and may sign certificates', () => {
      const certificate = new X509Certificate(authority.certificate);
      expect(certificate.ca).to.equal(true);
      expect(certificate.subject).to.equal('CN=stageset-ca');
      expect(certificate.issuer).to.equal('CN=stageset-ca');
      expect(certificate.verify(certificate.publicKey)).to.equal(true);
    });

    it('is valid from an hour back until its span is over', () => {
      const certificate = new X509Certificate(authority.certificate);
      expect(new Date(certificate.validFrom).toISOString()).to.equal('2026-03-14T11:00:00.000Z');
      expect(new Date(certificate.validTo).toISOString()).to.equal('2026-03-15T12:00:00.000Z');
    });

    it('is PEM with plain line feeds, as Node and Kubernetes write it', () => {
      const certificate = new X509Certificate(authority.certificate);
      expect(authority.certificate).to.equal(certificate.toString());
    });

    it('issues again after it was stored and loaded', async () => {
      const { certificate, privateKey } = authority;
      const loaded = loadAuthority({ certificate, privateKey });
      const leaf = await issueCertificate(loaded, {
        commonName: 'webhook',
        usage: 'server',
        validFor: day,
        now,
      });
      const issuer = new X509Certificate(authority.certificate);
      expect(new X509Certificate(leaf.certificate).checkIssued(issuer)).to.equal(true);
    });

    it('is refused when the key belongs to another', async () => {
      const other = await createAuthority({ commonName: 'other', validFor: day, now });
      expect(() =>
        loadAuthority({ certificate: authority.certificate, privateKey: other.privateKey }),
      ).to.throw(TerminalError, "the private key is not the certificate's");
    });

    it('is refused when it is a leaf, or nothing at all', async () => {
      const leaf = await issueCertificate(authority, {
        commonName: 'leaf',
        usage: 'client',
        validFor: day,
        now,
      });
      expect(() => loadAuthority(leaf)).to.throw(TerminalError, 'not an RSA authority');
      expect(() => loadAuthority({ certificate: 'hello', privateKey: 'hello' })).to.throw(
        TerminalError,
        'not a PEM X.509 certificate',
      );
    });
  });

  describe('a server certificate', () => {
    it('carries its DNS names and IP addresses and no right to sign', async () => {
      const leaf = await issueCertificate(authority, {
        commonName: 'stageset-webhook',
        dnsNames: ['stageset-webhook.stageset-system.svc', 'localhost', '*.example.com'],
        ipAddresses: ['127.0.0.1', '::1'],
        usage: 'server',
        validFor: minutes(60),
        now,
      });
      const certificate = new X509Certificate(leaf.certificate);
      expect(certificate.subjectAltName).to.equal(
        'DNS:stageset-webhook.stageset-system.svc, DNS:localhost, DNS:*.example.com, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
      );
      expect(certificate.ca).to.equal(false);
      expect(certificate.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.1']);
      expect(certificate.checkHost('stageset-webhook.stageset-system.svc')).to.be.a('string');
      expect(certificate.checkIP('127.0.0.1')).to.equal('127.0.0.1');
      expect(new Date(certificate.validTo).toISOString()).to.equal('2026-03-14T13:00:00.000Z');
    });

    it('names its own key and its authority’s key', async () => {
      const leaf = await issueCertificate(authority, {
        commonName: 'a',
        usage: 'server',
        validFor: day,
        now,
      });
      const hex = new X509Certificate(leaf.certificate).raw.toString('hex');
      const own = keyIdentifier(leaf.certificate).toString('hex');
      const issuers = keyIdentifier(authority.certificate).toString('hex');
      expect(hex).to.include(`0603551d0e04160414${own}`);
      expect(hex).to.include(`0603551d23041830168014${issuers}`);
    });

    it('has a positive serial number of its own, of at least 64 bits', async () => {
      const request = { commonName: 'a', usage: 'server', validFor: day, now } as const;
      const issued = await Promise.all(
        [1, 2, 3].map(async () => issueCertificate(authority, request)),
      );
      const serials = issued.map((leaf) => new X509Certificate(leaf.certificate).serialNumber);
      expect(new Set(serials).size).to.equal(3);
      for (const serial of serials) {
        expect(serial).to.match(/^[4-7][0-9A-F]{31}$/);
      }
    });

    it('ends with its authority at the latest', async () => {
      const leaf = await issueCertificate(authority, {
        commonName: 'a',
        usage: 'server',
        validFor: minutes(48 * 60),
        now,
      });
      expect(new Date(new X509Certificate(leaf.certificate).validTo).toISOString()).to.equal(
        '2026-03-15T12:00:00.000Z',
      );
    });

    it('is not issued by an authority that has ended', async () => {
      const error = await failure(
        issueCertificate(authority, {
          commonName: 'a',
          usage: 'server',
          validFor: day,
          now: instant(now + 2 * day),
        }),
      );
      expect(error).to.be.instanceOf(TerminalError);
      expect(String(error)).to.include('"stageset-ca": ended at 2026-03-15T12:00:00Z');
    });
  });

  it('keeps user and groups of a client certificate in any script', async () => {
    const leaf = await issueCertificate(authority, {
      commonName: 'jürgen_b@example.com',
      organizations: ['team:a', 'system:masters'],
      usage: 'client',
      validFor: day,
      now,
    });
    const certificate = new X509Certificate(leaf.certificate);
    expect(certificate.toLegacyObject().subject).to.deep.equal({
      O: ['team:a', 'system:masters'],
      CN: 'jürgen_b@example.com',
    });
    expect(certificate.keyUsage).to.deep.equal(['1.3.6.1.5.5.7.3.2']);
  });

  const malformed = [
    [{ commonName: '' }, 'common name ""'],
    [{ commonName: 'x'.repeat(65) }, 'must have 1 to 64 characters'],
    [{ dnsNames: ['under_score.example'] }, 'DNS name "under_score.example"'],
    [{ dnsNames: ['a..b'] }, 'DNS name "a..b"'],
    [{ dnsNames: ['*'] }, 'DNS name "*"'],
    [{ ipAddresses: ['127.0.0.1/8'] }, 'IP address "127.0.0.1/8"'],
    [{ ipAddresses: ['fe80::1%eth0'] }, 'IP address "fe80::1%eth0"'],
  ] as const;
  for (const [fields, message] of malformed) {
    it(`refuses ${JSON.stringify(fields).slice(0, 60)}`, async () => {
      const error = await failure(
        issueCertificate(authority, {
          commonName: 'a',
          usage: 'server',
          validFor: day,
          now,
          ...fields,
        }),
      );
      expect(error).to.be.instanceOf(TerminalError);
      expect(String(error)).to.include(message);
    });
  }

  it('lets a server and its client trust each other over TLS', async () => {
    const today = instant(Date.now());
    const ca = await createAuthority({ commonName: 'ca', validFor: day, now: today });
    const [server, client] = await Promise.all([
      issueCertificate(ca, {
        commonName: 'server',
        dnsNames: ['localhost'],
        usage: 'server',
        validFor: day,
        now: today,
      }),
      issueCertificate(ca, { commonName: 'alice', usage: 'client', validFor: day, now: today }),
    ]);
    const listener: Server = createServer({
      key: server.privateKey,
      cert: server.certificate,
      ca: ca.certificate,
      requestCert: true,
      rejectUnauthorized: true,
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    try {
      const peer = new Promise<string>((resolve) => {
        listener.once('secureConnection', (socket) => {
          resolve(socket.getPeerX509Certificate()?.subject ?? 'nobody');
          socket.end();
        });
      });
      const { port } = listener.address() as AddressInfo;
      const socket = connect({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        ca: ca.certificate,
        key: client.privateKey,
        cert: client.certificate,
      });
      await new Promise((resolve, reject) => {
        socket.once('secureConnect', resolve).once('error', reject);
      });
      expect(socket.authorized).to.equal(true);
      expect(await peer).to.equal('CN=alice');
      socket.destroy();
    } finally {
      listener.close();
    }
  });
});
