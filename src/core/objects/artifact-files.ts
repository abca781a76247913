/**
 * The files of an unpacked artifact: content by path. Paths are relative, use `/`, and are clean: no
 * empty, `.` or `..` segment. Whoever makes one checks that; whoever gets one may rely on it.
 */
export type ArtifactFiles = ReadonlyMap<string, Uint8Array>;

/** Bytes of content, as caches and limits count them. */
export function contentSize(files: ArtifactFiles): number {
  let size = 0;
  for (const content of files.values()) size += content.byteLength;
  return size;
}
