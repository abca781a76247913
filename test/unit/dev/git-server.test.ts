import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { git } from '../../../dev/flux/git.ts';
import { GitServer } from '../../../dev/flux/git-server.ts';
import { WorkingCopy } from '../../../dev/flux/working-copy.ts';

describe('the Git server of the tests with a real Flux', () => {
  let server: GitServer;
  let directory: string;

  beforeEach(async () => {
    server = await GitServer.start();
    directory = await mkdtemp(join(tmpdir(), 'stageset-git-test-'));
  });

  afterEach(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  it('takes a push, and gives it to the next clone', async () => {
    const url = await server.create('shop');
    const copy = await WorkingCopy.clone(url);
    const first = await copy.push({ 'one/a.yaml': 'first', 'two/b.yaml': 'first' });
    const second = await copy.push({ 'one/a.yaml': 'second' });
    expect(first).to.match(/^main@sha1:[0-9a-f]{40}$/);
    expect(second).not.to.equal(first);

    await git(directory, ['clone', '--quiet', url, '.']);
    expect(`main@sha1:${await git(directory, ['rev-parse', 'HEAD'])}`).to.equal(second);
    expect(await readFile(join(directory, 'one/a.yaml'), 'utf8')).to.equal('second');
    expect(await git(directory, ['ls-files'])).to.equal('one/a.yaml');
    await copy.remove();
  });

  it('takes a push that is larger than what Git sends in one piece', async () => {
    const url = await server.create('large');
    const copy = await WorkingCopy.clone(url);
    // Digits of a product, so that nothing of it can be compressed away.
    let state = 1;
    const text = Array.from({ length: 400_000 }, () => {
      state = (state * 48_271) % 2_147_483_647;
      return state.toString(36);
    }).join('\n');
    await copy.push({ 'large.txt': text });
    await git(directory, ['clone', '--quiet', url, '.']);
    expect(await readFile(join(directory, 'large.txt'), 'utf8')).to.equal(text);
    await copy.remove();
  });

  it('has no repository that nobody created', async () => {
    const failure = await git(directory, ['clone', '--quiet', `${server.url}/none.git`, '.']).then(
      () => 'no failure',
      String,
    );
    expect(failure).to.match(/^Error: git clone failed: .*not found/s);
  });
});
