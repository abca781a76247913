import { randomBytes } from 'node:crypto';
import { instant } from '../../src/core/time.ts';
import { parseStageRun } from '../../src/core/validate/schema.ts';
import { ContinueTokens } from '../../src/server/aggregated/continue-token.ts';
import type { ApiAnswer, ApiRequest, Handler } from '../../src/server/aggregated/resource.ts';
import { StatusError } from '../../src/server/aggregated/status-error.ts';
import { type StageRun, stagesApiVersion } from '../../src/types/stages.ts';
import type { TestNamespace } from '../test-namespace.ts';

/** Somebody who calls the API, and the verbs that they have on the resource. */
export interface Person {
  readonly user: string;
  readonly verbs: readonly string[];
  /** Names of Secrets that they may read. */
  readonly secrets?: readonly string[];
}

export const viewer: Person = { user: 'vera', verbs: ['get'] };
export const operator: Person = { user: 'olga', verbs: ['get', 'create', 'update', 'patch'] };
export const breakGlass: Person = { user: 'bert', verbs: [...operator.verbs, 'override'] };

export const clock = (): ReturnType<typeof instant> => instant(Date.now());

const key = randomBytes(32);
export const tokens = new ContinueTokens({ key: () => key, clock });

/** What a request asks beyond who makes it; about StageSet `shop` unless it says otherwise. */
export interface Ask {
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
  readonly query?: string;
  readonly body?: unknown;
  readonly dryRun?: boolean;
}

/** A request as the server hands it over, once it is authenticated and authorized. */
export function requestOf(
  shop: TestNamespace,
  { user, verbs, secrets = [] }: Person,
  ask: Ask = {},
): ApiRequest {
  const { query = '', body, dryRun = false } = ask;
  return {
    caller: { user, uid: `uid-of-${user}`, groups: ['system:authenticated'], extra: {} },
    namespace: 'namespace' in ask ? ask.namespace : shop.name,
    name: 'name' in ask ? ask.name : 'shop',
    query: new URLSearchParams(query),
    body,
    dryRun,
    signal: AbortSignal.timeout(30_000),
    may: async (verb) => await Promise.resolve(verbs.includes(verb)),
    mayGetSecret: async (name) => await Promise.resolve(secrets.includes(name)),
  };
}

/** The handler of a resource that is known to have it. */
export function handlerOf(handler: Handler | undefined): Handler {
  if (handler === undefined) throw new Error('the resource does not have this verb');
  return handler;
}

/** The failure that a call is answered with. */
export async function failureOf(answer: Promise<ApiAnswer>): Promise<StatusError> {
  try {
    const { object } = await answer;
    throw new Error(`no failure: ${JSON.stringify(object)}`);
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
}

/** The records of the namespace, the oldest first, once `judge` says yes. */
export async function untilRuns(
  shop: TestNamespace,
  judge: (runs: readonly StageRun[]) => boolean,
): Promise<StageRun[]> {
  const read = (objects: Iterable<unknown>): StageRun[] =>
    [...objects]
      .flatMap((object) => {
        const parsed = parseStageRun(object);
        return parsed.ok ? [parsed.value] : [];
      })
      .sort((one, other) => (one.spec?.sequence ?? 0) - (other.spec?.sequence ?? 0));
  const kind = { apiVersion: stagesApiVersion, kind: 'StageRun' };
  const found = await shop.untilCollection(kind, (objects) => judge(read(objects.values())));
  return read(found.values());
}

/** The newest record, once it is held. */
export async function untilHeld(shop: TestNamespace, sequence = 1): Promise<StageRun> {
  const runs = await untilRuns(
    shop,
    (all) => all.length === sequence && all.at(-1)?.status?.phase === 'Held',
  );
  const newest = runs.at(-1);
  if (newest === undefined) throw new Error('there is a run');
  return newest;
}
