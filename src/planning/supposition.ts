import type { SourceObservation } from '../core/snapshot.ts';
import type { ProposedRevision } from '../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { StageSetSpec } from '../types/stages.ts';

/**
 * What the sources say, but for stages of which the question supposes another artifact. One that is
 * told by its address needs the digest too: nothing is built that nobody can check. And it must be
 * another artifact of the stage's own source, beside the one that the source offers: the controller
 * reaches addresses, and artifacts of other tenants, that whoever asks does not.
 */
export function supposed(
  observed: readonly SourceObservation[],
  { stages }: StageSetSpec,
  revisions: Readonly<Record<string, ProposedRevision>>,
): SourceObservation[] {
  // Own members only: a stage may be called `constructor`.
  const byStage = new Map(Object.entries(revisions));
  return observed.map((source, index) => {
    const stage = stages[index]?.name ?? '';
    const proposed = byStage.get(stage);
    if (proposed === undefined || proposed.sourceRef !== undefined) return source;
    const { url, digest, revision = '' } = proposed;
    if (url === undefined || digest === undefined) {
      return invalid(
        `the revision for stage ${stage} needs either a sourceRef, or a url and a digest such as ` +
          'sha256:<hex>',
      );
    }
    // A source that cannot be used says so by itself, and nothing is known of where it keeps what.
    if (source.kind !== 'Ready') return source;
    if (!isBeside(url, source.artifact.url)) {
      return invalid(
        `the url of the revision for stage ${stage} is not beside the artifact that the stage's ` +
          'source offers now: take the url of another artifact of that source, or name another ' +
          'source by sourceRef',
      );
    }
    const { source: name } = source.artifact;
    const artifact = { source: name, url, digest, revision: revision === '' ? digest : revision };
    return { kind: 'Ready', artifact };
  });
}

function invalid(message: string): SourceObservation {
  return { kind: 'Unavailable', reason: 'InvalidSpec', message };
}

/**
 * Whether a URL differs from another in the name of its file alone. Flux keeps the artifacts of one
 * source in a directory of their own.
 */
function isBeside(text: string, known: string): boolean {
  if (!URL.canParse(text) || !URL.canParse(known)) return false;
  const [url, other] = [new URL(text), new URL(known)];
  const [directory, file] = splitPath(url);
  // With any other character it could be a way out of the directory for some server.
  const plain = /^[\w-][\w.:-]*$/.test(file) && url.search === '' && url.hash === '';
  const open = url.username === '' && url.password === '';
  return plain && open && url.origin === other.origin && directory === splitPath(other)[0];
}

function splitPath({ pathname }: URL): [directory: string, file: string] {
  const end = pathname.lastIndexOf('/') + 1;
  return [pathname.slice(0, end), pathname.slice(end)];
}
