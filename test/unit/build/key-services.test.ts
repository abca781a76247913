import { expect } from 'chai';
import type { BuildResult } from '../../../src/build/build.ts';
import { Builder, type BuildOrder } from '../../../src/build/builder.ts';
import { DecryptionError, DecryptionOutage } from '../../../src/build/sops/decryption-error.ts';
import { RetryableError, TerminalError } from '../../../src/core/errors.ts';
import { seconds } from '../../../src/core/time.ts';
import type { KeyOpener, SealedDataKey } from '../../../src/types/key-services.ts';
import { dataKeyOfFile, entry, sealedBy } from '../../key-services/sealed-files.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import { fixtureKeys, sealedText } from '../../sops/fixtures.ts';
import { configMap, failureOf, filesOf } from './artifact.ts';

const none: ReadonlyMap<string, Uint8Array> = new Map();
const arn = 'arn:aws:kms:eu-west-1:111122223333:key/abc';

/** A service that never answers. */
async function hang(): Promise<Uint8Array> {
  return await new Promise(() => undefined);
}

/** A file that AWS has sealed, as far as anybody sees. */
function sealedByAws(fields: Readonly<Record<string, unknown>> = {}): string {
  return sealedBy(
    entry('kms', { arn, created_at: '2026-01-31T12:00:00Z', enc: 'c2VhbGVk', ...fields }),
  );
}

