import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  makeTemporaryDirectory,
  sweepTemporaryDirectories,
} from '../../../src/kubernetes/temporary-directories.ts';

/** No process has it: the largest id of Linux is 2^22. */
const deadProcess = 2 ** 22 + 1;

describe('temporary directories', () => {
  let parent: string;

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'sweep-test-'));
  });
  afterEach(() => rm(parent, { recursive: true }));

  const leave = async (name: string, age: 'Old' | 'New'): Promise<void> => {
    const path = join(parent, name);
    await mkdir(path);
    await writeFile(join(path, 'secret.yaml'), 'secret');
    if (age === 'Old') await utimes(path, 1000, 1000);
  };

  it('are for their owner only, and named after their purpose and process', async () => {
    const path = await makeTemporaryDirectory(parent, 'build');
    expect((await stat(path)).mode & 0o777).to.equal(0o700);
    expect(await readdir(parent)).to.have.length(1);
    expect(path).to.match(new RegExp(`/stageset-build-${process.pid}-[A-Za-z0-9]{6}$`));
  });

  it('that a crash has left are removed, with all in them', async () => {
    await leave(`stageset-build-${deadProcess}-aaaaaa`, 'Old');
    await leave(`stageset-artifact-${deadProcess}-bbbbbb`, 'Old');
    // In a container every process has the same id.
    await leave(`stageset-build-${process.pid}-cccccc`, 'Old');
    expect(await sweepTemporaryDirectories(parent)).to.equal(3);
    expect(await readdir(parent)).to.deep.equal([]);
  });

  it('stay that are in use, or not ours', async () => {
    const used = [`stageset-build-${process.pid}-aaaaaa`, `stageset-build-${deadProcess}-bbbbbb`];
    for (const name of used) await leave(name, 'New');
    const others = [
      `stageset-build-${process.ppid}-cccccc`,
      'stageset-build-other',
      'stageset-other-1-dddddd',
      'artifact-eeeeee',
    ];
    for (const name of others) await leave(name, 'Old');
    expect(await sweepTemporaryDirectories(parent)).to.equal(0);
    expect(await readdir(parent)).to.have.members([...used, ...others]);
  });

  it('are not looked for where there is no such parent', async () => {
    expect(await sweepTemporaryDirectories(join(parent, 'nowhere'))).to.equal(0);
  });
});
