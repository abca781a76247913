import { expect } from 'chai';
import { advanceResource } from '../../src/server/aggregated/advance/advance.ts';
import type { Gate, Hold } from '../../src/types/generated/subresources.stages.metio.wtf.v1.ts';
import type { PromotionState, StageSet } from '../../src/types/stages.ts';
import type { TestPlanner } from '../planning.ts';
import type { Stand } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';
import {
  breakGlass,
  clock,
  failureOf,
  handlerOf,
  operator,
  requestOf,
  untilRuns,
} from './aggregated.ts';

/** Flags of a controller that may read metrics from servers of the tests. */
export const flags = ['--log-level=debug', '--local-action-hosts=127.0.0.1'];

/** What the gates of a stage remember. */
export function gatesOf({ status }: StageSet, stage = 'dev'): PromotionState {
  return status?.stages?.find(({ name }) => name === stage)?.promotionState ?? {};
}

/** The StageSet once the gates of its stage are as `judge` wants them. */
export async function untilGates(
  shop: TestNamespace,
  judge: (state: PromotionState) => boolean,
  stage = 'dev',
): Promise<PromotionState> {
  return gatesOf(await shop.untilStageSet((seen) => judge(gatesOf(seen, stage))), stage);
}

/** The hold of one gate in a plan. */
export async function plannedHold(
  planning: TestPlanner,
  shop: TestNamespace,
  gate: Gate,
): Promise<Hold | undefined> {
  const { holds } = await planning.plan(shop);
  return holds.find((hold) => hold.gate === gate);
}

/**
 * Passes a gate through the API: refused to somebody without the verb `override`, granted to somebody
 * with it, and on record with who that was.
 */
export async function passByAdvance(
  { playground }: Stand,
  shop: TestNamespace,
  gate: Gate,
  stage = 'dev',
): Promise<void> {
  const resource = advanceResource({ client: playground.client, clock });
  const [run] = (await untilRuns(shop, (all) => all.at(-1)?.status?.phase === 'Held')).slice(-1);
  const runId = run?.spec?.runId;
  const body = { spec: { stage, gate, runId, override: true, reason: 'a hotfix' } };
  const create = handlerOf(resource.handlers.create);
  const refused = await failureOf(create(requestOf(shop, operator, { body })));
  expect(refused.code, refused.message).to.equal(403);
  expect(refused.message).to.include('cannot override resource "stagesets/advance"');
  await create(requestOf(shop, breakGlass, { body }));
  const runs = await untilRuns(shop, (all) =>
    all.some(({ status }) => (status?.advances ?? []).length > 0),
  );
  expect(runs.at(-1)?.status?.advances?.[0]).to.deep.include({
    user: 'bert',
    uid: 'uid-of-bert',
    stage,
    gate,
    override: true,
    reason: 'a hotfix',
    via: 'API',
  });
}