describe('a build whose files a key service has sealed', () => {
  let builder: Builder;
  let key: Uint8Array;

  before(async () => {
    builder = new Builder({ kustomizeBinary: await kustomizeBinary() });
    key = await dataKeyOfFile();
  });

  after(async () => await builder.close());

  async function build(
    files: Record<string, string>,
    open: KeyOpener['open'] | undefined,
    order: Partial<BuildOrder> = {},
    by: Builder = builder,
  ): Promise<BuildResult> {
    return await by.build(filesOf(files), {
      keys: none,
      keyOpener: open && { identity: 'somebody', open },
      signal: AbortSignal.timeout(60_000),
      ...order,
    });
  }

  async function refusal(
    files: Record<string, string>,
    open: KeyOpener['open'] | undefined,
  ): Promise<DecryptionError | DecryptionOutage> {
    const failure = await failureOf(build(files, open));
    if (failure instanceof DecryptionError || failure instanceof DecryptionOutage) return failure;
    throw failure;
  }

  it('gets the key from it', async () => {
    const asked: SealedDataKey[] = [];
    const context = { app: 'shop', stage: 'dev' };
    const role = 'arn:aws:iam::111122223333:role/sops';
    const { objects } = await build(
      { 'a.yaml': sealedByAws({ role, context }) },
      async (sealed) => {
        asked.push(sealed);
        return await Promise.resolve(key);
      },
    );
    expect(objects[0]).to.have.nested.property(
      'data.user',
      Buffer.from('admin').toString('base64'),
    );
    expect(asked).to.have.length(1);
    expect(asked[0]?.kind).to.equal('kms');
    expect(asked[0]?.sealed).to.equal('c2VhbGVk');
    expect(asked[0]?.fields.get('arn')).to.equal(arn);
    expect(asked[0]?.fields.get('role')).to.equal(role);
    expect(Object.fromEntries(asked[0]?.context ?? [])).to.deep.equal(context);
  });

  it('asks nobody where a private key opens the file', async () => {
    const text = sealedText('yaml: a Secret').replace(
      '    lastmodified',
      `${entry('kms', { arn, enc: 'c2VhbGVk' })}    lastmodified`,
    );
    const open = async (): Promise<Uint8Array> => await Promise.reject(new Error('was asked'));
    const { objects } = await build({ 'a.yaml': text }, open, { keys: fixtureKeys });
    expect(objects).to.have.length(1);
  });

  it('asks for many files beside each other', async () => {
    const loose = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [
        `${index}.yaml`,
        `a${index}_unencrypted: b\n${sealedByAws()}`,
      ]),
    );
    let [now, most] = [0, 0];
    const failure = await failureOf(
      build(loose, async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now -= 1;
        return key;
      }),
    );
    // What was added is no part of the MAC.
    expect(failure.message).to.equal('decryption failed: MAC of 0.yaml');
    expect(most).to.equal(16);
  });

  it('fails when the service refuses, which the log is told', async () => {
    const failure = await refusal({ 'a.yaml': sealedByAws() }, async () => {
      return await Promise.reject(new TerminalError('AWS KMS answered 400: AccessDenied'));
    });
    expect(failure).to.be.instanceOf(DecryptionError);
    expect(failure.message).to.equal('decryption failed: data key of a.yaml');
    expect(failure.detail).to.equal(
      `no key of ours opens it; its recipients are kms ${arn}: AWS KMS answered 400: AccessDenied`,
    );
  });

  it('is tried again when the service did not answer', async () => {
    const failure = await refusal({ 'a.yaml': sealedByAws() }, async () => {
      return await Promise.reject(new RetryableError('kms.eu-west-1 did not answer'));
    });
    expect(failure).to.be.instanceOf(DecryptionOutage);
    expect(failure).to.be.instanceOf(RetryableError);
    expect(failure.message).to.equal('decryption failed: data key of a.yaml');
    expect(failure.operation).to.equal('decrypt');
    expect(failure.detail).to.include('kms.eu-west-1 did not answer');
  });

  it('fails with the first of its files, whichever is answered first', async () => {
    const files = { 'a.yaml': sealedByAws({ enc: 'c2xvdw==' }), 'b.yaml': sealedByAws() };
    for (let round = 0; round < 3; round += 1) {
      const failure = await refusal(files, async ({ sealed }) => {
        if (sealed === 'c2xvdw==') await new Promise((resolve) => setTimeout(resolve, 50));
        throw new TerminalError('no');
      });
      expect(failure.message).to.equal('decryption failed: data key of a.yaml');
    }
  });

  it('has a key of the wrong size refused', async () => {
    for (const size of [0, 16, 31, 64, 1_000_000]) {
      const failure = await refusal({ 'a.yaml': sealedByAws() }, async () => {
        return await Promise.resolve(new Uint8Array(size));
      });
      expect(failure).to.be.instanceOf(DecryptionError);
      expect(failure.detail).to.include(`kms opened ${size} bytes, which is no data key`);
    }
  });

  it('has another key of the right size refused', async () => {
    const failure = await refusal({ 'a.yaml': sealedByAws() }, async () => {
      return await Promise.resolve(new Uint8Array(32));
    });
    expect(failure.message).to.match(/^decryption failed: (values|MAC) of a\.yaml$/);
  });

  it('takes the next recipient when one refuses', async () => {
    const other = 'arn:aws:kms:us-east-1:111122223333:key/def';
    const text = sealedByAws().replace(
      '    lastmodified',
      `${entry('hc_vault', { vault_address: 'https://vault', engine_path: 'transit', key_name: 'app', enc: other })}    lastmodified`,
    );
    const { objects } = await build({ 'a.yaml': text }, async ({ kind }) => {
      if (kind === 'kms') throw new TerminalError('no');
      return await Promise.resolve(key);
    });
    expect(objects).to.have.length(1);
  });

  it('is not built without anybody to ask', async () => {
    const failure = await refusal({ 'a.yaml': sealedByAws() }, undefined);
    expect(failure.detail).to.equal(`no key of ours opens it; its recipients are kms ${arn}`);
  });

  it('asks no more than 500 times', async () => {
    const many = Array.from({ length: 510 }, () => `- arn: ${arn}\n          enc: eA==`);
    const groups = many.map(
      (each) => `        - kms:\n            ${each.replace('          ', '              ')}`,
    );
    const text = sealedBy(
      `    shamir_threshold: 255\n    key_groups:\n${groups.slice(0, 255).join('\n')}`,
    );
    let asked = 0;
    const failure = await refusal({ 'a.yaml': text, 'b.yaml': text, 'c.yaml': text }, async () => {
      asked += 1;
      return await Promise.reject(new TerminalError('no'));
    });
    expect(failure.message).to.equal('decryption failed: data key of a.yaml');
    expect(asked).to.be.at.most(500);
  });

  it('gives its turn to others while it waits', async () => {
    const stop = new AbortController();
    let over = 0;
    const waiting = Array.from({ length: 4 }, async (_, index) => {
      const order = { tenant: `tenant-${index}`, signal: stop.signal };
      await failureOf(build({ 'a.yaml': sealedByAws() }, hang, order));
      over += 1;
    });
    const padding = `# ${'x'.repeat(10_000)}\n`;
    for (let round = 0; round < 3; round += 1) {
      const other = { 'a.yaml': `${configMap(`a${round}`)}${padding}` };
      await build(other, undefined, { keys: undefined });
    }
    expect(over).to.equal(0);
    stop.abort(new Error('enough'));
    await Promise.all(waiting);
  });

  it('does not wait for ever, however many keys it needs', async () => {
    const impatient = new Builder({ kustomizeBinary: 'kustomize', keyPatience: seconds(1) });
    const files = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => [`${index}.yaml`, sealedByAws()]),
    );
    const begun = performance.now();
    const failure = await failureOf(build(files, hang, {}, impatient));
    await impatient.close();
    expect(performance.now() - begun).to.be.within(1000, 15_000);
    expect(failure).to.be.instanceOf(DecryptionOutage);
    expect(failure).to.have.property('detail').that.includes('key services took too long');
  });

  it('does not wait in line when too many wait', async () => {
    const stop = new AbortController();
    const order = { tenant: 'one', signal: stop.signal };
    const waiting = Array.from(
      { length: 9 },
      async () => await failureOf(build({ 'a.yaml': sealedByAws() }, hang, order)),
    );
    const first = await Promise.race(waiting);
    expect(first).to.be.instanceOf(RetryableError);
    expect(first.message).to.equal('too many builds wait for key services');
    stop.abort(new Error('enough'));
    await Promise.all(waiting);
  });
});
