import type {
  StageHistory,
  StageHistoryList,
} from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../../types/kubernetes.ts';
import type { StageRun } from '../../../types/stages.ts';
import { groupVersion } from '../group.ts';
import { limitOf } from '../limit.ts';
import { callFor, Records } from '../records.ts';
import type { ApiAnswer, ApiRequest, ApiResource } from '../resource.ts';
import { StatusError } from '../status-error.ts';
import { identityOf } from '../subject.ts';
import { type HistoryOptions, historyOf } from './history.ts';
import { refuseWatch } from './query.ts';
import { storedRun } from './stored-run.ts';
import { newestRunsTable } from './table.ts';

/** Clients that ask for no limit may expect everything: as much as is allowed. */
const limits = { usual: 200, largest: 200 };

/** Records that are read at the same time for one request. */
const mostAtOnce = 8;

/** `stagehistories`: the newest run of each StageSet, and the history of one. */
export function historiesResource(options: HistoryOptions): ApiResource {
  return {
    name: 'stagehistories',
    kind: 'StageHistory',
    singularName: 'stagehistory',
    namespaced: true,
    handlers: {
      get: historyOf(options),
      list: async (request) => await newestRuns(request, options),
    },
  };
}

interface Entry {
  readonly object: KubernetesObject;
  readonly run: StageRun | undefined;
}

async function newestRuns(
  request: ApiRequest,
  { client, clock, tokens }: HistoryOptions,
): Promise<ApiAnswer> {
  const { namespace, query } = request;
  refuseWatch(query);
  const records = new Records(client);
  const limit = limitOf(query, limits);
  const scope = ['stagehistories', namespace ?? ''];
  const token = tokenIn(tokens.read(scope, query.get('continue')));
  const call = callFor(request);
  const page = await records.page(namespace, limit, token, call);
  const entries = await inOrder(page.items, async (object) => ({
    object,
    run: await records.newest(object, call),
  }));
  const { continueToken, remaining, resourceVersion } = page;
  const metadata = {
    resourceVersion,
    ...(continueToken === undefined ? {} : { continue: tokens.issue(scope, continueToken) }),
    ...(continueToken === undefined || remaining === undefined
      ? {}
      : { remainingItemCount: remaining }),
  };
  const histories = entries.map((entry) => ({ object: historyOfNewest(entry), run: entry.run }));
  const list: StageHistoryList = {
    apiVersion: groupVersion,
    kind: 'StageHistoryList',
    metadata,
    items: histories.map(({ object }) => object),
  };
  return { object: list, table: newestRunsTable(histories, clock(), metadata) };
}

function historyOfNewest({ object, run }: Entry): StageHistory {
  const named = { namespace: object.metadata.namespace ?? '', name: object.metadata.name };
  return {
    apiVersion: groupVersion,
    kind: 'StageHistory',
    metadata: identityOf(object, named),
    items: run === undefined ? [] : [storedRun(run, named)],
  };
}

/** The results in the order of the items, with few of them under way at a time. */
async function inOrder<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let at = 0; at < items.length; at += mostAtOnce) {
    results.push(...(await Promise.all(items.slice(at, at + mostAtOnce).map(work))));
  }
  return results;
}

/** Our token holds the one of the API server that the StageSets are stored in. */
function tokenIn(position: unknown): string | undefined {
  if (position === undefined || typeof position === 'string') return position;
  throw StatusError.badRequest('continue key is not valid: start again without it');
}
