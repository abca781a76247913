import type { Attempt } from '../core/actions/attempt.ts';
import { type PatchBody, readPatch } from '../core/actions/patch-text.ts';
import { RetryableError, TerminalError } from '../core/errors.ts';
import { selectorText } from '../core/objects/label-selector.ts';
import { ApiError, isNotFound } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { objectError } from '../kubernetes/object-error.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { Patch } from '../kubernetes/writes.ts';
import type { ObjectReference } from '../types/kubernetes.ts';
import type { PatchAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';
import { fieldManager } from './field-manager.ts';
import { apiVersionFor } from './target.ts';

/** Objects that one action may change. */
const mostMatches = 500;

/** Patches under way at once; the client bounds what one server gets in all. */
const inFlight = 4;

/**
 * Patches one object, or all that a selector finds in a namespace (part A 7.3), as the tenant. Nothing
 * that matches is a success; a named object that is missing is none.
 */
export async function attemptPatch(
  context: ActionContext,
  action: PatchAction,
  call: CallOptions,
): Promise<Attempt> {
  const body = readPatch(action);
  const { client } = context;
  const { kind, name = '', selector, namespace: elsewhere = '' } = action.target;
  const namespace = elsewhere === '' ? context.stageSet.namespace : elsewhere;
  if ((name === '') === (selector === undefined)) {
    throw new TerminalError('the target needs either a name or a selector', {
      reason: 'InvalidSpec',
    });
  }
  const place = { kind, namespace };
  const apiVersion = await apiVersionFor(action.target, client, call).catch((error: unknown) => {
    throw objectError(
      'patch',
      { ...place, apiVersion: action.target.apiVersion ?? '', name },
      error,
    );
  });
  const patcher = new Patcher(client, body);
  if (selector === undefined) {
    await patcher.patch({ ...place, apiVersion, name }, 'MustExist', call);
    return { kind: 'Done' };
  }
  const labelSelector = selectorText(selector);
  if (labelSelector === '') {
    throw new TerminalError(
      'the selector of the target has no requirement, so that it would match everything: name labels',
      { reason: 'InvalidSpec' },
    );
  }
  const matches = await matching({ ...place, apiVersion }, labelSelector, client, call);
  await eachOf(matches, async (match) => await patcher.patch(match, 'MayBeGone', call));
  return { kind: 'Done' };
}

/** @throws TerminalError when they are too many. */
async function matching(
  { apiVersion, kind, namespace }: Omit<Required<ObjectReference>, 'name'>,
  labelSelector: string,
  client: KubernetesClient,
  call: CallOptions,
): Promise<ObjectReference[]> {
  const query = { apiVersion, kind, namespace, labelSelector, as: 'Metadata' } as const;
  const pageSize = mostMatches + 1;
  const page = await client.page({ ...query, pageSize }, call).catch((error: unknown) => {
    throw objectError('list', { apiVersion, kind, namespace, name: `(${labelSelector})` }, error);
  });
  if (page.items.length > mostMatches || page.continueToken !== undefined) {
    throw new TerminalError(
      `more than ${mostMatches} objects of kind ${kind} in ${namespace} match the selector ` +
        `(${labelSelector}): narrow it, or split the action`,
    );
  }
  return page.items.map(({ metadata }) => {
    const { name, namespace: place } = metadata;
    return { apiVersion, kind, name, ...(place === undefined ? {} : { namespace: place }) };
  });
}

/** Runs `work` for all, a few at a time; after the first failure nothing more is begun. */
async function eachOf<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (const item of queue) {
      if (failures.length > 0) return;
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
}

/** Sends one patch to objects of one kind, in the format that the kind takes. */
class Patcher {
  readonly #client: KubernetesClient;
  readonly #body: PatchBody;
  /** Built-in kinds know how their lists are merged; custom resources know no such thing. */
  #merge: Patch['type'] = 'Strategic';

  constructor(client: KubernetesClient, body: PatchBody) {
    this.#client = client;
    this.#body = body;
  }

  async patch(
    object: ObjectReference,
    absence: 'MustExist' | 'MayBeGone',
    call: CallOptions,
  ): Promise<void> {
    try {
      await this.#send(object, call);
    } catch (error) {
      if (!isNotFound(error)) throw objectError('patch', object, error);
      if (absence === 'MayBeGone') return;
      const missing = new RetryableError('there is no such object', { object, cause: error });
      throw objectError('patch', object, missing);
    }
  }

  async #send(object: ObjectReference, call: CallOptions): Promise<void> {
    const { type, body } = this.#body;
    if (type === 'json6902') {
      await this.#client.patch(object, { type: 'Json', body, fieldManager }, call);
      return;
    }
    const merge = this.#merge;
    try {
      await this.#client.patch(object, { type: merge, body, fieldManager }, call);
    } catch (error) {
      if (merge === 'Merge' || !isUnsupportedFormat(error)) throw error;
      this.#merge = 'Merge';
      await this.#client.patch(object, { type: 'Merge', body, fieldManager }, call);
    }
  }
}

function isUnsupportedFormat(error: unknown): boolean {
  return error instanceof ApiError && error.code === 415;
}
