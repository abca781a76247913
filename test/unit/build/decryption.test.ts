import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { BuildResult } from '../../../src/build/build.ts';
import { Builder } from '../../../src/build/builder.ts';
import { DecryptionError } from '../../../src/build/sops/decryption-error.ts';
import { RetryableError } from '../../../src/core/errors.ts';
import { isJsonObject } from '../../../src/core/validate/json-object.ts';
import { kustomizeBinary } from '../../kustomize.ts';
import { fixture, fixtureKeys, sealedText } from '../../sops/fixtures.ts';
import { configMap, failureOf, filesOf } from './artifact.ts';

const { signal } = new AbortController();

const secret = sealedText('yaml: encrypted regex');
const foreign = secret.replace(/recipient: age1./, 'recipient: age1x');

describe('a build with decryption', () => {
  let builder: Builder;
  let memory: string;
  let disk: string;

  before(async () => {
    memory = await mkdtemp(join('/dev/shm', 'stageset-test-'));
    disk = await mkdtemp(join(tmpdir(), 'stageset-test-'));
    const binary = await kustomizeBinary();
    builder = new Builder({
      kustomizeBinary: binary,
      decryptionDirectory: memory,
      temporaryDirectory: disk,
    });
  });

  after(async () => {
    await builder.close();
    await rm(memory, { recursive: true });
    await rm(disk, { recursive: true });
  });

  async function build(
    files: Record<string, string>,
    order: { path?: string; keys?: ReadonlyMap<string, Uint8Array> } = {},
  ): Promise<BuildResult> {
    return await builder.build(filesOf(files), { signal, keys: fixtureKeys, ...order });
  }

  it('decrypts a manifest', async () => {
    const { objects, secrets } = await build({ 'secret.yaml': secret });
    expect(objects[0]).to.have.nested.property(
      'data.password',
      Buffer.from('correct horse battery staple').toString('base64'),
    );
    expect(secrets).to.include.members(['correct horse battery staple', 'c2VjcmV0', 'secret']);
  });

  it('leaves everything as it is without keys', async () => {
    const { objects } = await builder.build(filesOf({ 'secret.yaml': secret }), { signal });
    expect(JSON.stringify(objects)).to.include('ENC[AES256_GCM');
  });

  it('decrypts the sources of generators, in memory, of which nothing is left', async () => {
    const { objects } = await build({
      'kustomization.yaml': [
        'secretGenerator:',
        '  - name: settings',
        '    envs: [settings.env]',
        '  - name: blob',
        '    files: [blob.bin, app.json]',
        'generatorOptions: {disableNameSuffixHash: true}',
      ].join('\n'),
      'settings.env': sealedText('dotenv: all'),
      'blob.bin': sealedText('binary: bytes'),
      'app.json': sealedText('json: all types'),
    });
    const data = (name: string, entry: string): Buffer => {
      const found = objects.find(({ metadata }) => metadata.name === name)?.['data'];
      return Buffer.from(String(isJsonObject(found) ? found[entry] : ''), 'base64');
    };
    expect(data('settings', 'NAME').toString()).to.equal('value');
    expect([...data('blob', 'blob.bin')]).to.deep.equal([...fixture('binary: bytes').decrypted]);
    expect(data('blob', 'app.json').toString()).to.include('"int": 7');
    expect(await readdir(memory)).to.deep.equal([]);
    expect(await readdir(disk)).to.deep.equal([]);
  });

  it('attack 97: plaintext on a disk (decrypted files are put into memory only, part A 10.1)', async () => {
    const binary = await kustomizeBinary();
    // A file system of its own, and no tmpfs, is on every Linux.
    const careless = new Builder({ kustomizeBinary: binary, decryptionDirectory: '/proc' });
    const files = filesOf({
      'kustomization.yaml': 'secretGenerator: [{name: a, envs: [a.env]}]\n',
      'a.env': sealedText('dotenv: all'),
    });
    const failure = await failureOf(careless.build(files, { signal, keys: fixtureKeys }));
    await careless.close();
    expect(failure).to.be.instanceOf(RetryableError);
    expect(failure.message).to.equal(
      'decrypted files are put into memory only, and /proc is on a disk; mount an emptyDir with ' +
        'medium: Memory and name it with --decryption-directory',
    );
  });

  it('[gap] does not look at files that the stage does not use (part A 10.1)', async () => {
    const files = {
      'mine/secret.yaml': secret,
      'mine/notes.txt': foreign,
      'theirs/secret.yaml': foreign,
    };
    expect((await build(files, { path: 'mine' })).objects).to.have.length(1);
    const failure = await failureOf(build(files));
    expect(failure).to.be.instanceOf(DecryptionError);
    expect(failure.message).to.equal('decryption failed: data key of theirs/secret.yaml');
  });

  it('follows kustomizations to what they use', async () => {
    const files = {
      'mine/kustomization.yaml': 'resources: [../base]\nnamePrefix: my-\n',
      'base/kustomization.yaml': 'resources: [secret.yaml]\n',
      'base/secret.yaml': secret,
      'base/unused.yaml': foreign,
    };
    const { objects } = await build(files, { path: 'mine' });
    expect(objects.map(({ metadata }) => metadata.name)).to.deep.equal(['my-database']);
    const broken = { ...files, 'base/secret.yaml': foreign };
    expect((await failureOf(build(broken, { path: 'mine' }))).message).to.equal(
      'decryption failed: data key of base/secret.yaml',
    );
  });

  it('is refused for a key that cannot be read, even if nothing is encrypted', async () => {
    const keys = new Map([['a.agekey', Buffer.from('AGE-SECRET-KEY-hunter2')]]);
    const failure = await failureOf(build({ 'a.yaml': configMap('a') }, { keys }));
    expect(failure).to.be.instanceOf(DecryptionError).with.property('operation');
    expect(failure.message).to.match(
      /^the entry a\.agekey of the decryption Secret cannot be used/,
    );
    expect(failure.message).not.to.include('hunter2');
  });

  it('quotes nothing that was decrypted when the build fails', async () => {
    const failure = await failureOf(
      build({
        'kustomization.yaml':
          'secretGenerator: [{name: a, envs: [a.env, a.env]}]\nresources: [b.yaml]\n',
        'a.env': sealedText('dotenv: all'),
        'b.yaml': secret.replace('name: database', 'nam: database'),
      }),
    );
    expect(failure.message).not.to.match(/correct horse|in quotes|first\\nsecond/);
  });

  it('does not stop the main thread', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`${index}.json`, sealedText('json: all types')]),
    );
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    await build({
      'secret.yaml': secret,
      'kustomization.yaml': `resources: [secret.yaml]\nconfigMapGenerator: [{name: a, files: [${Object.keys(files).join(', ')}]}]\n`,
      ...files,
    });
    clearInterval(timer);
    expect(longest).to.be.below(250);
  });
});
