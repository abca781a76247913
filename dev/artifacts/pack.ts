import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack as createPack } from 'tar-stream';

const compress = promisify(gzip);

/** A packed artifact: the bytes to serve and what a Flux source says about them. */
export interface PackedArtifact {
  readonly bytes: Buffer;
  /** `sha256:<hex>` over `bytes`. */
  readonly digest: string;
}

/** Files of an artifact by their path inside it. */
export type ArtifactContent = Readonly<Record<string, string | Uint8Array>>;

/** Packs files the way Flux does: a gzip-compressed tar with stable metadata, so digests are stable. */
export async function packFiles(files: ArtifactContent): Promise<PackedArtifact> {
  const pack = createPack();
  const epoch = new Date(0);
  for (const name of Object.keys(files).sort()) {
    pack.entry({ name, mtime: epoch, mode: 0o644 }, Buffer.from(files[name] ?? ''));
  }
  pack.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of pack) chunks.push(chunk as Uint8Array);
  return packBytes(await compress(Buffer.concat(chunks)));
}

/** An artifact of bytes as they are, hostile ones included. */
export function packBytes(bytes: Buffer): PackedArtifact {
  return { bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
}

/** All files below a directory, by their path relative to it. */
export async function readDirectory(directory: string): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files[relative(directory, path).split(sep).join('/')] = await readFile(path);
  }
  return files;
}
