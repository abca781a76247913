import { TerminalError } from '../core/errors.ts';
import { describeObject } from '../core/objects/identity.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { Migration } from '../types/stages.ts';

/**
 * What goes over to a worker or back at once. Copying takes time on the main thread, and copying all
 * at once would stop it: these bounds keep one portion at a few milliseconds.
 */
const filesPerPortion = 500;
const bytesPerPortion = 512 * 1024;
const objectsPerPortion = 100;
/** Migrations are many small things, which take longer than their bytes. */
const migrationBytesPerPortion = 64 * 1024;

/** Largest request that an API server takes (`MaxRequestBodyBytes`); no larger object can exist. */
const maxObjectBytes = 3 * 1024 * 1024;

/** Files in portions of bounded number and size. */
export function* filePortions(
  files: ReadonlyMap<string, Uint8Array>,
): Generator<(readonly [string, Uint8Array])[]> {
  let portion: (readonly [string, Uint8Array])[] = [];
  let bytes = 0;
  for (const [path, content] of files) {
    portion.push([path, content]);
    bytes += content.byteLength;
    if (portion.length < filesPerPortion && bytes < bytesPerPortion) continue;
    yield portion;
    portion = [];
    bytes = 0;
  }
  if (portion.length > 0) yield portion;
}

/**
 * The next objects from an index on, one at least where there is one.
 *
 * @throws TerminalError for an object that is too large for any API server.
 */
export function portionOf(objects: readonly KubernetesObject[], from: number): KubernetesObject[] {
  const portion: KubernetesObject[] = [];
  let bytes = 0;
  for (const object of objects.slice(from, from + objectsPerPortion)) {
    const size = JSON.stringify(object).length;
    if (size > maxObjectBytes) {
      throw new TerminalError(
        `${describeObject(object)} has ${size} bytes; an API server takes ${maxObjectBytes} at most`,
        { reason: 'StageFailed' },
      );
    }
    bytes += size;
    if (portion.length > 0 && bytes > bytesPerPortion) break;
    portion.push(object);
  }
  return portion;
}

/** The next migrations from an index on, whose sizes were checked; one at least where there is one. */
export function migrationPortionOf(ladder: readonly Migration[], from: number): Migration[] {
  const portion: Migration[] = [];
  let bytes = 0;
  for (const migration of ladder.slice(from)) {
    bytes += JSON.stringify(migration).length;
    if (portion.length > 0 && bytes > migrationBytesPerPortion) break;
    portion.push(migration);
  }
  return portion;
}
