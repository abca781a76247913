import type {
  Action,
  DeleteAction,
  HttpAction,
  PatchAction,
  WaitAction,
} from '../../types/stages.ts';
import { readPatch } from '../actions/patch-text.ts';
import { compileExpression } from '../cel/compile.ts';
import { positiveDuration } from '../duration.ts';
import { selectorText } from '../objects/label-selector.ts';
import type { FieldProblem } from './field-problem.ts';
import { identityProblems, sourceReferenceProblems } from './named-objects.ts';
import { urlProblem } from './urls.ts';

/** What is wrong with the one thing that an action does. */
export function actionTypeProblems(at: string, action: Action): FieldProblem[] {
  const { job, http, wait, patch, apply } = action;
  if (job !== undefined) return sourceReferenceProblems(`${at}.job.sourceRef`, job.sourceRef);
  if (apply !== undefined) {
    return sourceReferenceProblems(`${at}.apply.sourceRef`, apply.sourceRef);
  }
  if (http !== undefined) return httpProblems(`${at}.http`, http);
  if (wait !== undefined) return waitProblems(`${at}.wait`, wait);
  if (patch !== undefined) return patchProblems(`${at}.patch`, patch);
  const { target } = action.delete ?? {};
  return target === undefined ? [] : objectProblems(`${at}.delete.target`, target);
}

/** Where the host leads is checked when it is called; what can be told of the text is told here. */
function httpProblems(at: string, { url, bodyFrom, headersFrom = [] }: HttpAction): FieldProblem[] {
  const entries = [
    ...(bodyFrom === undefined ? [] : [[`${at}.bodyFrom`, bodyFrom] as const]),
    ...headersFrom.map((entry, index) => [`${at}.headersFrom[${index}]`, entry] as const),
  ];
  const keyless = entries.flatMap(([path, { name, key }]): FieldProblem[] => [
    ...(name === '' ? [{ path: `${path}.name`, message: 'is empty; name a Secret' }] : []),
    ...(key === undefined || key === ''
      ? [{ path: `${path}.key`, message: 'is missing; name a key of the Secret' }]
      : []),
  ]);
  const problem = urlProblem(url, 'headersFrom');
  return problem === undefined ? keyless : [{ path: `${at}.url`, message: problem }, ...keyless];
}

function waitProblems(at: string, wait: WaitAction): FieldProblem[] {
  const { duration, target, expr = '' } = wait;
  if (positiveDuration(duration) !== undefined) return [];
  if (expr === '') {
    const message = 'waits for nothing; set duration, or target and expr';
    return [{ path: at, message }];
  }
  const compiled = compileExpression(expr);
  return [
    ...(compiled.kind === 'Expression' ? [] : [{ path: `${at}.expr`, message: compiled.message }]),
    ...(target === undefined
      ? [{ path: `${at}.target`, message: 'is missing; name the object that expr speaks of' }]
      : objectProblems(`${at}.target`, target)),
  ];
}

function patchProblems(at: string, patch: PatchAction): FieldProblem[] {
  const { apiVersion, kind, name = '', selector } = patch.target;
  const problems = identityProblems(`${at}.target`, { apiVersion, kind });
  if ((name === '') === (selector === undefined)) {
    problems.push({ path: `${at}.target`, message: 'needs either a name or a selector' });
  } else if (selector !== undefined && selectorText(selector) === '') {
    const message = 'has no requirement and would match everything; name labels';
    problems.push({ path: `${at}.target.selector`, message });
  }
  try {
    readPatch(patch);
  } catch (error) {
    const message = error instanceof Error ? error.message : 'cannot be read';
    problems.push({ path: `${at}.patch`, message });
  }
  return problems;
}

function objectProblems(
  path: string,
  { apiVersion, kind, name }: DeleteAction['target'],
): FieldProblem[] {
  return identityProblems(path, { apiVersion, kind, name });
}
