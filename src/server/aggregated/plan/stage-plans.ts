import { humanDuration } from '../../../core/human-duration.ts';
import { between, type Clock, instant } from '../../../core/time.ts';
import type { StagePlanStatus } from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import { stagesApiVersion } from '../../../types/stages.ts';
import { groupVersion } from '../group.ts';
import { limitOf } from '../limit.ts';
import type { ApiAnswer, ApiRequest, ApiResource } from '../resource.ts';
import { StatusError } from '../status-error.ts';
import { answered } from '../upstream.ts';
import { answer, type PlanOptions, stagePlan } from './plan.ts';
import { planListTable } from './plan-tables.ts';

export interface StagePlansOptions extends PlanOptions {
  readonly clock: Clock;
}

/** StageSets in one answer. */
const limits = { usual: 500, largest: 500 };

/** Plans of one list that are made at the same time: it must leave room for others. */
const atOnce = 4;

/** `stageplans`: the plans of all StageSets, without dry-runs; the names are those of the StageSets. */
export function stagePlansResource(options: StagePlansOptions): ApiResource {
  return {
    name: 'stageplans',
    kind: 'StagePlan',
    singularName: 'stageplan',
    namespaced: true,
    handlers: {
      get: async (request) => await answer(request, {}, options),
      list: async (request) => await list(request, options),
    },
  };
}

/** Pages are those of the StageSets themselves: their token is the API server's own. */
async function list(
  { caller: { user }, namespace, query, signal }: ApiRequest,
  { client, clock, planning, tokens }: StagePlansOptions,
): Promise<ApiAnswer> {
  const scope = namespace === undefined ? {} : { namespace };
  // The API server's own token, within ours: it must not lead into another namespace.
  const within = ['stageplans', namespace];
  const token = tokens.read(within, query.get('continue'));
  const page = await answered(
    client.page(
      {
        apiVersion: stagesApiVersion,
        kind: 'StageSet',
        ...scope,
        pageSize: limitOf(query, limits),
        ...(typeof token === 'string' ? { continueToken: token } : {}),
      },
      { signal },
    ),
  );
  const plans = await inLanes(page.items, async (object) => {
    const asked = { object, suppose: {}, stages: undefined, dryRun: 'None', user } as const;
    const plan = answered(planning.plan(asked, { signal }));
    return stagePlan(object, await plan.catch((error: unknown) => untold(error, signal)));
  });
  const metadata = {
    resourceVersion: page.resourceVersion,
    ...(page.continueToken === undefined
      ? {}
      : { continue: tokens.issue(within, page.continueToken) }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  const now = clock();
  const ageOf = (created: string | undefined): string =>
    created === undefined ? '<unknown>' : humanDuration(between(instant(Date.parse(created)), now));
  return {
    object: { apiVersion: groupVersion, kind: 'StagePlanList', metadata, items: plans },
    table: planListTable(plans, metadata, ageOf),
  };
}

/**
 * One StageSet of which no plan can be made must not hide the plans of all others.
 * @throws the error where it is about all of them
 */
function untold(error: unknown, signal: AbortSignal): StagePlanStatus {
  signal.throwIfAborted();
  if (error instanceof StatusError) throw error;
  const message = 'No plan could be made: ask for the one of this StageSet by its name';
  return { digest: '', verdict: 'Blocked', message, holds: [], stages: [] };
}

async function inLanes<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Map<number, Result>();
  const queue = items.entries();
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) results.set(index, await work(item));
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return items.flatMap((_, index) => results.get(index) ?? []);
}
