import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { run } from '../../dev/process/run.ts';
import {
  type Authority,
  createAuthority,
  type KeyAndCertificate,
} from '../../src/certs/authority.ts';
import { signCertificate, validity } from '../../src/certs/build.ts';
import { issueCertificate } from '../../src/certs/issue.ts';
import { createKeyPair } from '../../src/certs/key-pair.ts';
import { RetryableError } from '../../src/core/errors.ts';
import { type Instant, instant, minutes } from '../../src/core/time.ts';
import { outcomeOf } from './http-action-calls.ts';

const caller = fileURLToPath(new URL('./fixtures/call-servers.ts', import.meta.url));

const hour = minutes(60);
const day = minutes(24 * 60);
const now = instant(Date.now());

describe('attack 134: an http server whose certificate proves nothing (TLS is verified, part A 7.3)', () => {
  let directory: string;
  let authority: Authority;
  const servers: Server[] = [];
  let called: number;

  before('make an authority', async () => {
    directory = await mkdtemp(join(tmpdir(), 'stageset-certificates-'));
    const began = instant(now - 30 * day);
    authority = await createAuthority({
      commonName: 'ours',
      validFor: minutes(60 * 24 * 60),
      now: began,
    });
    await writeFile(join(directory, 'ca.crt'), authority.certificate);
  });
  beforeEach(() => {
    called = 0;
  });
  after('stop the servers', async () => {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await rm(directory, { recursive: true });
  });

  async function issued(names: {
    readonly dnsNames?: readonly string[];
    readonly ipAddresses?: readonly string[];
    readonly from?: Instant;
  }): Promise<KeyAndCertificate> {
    const { from = now, ...subject } = names;
    const leaf = {
      commonName: 'hook',
      usage: 'server',
      validFor: day,
      now: from,
      ...subject,
    } as const;
    return await issueCertificate(authority, leaf);
  }

  async function selfSigned(): Promise<KeyAndCertificate> {
    const { publicKey, privateKey } = await createKeyPair();
    const name = { commonName: 'hook', organizations: [] };
    const certificate = signCertificate(
      {
        subject: name,
        issuer: name,
        publicKey,
        ...validity(now, day),
        extensions: [
          { name: 'extKeyUsage', serverAuth: true },
          { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
        ],
      },
      privateKey,
    );
    return { certificate, privateKey };
  }

  async function serve({ certificate, privateKey }: KeyAndCertificate): Promise<string> {
    const server = createServer({ cert: certificate, key: privateKey }, (_, response) => {
      called += 1;
      response.end();
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return `https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/`;
  }

  async function outcomeHere(url: string): Promise<unknown> {
    return await outcomeOf(
      { url },
      { exempt: [{ host: '127.0.0.1', port: Number(new URL(url).port) }] },
    );
  }

  /** By a process that trusts the authority as an operator has it trusted. */
  async function outcomesWhereTrusted(...urls: string[]): Promise<unknown> {
    const environment = { NODE_EXTRA_CA_CERTS: join(directory, 'ca.crt') };
    const args = ['--import', 'tsx', caller, ...urls];
    const { code, stdout, stderr } = await run(process.execPath, args, { environment });
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout);
  }

  const advice =
    'name the file of its authority in the variable NODE_EXTRA_CA_CERTS of the controller';

  it('is refused where nobody signed it but itself', async () => {
    const url = await serve(await selfSigned());
    const failure = await outcomeHere(url);
    expect(failure).to.be.instanceOf(RetryableError);
    expect(failure).to.have.property(
      'message',
      `the certificate of ${new URL(url).host} is not accepted: no authority that the controller ` +
        `trusts has signed it (DEPTH_ZERO_SELF_SIGNED_CERT); ${advice}`,
    );
    // Nothing was sent, so that nobody has to find out whether it was done.
    expect(failure).to.have.property('reason', undefined);
    expect(called).to.equal(0);
  });

  it('is refused where a stranger signed it', async () => {
    const url = await serve(await issued({ ipAddresses: ['127.0.0.1'] }));
    const failure = await outcomeHere(url);
    expect(failure)
      .to.have.property('message')
      .that.matches(/has signed it \(UNABLE_TO_\w+\); name the file/);
    expect(called).to.equal(0);
  });

  it('is refused for another name, and out of its time, whoever signed it', async () => {
    const wrongName = await serve(await issued({ dnsNames: ['hooks.example.com'] }));
    const past = instant(now - 3 * day);
    const expired = await serve(await issued({ ipAddresses: ['127.0.0.1'], from: past }));
    const early = instant(now + 5 * hour);
    const future = await serve(await issued({ ipAddresses: ['127.0.0.1'], from: early }));
    expect(await outcomesWhereTrusted(wrongName, expired, future)).to.deep.equal([
      `the certificate of ${new URL(wrongName).host} is not accepted: it is for another name ` +
        '(ERR_TLS_CERT_ALTNAME_INVALID)',
      `the certificate of ${new URL(expired).host} is not accepted: it has expired (CERT_HAS_EXPIRED)`,
      `the certificate of ${new URL(future).host} is not accepted: it is not valid yet (CERT_NOT_YET_VALID)`,
    ]);
    expect(called).to.equal(0);
  });

  it('is taken from an authority that NODE_EXTRA_CA_CERTS names', async () => {
    const url = await serve(await issued({ ipAddresses: ['127.0.0.1'] }));
    expect(await outcomesWhereTrusted(url)).to.deep.equal(['{"kind":"Done"}']);
    expect(called).to.equal(1);
  });
});
