import type { ActionContext } from '../../src/actions/action-context.ts';
import { HttpActions, type HttpActionsOptions } from '../../src/actions/http.ts';
import type { Action, HttpAction } from '../../src/types/stages.ts';
import type { FileServer } from './file-server.ts';

/** What the tenant's Secret `token` has, as the API server would answer. */
export const secretValue = 'canary-of-an-http-action';

/** An action without anything in a cluster but one Secret: what is attacked is the way to the server. */
export function contextOf(http: HttpAction): { context: ActionContext; told: string[] } {
  const told: string[] = [];
  const action: Action = { name: 'call', http };
  const find = async (): Promise<object> =>
    await Promise.resolve({
      data: {
        Authorization: Buffer.from(`${secretValue}\n`).toString('base64'),
        Host: Buffer.from('elsewhere').toString('base64'),
        Expect: Buffer.from('100-continue').toString('base64'),
        'Idempotency-Key': Buffer.from('mine').toString('base64'),
        Split: Buffer.from('a\r\nX-Other: b').toString('base64'),
      },
    });
  const context = {
    client: { find },
    stageSet: { namespace: 'team', name: 'shop', uid: 'uid' },
    stage: 'dev',
    action,
    revision: 'v1',
    idempotencyKey: 'key-of-the-run',
    onSecretValue: (value: string) => told.push(value),
  };
  return { context: context as unknown as ActionContext, told };
}

export async function outcomeOf(
  http: HttpAction,
  options: Partial<HttpActionsOptions>,
): Promise<unknown> {
  const actions = new HttpActions({ allowedHosts: [], ...options });
  try {
    return await actions.call(contextOf(http).context, http, {
      signal: AbortSignal.timeout(60_000),
    });
  } catch (error) {
    return error;
  } finally {
    await actions.stop();
  }
}

export function exempt({ port }: FileServer): HttpActionsOptions['exempt'] {
  return [{ host: '127.0.0.1', port }];
}
