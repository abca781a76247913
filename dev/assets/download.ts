import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { EnvHttpProxyAgent, fetch, type Response } from 'undici';
import { parse } from 'yaml';
import type { Progress } from '../progress.ts';
import { type Binary, envtestBinaries, platform } from './binaries.ts';

/** The official list of envtest archives, kept by kubebuilder's controller-tools. */
const releaseIndex =
  'https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml';

// Short, so that a machine without a way out goes on to the build at once.
const connectTimeout = 3_000;
const indexTimeout = 10_000;
const archiveTimeout = 600_000;
const archiveLimit = 500 * 1024 * 1024;

export interface DownloadOptions {
  /** Kubernetes version, `v1.36.3`. */
  version: string;
  wanted: readonly Binary[];
  /** Empty directory on the same file system as `into`, ours alone. */
  scratch: string;
  into: string;
  progress: Progress;
  signal?: AbortSignal;
  /** Where the list of archives is; the official one unless a test says otherwise. */
  index?: string;
}

interface Archive {
  version: string;
  url: string;
  /** SHA-512, hexadecimal. */
  hash: string;
}

/**
 * Puts what an envtest archive has of `wanted` into `into`, after its SHA-512 was compared with the
 * release index. The exact version is taken, or else the newest patch of the same minor version.
 *
 * @throws Error when the index or the archive cannot be had or does not match its checksum
 */
export async function downloadEnvtest(options: DownloadOptions): Promise<void> {
  const dispatcher = new EnvHttpProxyAgent({ connect: { timeout: connectTimeout } });
  try {
    const get = async (url: string, timeout: number): Promise<Response> => {
      const deadline = AbortSignal.timeout(timeout);
      const signal =
        options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
      const response = await fetch(url, { dispatcher, signal });
      if (!response.ok) {
        throw new Error(`${url}: answered ${response.status}`);
      }
      return response;
    };
    const index = await get(options.index ?? releaseIndex, indexTimeout);
    const archive = chooseArchive(await index.text(), options.version);
    options.progress(`download of the envtest archive ${archive.version}`);
    const file = join(options.scratch, 'envtest.tar.gz');
    await save(await get(archive.url, archiveTimeout), archive, file);
    await unpack(file, options);
  } finally {
    await dispatcher.destroy();
  }
}

/**
 * The archive of this platform for `version`, or for the newest patch of its minor version.
 *
 * @param index text of envtest-releases.yaml: `releases: {VERSION: {ARCHIVE: {hash, selfLink}}}`
 * @throws Error when there is none, or the index has another shape
 */
export function chooseArchive(index: string, version: string): Archive {
  const { os, arch } = platform();
  const releases = field(parse(index), 'releases');
  const minor = version.split('.').slice(0, 2).join('.');
  const patches = Object.keys(isRecord(releases) ? releases : {})
    .filter((key) => key.startsWith(`${minor}.`) && /^v\d+\.\d+\.\d+$/.test(key))
    .sort((left, right) => Number(right.split('.')[2]) - Number(left.split('.')[2]));
  for (const candidate of [version, ...patches]) {
    const entry = field(field(releases, candidate), `envtest-${candidate}-${os}-${arch}.tar.gz`);
    const hash = field(entry, 'hash');
    const url = field(entry, 'selfLink');
    if (typeof hash === 'string' && typeof url === 'string') {
      return { version: candidate, url, hash };
    }
  }
  throw new Error(`no envtest archive of Kubernetes ${minor} for ${os}-${arch}`);
}

async function save(response: Response, archive: Archive, file: string): Promise<void> {
  if (response.body === null) {
    throw new Error(`${archive.url}: answered without a body`);
  }
  const hash = createHash('sha512');
  let size = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(
        size > archiveLimit ? new Error(`${archive.url}: over ${archiveLimit} bytes`) : null,
        chunk,
      );
    },
  });
  await pipeline(response.body, measure, createWriteStream(file));
  if (hash.digest('hex') !== archive.hash.toLowerCase()) {
    throw new Error(`${archive.url}: SHA-512 is not the one of the release index; not used`);
  }
}

/** Only regular files with a wanted name leave the archive, under that name alone. */
async function unpack(file: string, options: DownloadOptions): Promise<void> {
  const entries = extract();
  const unzipped = pipeline(createReadStream(file), createGunzip(), entries);
  const unpacked = (async (): Promise<void> => {
    for await (const entry of entries) {
      const name = options.wanted
        .filter((binary) => envtestBinaries.includes(binary))
        .find((binary) => binary === basename(entry.header.name));
      if (name !== undefined && entry.header.type === 'file') {
        const fresh = join(options.scratch, name);
        await pipeline(entry, createWriteStream(fresh, { mode: 0o755 }));
        await rename(fresh, join(options.into, name));
      } else {
        entry.resume();
      }
    }
  })();
  await Promise.all([unzipped, unpacked]);
}

function field(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
