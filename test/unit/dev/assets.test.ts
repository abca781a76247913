import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  writeFile,
} from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { pack } from 'tar-stream';
import { binaries, pinnedVersions, platform } from '../../../dev/assets/binaries.ts';
import { cacheDirectory } from '../../../dev/assets/cache.ts';
import { chooseArchive, downloadEnvtest } from '../../../dev/assets/download.ts';
import { assetsDirectory } from '../../../dev/assets/locate.ts';

const { os, arch } = platform();

interface Listed {
  hash: string;
  selfLink: string;
}

/** Text of an envtest index with an archive of this platform for each version. */
function indexOf(archives: Record<string, Listed>): string {
  const releases: Record<string, Record<string, Listed>> = {};
  for (const [version, archive] of Object.entries(archives)) {
    releases[version] = { [`envtest-${version}-${os}-${arch}.tar.gz`]: archive };
  }
  return JSON.stringify({ releases });
}

async function failureOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no failure',
    (error: unknown) => String(error),
  );
}

async function archiveOf(files: Record<string, string>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of Object.entries(files)) {
    archive.entry({ name, mode: 0o644 }, content);
  }
  archive.finalize();
  return gzipSync(await buffer(archive));
}

describe('the binaries of a throwaway cluster', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'stageset-assets-'));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('are pinned by the go.mod files', async () => {
    expect(await pinnedVersions()).to.deep.equal({
      kubernetes: 'v1.36.3',
      etcd: 'v3.6.8',
      kustomize: 'v5.8.2',
    });
  });

  describe('by search', () => {
    const environment = { ...process.env };

    async function holds(folder: string, names: readonly string[]): Promise<string> {
      await mkdir(folder, { recursive: true });
      for (const name of names) {
        await writeFile(join(folder, name), '');
        await chmod(join(folder, name), 0o755);
      }
      return folder;
    }

    beforeEach(() => {
      process.env.XDG_CACHE_HOME = directory;
      delete process.env.KUBEBUILDER_ASSETS;
    });

    afterEach(() => {
      for (const name of ['XDG_CACHE_HOME', 'KUBEBUILDER_ASSETS']) {
        const before = environment[name];
        if (before === undefined) {
          Reflect.deleteProperty(process.env, name);
        } else {
          process.env[name] = before;
        }
      }
    });

    const pinned = `kubernetes-v1.36.3-etcd-v3.6.8-kustomize-v5.8.2-${os}-${arch}`;
    const untold = (): void => undefined;

    it('are those of KUBEBUILDER_ASSETS when all are there', async () => {
      const given = await holds(join(directory, 'given'), binaries);
      process.env.KUBEBUILDER_ASSETS = given;
      expect(await assetsDirectory(untold)).to.equal(given);
    });

    it('are those of the cache otherwise', async () => {
      const cached = join(directory, 'stageset-controller', 'assets', pinned);
      await holds(cached, binaries);
      expect(await assetsDirectory(untold)).to.equal(cached);
    });

    it('come together in one directory when KUBEBUILDER_ASSETS has only some', async () => {
      const given = await holds(join(directory, 'given'), ['kube-apiserver', 'etcd', 'kubectl']);
      const cached = join(directory, 'stageset-controller', 'assets', pinned);
      await holds(cached, ['kube-controller-manager', 'kustomize']);
      process.env.KUBEBUILDER_ASSETS = given;
      const assembled = await assetsDirectory(untold);
      const links = await Promise.all(
        binaries.map(async (binary) => readlink(join(assembled, binary))),
      );
      expect(links).to.deep.equal([
        join(given, 'kube-apiserver'),
        join(given, 'etcd'),
        join(cached, 'kube-controller-manager'),
        join(given, 'kubectl'),
        join(cached, 'kustomize'),
      ]);
      expect(await assetsDirectory(untold)).to.equal(assembled);
    });

    it('ignores a relative XDG_CACHE_HOME', () => {
      process.env.XDG_CACHE_HOME = 'relative';
      expect(cacheDirectory()).to.match(/^\/.*stageset-controller$/);
    });
  });

  describe('from an envtest archive', () => {
    const link = { hash: 'ab', selfLink: 'https://example.com/x' };

    it('are of the exact version when there is one', () => {
      const index = indexOf({ 'v1.36.2': link, 'v1.36.3': link, 'v1.36.4': link });
      expect(chooseArchive(index, 'v1.36.3').version).to.equal('v1.36.3');
    });

    it('are of the newest patch of the minor version otherwise', () => {
      const index = indexOf({
        'v1.35.0': link,
        'v1.36.2': link,
        'v1.36.10': link,
        'v1.36.11-rc.1': link,
        'v1.360.0': link,
      });
      expect(chooseArchive(index, 'v1.36.3').version).to.equal('v1.36.10');
    });

    it('are refused in words when the index has none, or another shape', () => {
      const none = `no envtest archive of Kubernetes v1.36 for ${os}-${arch}`;
      expect(() => chooseArchive(indexOf({ 'v1.35.0': link }), 'v1.36.3')).to.throw(none);
      expect(() => chooseArchive('releases: [1, 2]', 'v1.36.3')).to.throw(none);
    });

    describe('over HTTP', () => {
      let server: Server;
      let base: string;
      let archive: Buffer;
      let hash: string;

      beforeEach(async () => {
        archive = await archiveOf({
          'controller-tools/envtest/kubectl': 'the kubectl',
          'controller-tools/envtest/etcd': 'the etcd',
          '../../escape': 'evil',
        });
        hash = createHash('sha512').update(archive).digest('hex');
        server = createServer((request, response) => {
          const selfLink = `${base}/archive`;
          response.end(
            request.url === '/index' ? indexOf({ 'v1.36.3': { hash, selfLink } }) : archive,
          );
        });
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        const address = server.address();
        base = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
        await mkdir(join(directory, 'scratch'));
        await mkdir(join(directory, 'into'));
      });

      afterEach(() => {
        server.closeAllConnections();
        server.close();
      });

      async function download(): Promise<void> {
        await downloadEnvtest({
          version: 'v1.36.3',
          wanted: ['kube-apiserver', 'kubectl'],
          scratch: join(directory, 'scratch'),
          into: join(directory, 'into'),
          progress: () => undefined,
          index: `${base}/index`,
        });
      }

      it('are unpacked, only those that are wanted', async () => {
        await download();
        expect(await readdir(join(directory, 'into'))).to.deep.equal(['kubectl']);
        expect(await readFile(join(directory, 'into', 'kubectl'), 'utf8')).to.equal('the kubectl');
      });

      it('are not used when the checksum is another', async () => {
        hash = hash.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
        expect(await failureOf(download())).to.include(
          'SHA-512 is not the one of the release index',
        );
        expect(await readdir(join(directory, 'into'))).to.deep.equal([]);
      });

      it('are not used when the transfer is cut', async () => {
        archive = archive.subarray(0, archive.length - 10);
        expect(await failureOf(download())).to.include(
          'SHA-512 is not the one of the release index',
        );
      });
    });
  });
});
