import type { StageSet } from '../../types/stages.ts';
import { compareVersions, parseVersion } from './semver.ts';

/** Takes a StageSet back to a lower version, and keeps it there until it is removed (part B 2.5). */
const rollbackToAnnotation = 'stages.metio.wtf/rollback-to';

export interface DesiredVersion {
  /** As it is written where it comes from. */
  readonly version: string;
  readonly from: 'Source' | 'RollbackTo';
}

/** What the annotation says; undefined where it is absent or no version, which asks for nothing. */
export function rollbackTo({ metadata }: Pick<StageSet, 'metadata'>): string | undefined {
  const text = metadata.annotations?.[rollbackToAnnotation]?.trim() ?? '';
  return parseVersion(text) === undefined ? undefined : text;
}

/**
 * The version to deliver: the lower one of what the source offers and `rollback-to`. As a ceiling the
 * directive still holds when it is reached, or the version that was left would be taken up again
 * (part B 2.5). What the source offers stands where it is no version: planning refuses it by name.
 */
export function desiredVersion({
  source,
  rollbackTo: ceiling,
}: {
  readonly source: string;
  readonly rollbackTo: string | undefined;
}): DesiredVersion {
  const [offered, most] = [parseVersion(source), parseVersion(ceiling ?? '')];
  const isCapped =
    offered !== undefined && most !== undefined && compareVersions(most, offered) < 0;
  return isCapped && ceiling !== undefined
    ? { version: ceiling, from: 'RollbackTo' }
    : { version: source, from: 'Source' };
}
