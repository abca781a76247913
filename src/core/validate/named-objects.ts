import type { SourceReference } from '../../types/stages.ts';
import { sourceRoute } from '../objects/source-artifact.ts';
import { shapeOf } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';

/** What stands before the first, if any, is a group. */
const apiVersionPattern = /^([a-z0-9.-]{1,253}\/)?[a-z][a-z0-9]{0,62}$/;

/** What is wrong with how a spec names an object; a missing apiVersion means the usual one. */
export function identityProblems(
  path: string,
  { apiVersion, ...names }: { apiVersion?: string | undefined; kind: string; name?: string },
): FieldProblem[] {
  const empty = Object.entries(names)
    .filter(([, value]) => value === '')
    .map(([field]) => ({ path: `${path}.${field}`, message: 'is empty' }));
  if (apiVersion === undefined || apiVersion === '' || apiVersionPattern.test(apiVersion)) {
    return empty;
  }
  const message = `is ${shapeOf(apiVersion)} that is no apiVersion; give one such as "apps/v1" or "v1"`;
  return [{ path: `${path}.apiVersion`, message }, ...empty];
}

/** What is wrong with a reference that leads to no source (part A 9.4, rule 2). */
export function sourceReferenceProblems(path: string, sourceRef: SourceReference): FieldProblem[] {
  if (sourceRef.name === '') return [{ path: `${path}.name`, message: 'is empty; name a source' }];
  const route = sourceRoute(sourceRef, '');
  return route.kind === 'Invalid' ? [{ path: `${path}.apiVersion`, message: route.message }] : [];
}
