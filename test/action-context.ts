import type { ActionContext, ActionTools } from '../src/actions/action-context.ts';
import type { KubernetesClient } from '../src/kubernetes/client.ts';
import type { Action } from '../src/types/stages.ts';
import type { TestNamespace } from './test-namespace.ts';

/** What an action of a StageSet in this namespace is done with; each tool that is not given fails. */
export function actionContext(
  shop: TestNamespace,
  client: KubernetesClient,
  action: Action,
  tools: Partial<ActionTools> = {},
): ActionContext {
  const missing = async (): Promise<never> => {
    await Promise.reject(new Error('This test has no such tool'));
    throw new Error('unreachable');
  };
  return {
    client,
    stageSet: { namespace: shop.name, name: 'shop', uid: 'uid-of-the-stageset' },
    stage: 'app',
    action,
    revision: 'v1',
    idempotencyKey: 'key-1',
    onSecretValue: () => undefined,
    tools: { render: missing, apply: missing, look: missing, evaluate: missing, ...tools },
  };
}
