import type { Stage } from '../types/stages.ts';

/** What a stage is rendered from besides its artifact, as far as it can change. */
export interface RenderInputs {
  /** Generation of the StageSet: path, patches and all else that the spec says. */
  readonly generation: number;
  /** Of the substituted variables, whose values are elsewhere than in the spec. */
  readonly fingerprint: string;
}

/**
 * Whether what an unchanged revision has to write now can only be drift (part A 5.4). A stage that is
 * rendered from something else writes what nobody has touched. `before` is undefined where nobody
 * remembers it; that tells nothing of a stage with variables.
 */
export function rendersAsBefore(
  before: RenderInputs | undefined,
  now: RenderInputs,
  { postBuild }: Pick<Stage, 'postBuild'>,
): boolean {
  if (before === undefined) return postBuild === undefined;
  return before.generation === now.generation && before.fingerprint === now.fingerprint;
}
