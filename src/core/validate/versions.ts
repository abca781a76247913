import type { StageSetSpec, VersionSource } from '../../types/stages.ts';
import { parseJsonPathTemplate } from '../objects/json-path.ts';
import { isProblem } from '../problem.ts';
import { notVersion } from '../version/ladder.ts';
import { parseVersion } from '../version/semver.ts';
import { cut } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';

/** What is wrong with `spec.version` by itself (part A 9.4, rule 8). */
export function versionProblems({ version }: StageSetSpec): FieldProblem[] {
  if (version === undefined) return [];
  const set = sources.filter((source) => version[source] !== undefined && version[source] !== '');
  if (set.length === 1) return [];
  const found = set.length === 0 ? 'none is set' : `set are ${set.join(' and ')}`;
  const message = `must have exactly one of value, fromObject and fromArtifact; ${found}`;
  return [{ path: 'spec.version', message }];
}

const sources = [
  'value',
  'fromObject',
  'fromArtifact',
] as const satisfies readonly (keyof VersionSource)[];

/**
 * Versions that could never be read. A StageSet that is stored with one is `InvalidVersion`, which says
 * the same and hinders nobody from suspending it.
 */
export function unreadableVersions({ stages, version }: StageSetSpec): FieldProblem[] {
  const { value = '', fromObject, fromArtifact } = version ?? {};
  const problems: FieldProblem[] = [];
  if (value !== '' && parseVersion(value.trim()) === undefined) {
    problems.push({ path: 'spec.version.value', message: notVersion(value) });
  }
  for (const [field, source] of Object.entries({ fromObject, fromArtifact })) {
    const stage = source?.stage ?? '';
    if (stage === '' || stages.some(({ name }) => name === stage)) continue;
    const message = `is ${cut(stage)}, and no stage is called so`;
    problems.push({ path: `spec.version.${field}.stage`, message });
  }
  if (fromArtifact?.stage === '') {
    problems.push({ path: 'spec.version.fromArtifact.stage', message: 'is empty; name a stage' });
  }
  const path = parseJsonPathTemplate(fromObject?.fieldPath ?? '');
  if (isProblem(path)) {
    problems.push({ path: 'spec.version.fromObject.fieldPath', message: path.problem });
  }
  return problems;
}
