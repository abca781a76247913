import type { SourceObservation } from '../core/snapshot.ts';
import type { ProposedRevision } from '../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { StageSetSpec } from '../types/stages.ts';

/**
 * What the sources say, but for stages of which the question supposes another artifact. One that is
 * told by its address needs the digest too: nothing is built that nobody can check.
 */
export function supposed(
  observed: readonly SourceObservation[],
  { stages }: StageSetSpec,
  revisions: Readonly<Record<string, ProposedRevision>>,
): SourceObservation[] {
  return observed.map((source, index) => {
    const proposed = revisions[stages[index]?.name ?? ''];
    if (proposed === undefined || proposed.sourceRef !== undefined) return source;
    const { url, digest, revision = '' } = proposed;
    if (url === undefined || digest === undefined) {
      const message =
        `the revision for stage ${stages[index]?.name ?? ''} needs either a sourceRef, or a url ` +
        'and a digest such as sha256:<hex>';
      return { kind: 'Unavailable', reason: 'InvalidSpec', message };
    }
    const name = source.kind === 'Ready' ? source.artifact.source : '';
    const artifact = { source: name, url, digest, revision: revision === '' ? digest : revision };
    return { kind: 'Ready', artifact };
  });
}
