import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { createAuthority } from '../../src/certs/authority.ts';
import { issueCertificate } from '../../src/certs/issue.ts';
import { MountedCertificates } from '../../src/certs/mounted.ts';
import { instant, milliseconds, minutes } from '../../src/core/time.ts';
import { silentLogger } from '../logger.ts';
import { handshake, serveWith } from '../serving.ts';
import { eventually } from './objects.ts';

const host = 'webhook.system.svc';

describe('serving certificates in mounted files', () => {
  const ending: (() => Promise<unknown>)[] = [];
  let directory: string;
  let generation = 0;

  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stageset-mounted-'));
    ending.push(async () => await rm(directory, { recursive: true }));
  });

  /** Swaps the files as the kubelet does: a new directory, and the link `..data` moved onto it. */
  async function mount(files: Record<string, string>): Promise<void> {
    generation += 1;
    const data = `..generation-${generation}`;
    await mkdir(join(directory, data));
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(directory, data, name), text);
      await symlink(join('..data', name), join(directory, name)).catch(() => undefined);
    }
    await symlink(data, join(directory, '..next'));
    await rename(join(directory, '..next'), join(directory, '..data'));
  }

  async function mountable(): Promise<Record<'tls.crt' | 'tls.key' | 'ca.crt', string>> {
    const now = instant(Date.now());
    const ca = await createAuthority({ commonName: 'issuer', validFor: minutes(60), now });
    const leaf = await issueCertificate(ca, {
      commonName: 'webhook',
      dnsNames: [host],
      usage: 'server',
      validFor: minutes(30),
      now,
    });
    return { 'tls.crt': leaf.certificate, 'tls.key': leaf.privateKey, 'ca.crt': ca.certificate };
  }

  function mounted(now: () => number = Date.now): MountedCertificates {
    const source = new MountedCertificates({
      directory,
      lookEvery: milliseconds(50),
      clock: () => instant(now()),
      logger: silentLogger,
    });
    ending.push(async () => await source.stop());
    source.start();
    return source;
  }

  it('are awaited, and renewed when the link to them is swapped', async () => {
    const source = mounted();
    await eventually(() => source.trouble !== undefined);
    expect(source.ready()).to.match(/^there is no serving certificate yet: .*tls\.(crt|key)/);
    const first = await mountable();
    await mount(first);
    await eventually(() => source.ready() === undefined);
    const server = await serveWith(source);
    ending.push(async () => await server.stop());
    const before = await handshake(server.port, host, first['ca.crt']);

    const second = await mountable();
    await mount(second);
    await eventually(() => source.caBundle() === second['ca.crt']);
    const after = await handshake(server.port, host, second['ca.crt']);
    expect(after).to.not.equal(before);
  });

  it('are not taken while key and certificate do not belong together', async () => {
    let now = Date.now();
    const [first, second] = [await mountable(), await mountable()];
    await mount(first);
    const source = mounted(() => now);
    await eventually(() => source.ready() === undefined);
    await mount({ ...second, 'tls.key': first['tls.key'] });
    await eventually(() => source.trouble !== undefined);
    const trouble = 'tls.key: not the private key of the certificate in tls.crt';
    expect(source.trouble).to.equal(`${directory}: ${trouble}`);
    expect(source.current().certificateChain).to.equal(first['tls.crt']);
    expect(source.caBundle()).to.equal(first['ca.crt']);
    expect(source.ready()).to.equal(undefined);

    now += minutes(31);
    expect(source.ready())
      .to.match(/^the serving certificate ended at /)
      .and.include(trouble);

    now -= minutes(31);
    await mount(second);
    await eventually(() => source.current().certificateChain === second['tls.crt']);
    expect(source.trouble).to.equal(undefined);
  });

  it('need no ca.crt', async () => {
    const { 'tls.crt': chain, 'tls.key': key } = await mountable();
    await mount({ 'tls.crt': chain, 'tls.key': key });
    const source = mounted();
    await eventually(() => source.ready() === undefined);
    expect(source.caBundle()).to.equal('');
  });
});
