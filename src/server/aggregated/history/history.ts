import { isAskedFor, pageOf } from '../../../core/history/history-query.ts';
import { historyText } from '../../../core/history/history-text.ts';
import type { Clock } from '../../../core/time.ts';
import type { KubernetesClient } from '../../../kubernetes/client.ts';
import type { StageHistory } from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { ContinueTokens } from '../continue-token.ts';
import { groupVersion } from '../group.ts';
import { limitOf } from '../limit.ts';
import { callFor, Records } from '../records.ts';
import type { ApiAnswer, ApiRequest, ApiResource, Handler } from '../resource.ts';
import { StatusError } from '../status-error.ts';
import { identityOf, namedBy } from '../subject.ts';
import { filterOf, filtersAsGiven, refuseWatch, runLimits, wantsText } from './query.ts';
import { storedRun } from './stored-run.ts';
import { historyTable } from './table.ts';

export interface HistoryOptions {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly tokens: Pick<ContinueTokens, 'issue' | 'read'>;
}

/** `stagesets/history`: the runs of a StageSet, the newest first. */
export function historyResource(options: HistoryOptions): ApiResource {
  return {
    name: 'stagesets/history',
    kind: 'StageHistory',
    singularName: '',
    namespaced: true,
    handlers: { get: historyOf(options) },
  };
}

/** The runs of one StageSet, as both resources that have them answer. */
export function historyOf({ client, clock, tokens }: HistoryOptions): Handler {
  const records = new Records(client);
  return async (request: ApiRequest): Promise<ApiAnswer> => {
    const { query } = request;
    refuseWatch(query);
    const named = namedBy(request);
    const { namespace, name } = named;
    const now = clock();
    const limit = limitOf(query, runLimits);
    const filter = filterOf(query, now);
    const asText = wantsText(query);
    const call = callFor(request);
    const object = await records.stageSet(namespace, name, call);
    const { uid } = object.metadata;
    const scope = ['history', namespace, name, uid ?? '', filtersAsGiven(query)];
    const before = sequenceIn(tokens.read(scope, query.get('continue')));
    const all = await records.runs(object, call);
    const asked = all.filter((run) => isAskedFor(run, filter));
    const { runs, remaining } = pageOf(asked, limit, before);
    const last = runs.at(-1)?.spec?.sequence;
    const more =
      remaining === 0 || last === undefined
        ? {}
        : { continue: tokens.issue(scope, last), remainingItemCount: remaining };
    const metadata = { ...identityOf(object, named), ...more };
    const history: StageHistory = {
      apiVersion: groupVersion,
      kind: 'StageHistory',
      metadata,
      items: runs.map((run) => storedRun(run, named)),
    };
    const table = historyTable(runs, now, {
      resourceVersion: object.metadata.resourceVersion ?? '',
      ...more,
    });
    if (!asText) return { object: history, table };
    return { object: history, table, text: historyText({ ...named, remaining }, runs, now) };
  };
}

/** A token has the number of the last run that was shown: what is newer by now moves nothing. */
function sequenceIn(position: unknown): number | undefined {
  if (position === undefined || typeof position === 'number') return position;
  throw StatusError.badRequest('continue key is not valid: start again without it');
}
