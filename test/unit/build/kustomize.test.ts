import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Builder, type BuilderOptions } from '../../../src/build/builder.ts';
import { RetryableError, TerminalError } from '../../../src/core/errors.ts';
import { milliseconds } from '../../../src/core/time.ts';
import { configMap, failureOf, filesOf } from './artifact.ts';

describe('a build runs kustomize', () => {
  let temporaryDirectory: string;
  const { signal } = new AbortController();

  before(async () => {
    temporaryDirectory = await mkdtemp(join(tmpdir(), 'kustomize-test-'));
  });
  afterEach(async () => {
    expect(await readdir(temporaryDirectory), 'files left behind').to.deep.equal([]);
  });
  after(() => rm(temporaryDirectory, { recursive: true }));

  const texts = { 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': configMap('a') };

  const buildWith = async (options: BuilderOptions, caller = signal): Promise<Error> => {
    const other = new Builder({ temporaryDirectory, ...options });
    try {
      return await failureOf(other.build(filesOf(texts), { path: undefined, signal: caller }));
    } finally {
      await other.close();
    }
  };

  /** A program in the place of kustomize. */
  const script = async (body: string): Promise<{ path: string; remove: () => Promise<void> }> => {
    const directory = await mkdtemp(join(tmpdir(), 'kustomize-stand-in-'));
    const path = join(directory, 'kustomize');
    await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o700 });
    return { path, remove: () => rm(directory, { recursive: true }) };
  };

  it('and says so when there is none', async () => {
    const error = await buildWith({ kustomizeBinary: 'no-such-kustomize' });
    expect(error).to.be.instanceOf(RetryableError);
    expect(error.message).to.equal(
      'kustomize cannot be started: no-such-kustomize is not on the PATH',
    );
  });

  it('no longer than the time limit, children included', async () => {
    const stub = await script('/bin/sleep 60 & wait');
    const error = await buildWith({ kustomizeBinary: stub.path, timeout: milliseconds(1500) });
    expect(error).to.be.instanceOf(TerminalError);
    expect(error.message).to.equal('kustomize did not finish within 1.5 s; make it smaller');
    await stub.remove();
  });

  it('and takes no more than the bound from it', async () => {
    const stub = await script('while :; do echo "0123456789012345678901234567890"; done');
    const error = await buildWith({ kustomizeBinary: stub.path, maxOutputBytes: 100_000 });
    expect(error.message).to.equal('kustomize produced more than 100000 bytes; split the stage');
    await stub.remove();
  });

  it('and ends it when the caller gives up', async () => {
    const stub = await script('/bin/sleep 60');
    const caller = new AbortController();
    const failing = buildWith({ kustomizeBinary: stub.path }, caller.signal);
    setTimeout(() => caller.abort(new Error('the StageSet is gone')), 500);
    expect((await failing).message).to.equal('the StageSet is gone');
    await stub.remove();
  });

  it('in an empty environment and a private directory', async () => {
    const output = 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: a}\\ndata:\\n';
    const stub = await script(
      `printf '${output}'; printf '  path: "%s"\\n  home: "%s"\\n  secret: "%s"\\n' "$PATH" "$HOME" "$STAGESET_SECRET"; printf '  modes: "%s"\\n' "$(/usr/bin/stat -c %a . a.yaml "$HOME" | /usr/bin/tr '\\n' ' ')"`,
    );
    process.env['STAGESET_SECRET'] = 'secret';
    const other = new Builder({ temporaryDirectory, kustomizeBinary: stub.path });
    const { objects } = await other.build(filesOf(texts), { path: undefined, signal });
    delete process.env['STAGESET_SECRET'];
    await other.close();
    await stub.remove();
    const data = objects[0]?.['data'] as Record<string, string>;
    expect(data).to.include({ path: '', secret: '', modes: '700 600 700 ' });
    expect(data['home']).to.match(new RegExp(`^${temporaryDirectory}/`));
    await expectGone(data['home'] ?? '');
  });

  const expectGone = async (path: string): Promise<void> => {
    expect(await failureOf(stat(path))).to.include({ code: 'ENOENT' });
  };
});
