import type { KubernetesClient } from '../../../kubernetes/client.ts';
import type {
  StagePlan,
  StagePlanSpec,
  StagePlanStatus,
} from '../../../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../../types/kubernetes.ts';
import type { ContinueTokens } from '../continue-token.ts';
import { groupVersion } from '../group.ts';
import { limitOf } from '../limit.ts';
import { callFor, Records } from '../records.ts';
import type { ApiAnswer, ApiRequest, ApiResource } from '../resource.ts';
import { StatusError } from '../status-error.ts';
import { identityOf, namedBy } from '../subject.ts';
import { answered } from '../upstream.ts';
import { changePage } from './change-pages.ts';
import { planTable, planText } from './plan-tables.ts';
import type { Planning } from './planning.ts';
import { supposedSecrets } from './supposed-secrets.ts';

export interface PlanOptions {
  /** Acts as the API server itself; used after authorization only. */
  readonly client: KubernetesClient;
  readonly planning: Planning;
  readonly tokens: ContinueTokens;
}

/** Changes in one answer. */
const limits = { usual: 1000, largest: 10_000 };

/** The caller's right to each is asked for. */
const mostSecrets = 50;

/** `stagesets/plan`: what the next run would do, or, by POST, what it would do if. */
export function planResource(options: PlanOptions): ApiResource {
  return {
    name: 'stagesets/plan',
    kind: 'StagePlan',
    singularName: '',
    namespaced: true,
    handlers: {
      get: async (request) => await answer(request, {}, options),
      create: async (request) => await answer(request, specOf(request.body), options),
    },
  };
}

/** What `get` of `stageplans` answers too. */
export async function answer(
  request: ApiRequest,
  suppose: StagePlanSpec,
  options: PlanOptions,
): Promise<ApiAnswer> {
  const { namespace, name } = namedBy(request);
  const object = await new Records(options.client).stageSet(namespace, name, callFor(request));
  await demandSecrets(request, object, suppose);
  const stages = wantedStages(request, object, suppose);
  const dryRun = request.query.get('diff') === 'false' ? 'None' : 'All';
  const { user } = request.caller;
  const asked = { object, suppose, stages, dryRun, user } as const;
  const whole = await answered(options.planning.plan(asked, { signal: request.signal }));
  const { status, continuation } = paged(whole, request, options.tokens);
  const plan = { ...stagePlan(object, status, continuation), spec: suppose };
  return {
    object: plan,
    table: planTable(plan),
    ...(request.query.get('output') === 'text' ? { text: planText(object, status) } : {}),
  };
}

/** @throws StatusError 403 for a Secret that the caller could read by the question, and may not. */
async function demandSecrets(
  { mayGetSecret, caller, namespace = '' }: ApiRequest,
  object: KubernetesObject,
  suppose: StagePlanSpec,
): Promise<void> {
  const names = supposedSecrets(object, suppose);
  if (names.length > mostSecrets) {
    throw StatusError.badRequest(
      `what is supposed takes values of more than ${mostSecrets} Secrets`,
    );
  }
  for (const name of names) {
    if (await mayGetSecret(name)) continue;
    throw StatusError.forbidden(
      { group: '', resource: 'secrets', name },
      `User ${JSON.stringify(caller.user)} cannot get resource "secrets" in API group "" in the ` +
        `namespace "${namespace}", and what is supposed takes values of it`,
    );
  }
}

/** A StagePlan under the identity of its StageSet. */
export function stagePlan(
  object: KubernetesObject,
  status: StagePlanStatus,
  continuation: Readonly<Record<string, unknown>> = {},
): StagePlan & KubernetesObject {
  const { name, namespace = '' } = object.metadata;
  const metadata = { ...identityOf(object, { namespace, name }), ...continuation };
  return { apiVersion: groupVersion, kind: 'StagePlan', metadata, spec: {}, status };
}

/** The body is valid by the contract, which says that its spec is one. */
function specOf(body: unknown): StagePlanSpec {
  return (body as StagePlan).spec ?? {};
}

/** @throws StatusError for a stage that the StageSet does not have. */
function wantedStages(
  { query }: ApiRequest,
  object: KubernetesObject,
  { proposed }: StagePlanSpec,
): readonly string[] | undefined {
  const wanted = query.getAll('stage').filter((name) => name !== '');
  if (wanted.length === 0) return undefined;
  const known = stageNames(proposed ?? object['spec']);
  for (const name of wanted) {
    if (known.includes(name)) continue;
    throw StatusError.badRequest(
      `there is no stage ${JSON.stringify(name)}; the StageSet has ${known.join(', ')}`,
    );
  }
  return wanted;
}

function stageNames(spec: unknown): string[] {
  const { stages } = (spec ?? {}) as { stages?: unknown };
  if (!Array.isArray(stages)) return [];
  return stages.flatMap((stage: unknown) => {
    const { name } = (stage ?? {}) as { name?: unknown };
    return typeof name === 'string' ? [name] : [];
  });
}

/** @throws StatusError for a limit that is no number, and a token of a plan that has changed. */
function paged(
  whole: StagePlanStatus,
  { namespace, name, query }: ApiRequest,
  tokens: ContinueTokens,
): { status: StagePlanStatus; continuation: Record<string, unknown> } {
  const scope = ['plan', namespace, name, query.getAll('stage'), query.get('diff')];
  const position = tokens.read(scope, query.get('continue'));
  const start = startOf(position, whole);
  const { status, next, remaining } = changePage(whole, start, limitOf(query, limits));
  if (next === undefined) return { status, continuation: {} };
  const token = tokens.issue(scope, { digest: whole.digest, start: next });
  return { status, continuation: { continue: token, remainingItemCount: remaining } };
}

function startOf(position: unknown, { digest }: StagePlanStatus): number {
  if (position === undefined) return 0;
  const { digest: before, start } = position as { digest: string; start: number };
  if (before === digest) return start;
  throw StatusError.expired('The plan has changed since the first page; ask without continue.');
}
