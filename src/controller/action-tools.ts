import type { ActionTools } from '../actions/action-context.ts';
import type { ExpressionEvaluator } from '../apply/expression-evaluator.ts';
import { RetryableError } from '../core/errors.ts';
import { type ApplyOptions, applyForAction, lookForAction } from './apply-action.ts';
import { ownerOf } from './owner.ts';
import { type RenderOptions, renderAction } from './render-action.ts';
import type { ActionPlace } from './stage-at.ts';

export interface ActionToolsOptions extends RenderOptions, ApplyOptions {
  readonly expressions: ExpressionEvaluator;
}

/** What other parts of the controller do for the actions of a stage, as the stage's account. */
export function actionTools(at: ActionPlace, options: ActionToolsOptions): ActionTools {
  return {
    render: async (action, call) => await renderAction(at, action, options, call),
    apply: async (objects, call) => await applyForAction(at, objects, options, call),
    look: async (health, call) => await lookForAction(at, health, options, call),
    evaluate: async (expression, object, call) => {
      const { namespace } = ownerOf(at.stageSet);
      const { expressions } = options;
      const result = await expressions.evaluate(expression, object, namespace, call.signal);
      if (result.kind === 'Error') throw new RetryableError(`expression: ${result.message}`);
      return result.value;
    },
  };
}
