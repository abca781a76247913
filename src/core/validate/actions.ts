import type { Action, StageSetSpec } from '../../types/stages.ts';
import { type Hook, stageHooks, typeOf } from '../actions/action.ts';
import { actionTypeProblems } from './action-types.ts';
import { cut } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';

/** Actions of one stage or list: each is a line in the status and in each run's record. */
const mostActions = 100;

/** Characters; each run's record has the name. */
const longestName = 253;

/** An action and the list that it is in. */
interface Located {
  readonly at: string;
  readonly hook: Hook | 'onRollback' | 'migration';
  readonly action: Action;
}

/** Specs that were checked, as long as somebody holds them: they are asked about at each look. */
const checked = new WeakMap<StageSetSpec, readonly FieldProblem[]>();

/** Actions that could never be done as they are meant (part A 9.4, rules 3 to 6). */
export function actionProblems(spec: StageSetSpec): readonly FieldProblem[] {
  const known = checked.get(spec);
  if (known !== undefined) return known;
  const problems = [...spec.stages.keys()].flatMap((stage) => stageProblems(spec, stage));
  const rollback = located('spec.onRollback', 'onRollback', spec.onRollback);
  problems.push(...listProblems(spec, rollback, 'spec.onRollback'));
  checked.set(spec, problems);
  return problems;
}

/** All actions of a spec with their paths: those of stages, of migrations, and `onRollback`. */
export function locatedActions(spec: StageSetSpec): Located[] {
  const { migrations = [], onRollback, stages } = spec;
  return [
    ...[...stages.keys()].flatMap((stage) => actionsOfStage(spec, stage)),
    ...migrations.flatMap(({ actions, down }, index) => [
      ...located(`spec.migrations[${index}].actions`, 'migration', actions),
      ...located(`spec.migrations[${index}].down`, 'migration', down),
    ]),
    ...located('spec.onRollback', 'onRollback', onRollback),
  ];
}

function stageProblems(spec: StageSetSpec, stage: number): FieldProblem[] {
  return listProblems(spec, actionsOfStage(spec, stage), `spec.stages[${stage}].actions`);
}

function actionsOfStage({ stages }: StageSetSpec, stage: number): Located[] {
  return stageHooks.flatMap((hook) =>
    located(`spec.stages[${stage}].actions.${hook}`, hook, stages[stage]?.actions?.[hook]),
  );
}

function located(path: string, hook: Located['hook'], actions: readonly Action[] = []): Located[] {
  return actions.map((action, index) => ({ at: `${path}[${index}]`, hook, action }));
}

/** The names of these actions share one ledger. */
function listProblems(
  spec: StageSetSpec,
  actions: readonly Located[],
  path: string,
): FieldProblem[] {
  if (actions.length > mostActions) {
    const message = `are ${actions.length} actions; at most ${mostActions} are allowed`;
    return [{ path, message }];
  }
  const seen = new Map<string, string>();
  return actions.flatMap((each) => {
    const { at, action } = each;
    const first = seen.get(action.name);
    if (first === undefined) seen.set(action.name, at);
    return [
      ...nameProblems(at, action.name, first),
      ...scopeProblems(spec, each),
      ...typeProblems(at, action),
    ];
  });
}

/** @param first the action that has the same name already */
export function nameProblems(at: string, name: string, first: string | undefined): FieldProblem[] {
  const path = `${at}.name`;
  if (name.trim() === '') return [{ path, message: 'is empty; give the action a name' }];
  if (name.length > longestName) {
    const message = `has ${name.length} characters; at most ${longestName} are allowed`;
    return [{ path, message }];
  }
  if (first === undefined) return [];
  const message = `is ${cut(name)}, which ${first} is called already; give it another name`;
  return [{ path, message }];
}

function scopeProblems(spec: StageSetSpec, { at, hook, action }: Located): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const repeats = hook === 'pre' || hook === 'post';
  if (action.scope !== undefined && !repeats) {
    const message = `belongs to pre and post actions only; those of ${hook} have none`;
    problems.push({ path: `${at}.scope`, message });
  } else if (action.scope === 'Version' && spec.version === undefined) {
    const message = 'is Version, and the StageSet has no spec.version; set it, or another scope';
    problems.push({ path: `${at}.scope`, message });
  }
  if (action.completionAnchor === undefined) return problems;
  if (!repeats || action.scope !== 'Lifetime') {
    const message = 'belongs to pre and post actions with scope: Lifetime only';
    problems.push({ path: `${at}.completionAnchor`, message });
  }
  for (const [field, value] of Object.entries(action.completionAnchor)) {
    if (value !== '') continue;
    problems.push({ path: `${at}.completionAnchor.${field}`, message: 'is empty' });
  }
  return problems;
}

export function typeProblems(at: string, action: Action): FieldProblem[] {
  if (typeOf(action) !== undefined) return actionTypeProblems(at, action);
  const message =
    'must say exactly one thing to do: one of job, http, wait, patch, delete and apply';
  return [{ path: at, message }];
}
