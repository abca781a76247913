import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { run } from '../../dev/process/run.ts';
import { kustomizeBinary } from '../kustomize.ts';

const fixture = fileURLToPath(new URL('./fixtures/full-memory.ts', import.meta.url));

/** Runs in a mount namespace of its own, where a tmpfs of 64 KiB is at `$1`. */
const inSmallMemory =
  'mount -t tmpfs -o size=64k none "$1" && exec "$0" --import tsx "$2" "$1" "$3"';

/** Machines that lend nobody a mount namespace cannot have a full file system of their own. */
const canMount = await run('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', '/mnt']).then(
  ({ code }) => code === 0,
  () => false,
);

if (canMount) {
  describe('attack 109: an artifact whose decrypted files do not fit into memory (it is told what to enlarge, and leaves nothing, part A 10.1)', () => {
    let directory: string;
    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'stageset-full-'));
    });
    after(async () => {
      await rm(directory, { recursive: true });
    });

    it('fails its stage, and is tried again', async () => {
      const script = ['sh', '-c', inSmallMemory, process.execPath, directory, fixture];
      const { code, stdout, stderr } = await run('unshare', [
        '-Urm',
        ...script,
        await kustomizeBinary(),
      ]);
      expect(code, stderr).to.equal(0);
      expect(JSON.parse(stdout)).to.deep.equal({
        name: 'RetryableError',
        message:
          `no space is left in ${directory} for the files of the build; enlarge the volume that ` +
          'is mounted there, or split the stage',
        left: [],
      });
    });
  });
}
