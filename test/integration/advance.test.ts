import { expect } from 'chai';
import {
  type AdvanceOptions,
  advanceResource,
} from '../../src/server/aggregated/advance/advance.ts';
import type { ApiAnswer } from '../../src/server/aggregated/resource.ts';
import type { StageAdvance } from '../../src/types/generated/subresources.stages.metio.wtf.v1.ts';
import { configMap } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';
import {
  type Ask,
  breakGlass,
  clock,
  failureOf,
  handlerOf,
  operator,
  type Person,
  requestOf,
  untilHeld,
  untilRuns,
  viewer,
} from './aggregated.ts';

describe('advance', () => {
  const stand = useController();

  async function held(
    promotion: Record<string, unknown>,
    next: Record<string, unknown> = {},
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('dev')]);
    await shop.publish('prod', 'v1', [configMap('prod')]);
    await shop.createStageSet([
      { name: 'dev', promotion },
      { name: 'prod', ...next },
    ]);
    await untilHeld(shop);
    return shop;
  }

  async function call(
    verb: 'get' | 'create' | 'update' | 'patch',
    shop: TestNamespace,
    person: Person,
    ask: Ask = {},
    options: Partial<AdvanceOptions> = {},
  ): Promise<ApiAnswer> {
    const resource = advanceResource({ client: stand.playground.client, clock, ...options });
    return await handlerOf(resource.handlers[verb])(requestOf(shop, person, ask));
  }

  async function pass(
    shop: TestNamespace,
    person: Person,
    spec: Record<string, unknown>,
    rest: Ask = {},
  ): Promise<StageAdvance> {
    const { object } = await call('create', shop, person, { body: { spec }, ...rest });
    return object;
  }

  async function look(shop: TestNamespace, person: Person): Promise<StageAdvance> {
    return (await call('get', shop, person)).object;
  }

  async function runIdOf(shop: TestNamespace): Promise<string> {
    return (await look(shop, viewer)).status?.runId ?? '';
  }

  async function advancesOf(shop: TestNamespace): Promise<unknown[]> {
    const runs = await untilRuns(shop, () => true);
    return runs.flatMap(({ status }) => status?.advances ?? []);
  }

  it('says which gates hold, what they need, and what of it the caller may pass', async () => {
    const shop = await held({ soak: '1h', requireManualPromotion: true });
    const allowed = async (person: Person): Promise<string[]> => {
      const { status } = await look(shop, person);
      const holds = status?.stages?.[0]?.holds ?? [];
      return holds.map((hold) => `${hold.gate} ${hold.needs?.split(' ')[0]} ${hold.allowed}`);
    };
    expect(await allowed(viewer)).to.deep.equal([
      'Soak override false',
      'ManualPromotion create false',
    ]);
    expect(await allowed(operator)).to.deep.equal([
      'Soak override false',
      'ManualPromotion create true',
    ]);
    expect(await allowed(breakGlass)).to.deep.equal([
      'Soak override true',
      'ManualPromotion create true',
    ]);

    const { object, table } = await call('get', shop, operator);
    const [run] = await untilRuns(shop, () => true);
    const { metadata, status } = object as StageAdvance;
    expect(status).to.deep.include({ runId: run?.spec?.runId, phase: 'Held' });
    expect(status?.stages?.[1]).to.deep.include({ name: 'prod', phase: 'Pending', holds: [] });
    expect(metadata).to.include({ name: 'shop', namespace: shop.name });
    expect(metadata?.uid).to.be.a('string');
    expect(table?.rows.map(({ cells }) => [cells[0], cells[2], cells[4]])).to.deep.equal([
      ['dev', 'Soak,ManualPromotion', 'ManualPromotion'],
      ['prod', '<none>', '<none>'],
    ]);
  });

  it('is on record before the answer, and the controller goes on within a second', async () => {
    const shop = await held({ requireManualPromotion: true });
    const runId = await runIdOf(shop);
    const answer = await pass(shop, operator, { stage: 'dev', runId, reason: 'looks good' });
    const answered = Date.now();
    expect(await advancesOf(shop)).to.deep.equal([
      {
        at: answer.status?.recorded?.at,
        user: 'olga',
        uid: 'uid-of-olga',
        groups: ['system:authenticated'],
        stage: 'dev',
        gate: 'ManualPromotion',
        override: false,
        reason: 'looks good',
        via: 'API',
      },
    ]);
    await shop.untilStageSet(
      ({ status }) => status?.stages?.[0]?.promotionState?.phase === 'Promoted',
    );
    expect(Date.now() - answered).to.be.below(1000);
    await shop.untilReady('v1');
    const [run] = await untilRuns(shop, ([only]) => only?.status?.phase === 'Succeeded');
    expect(run?.status?.advances).to.have.length(1);
    expect(run?.status?.stages?.[0]?.gates?.[0]).to.include({ releasedBy: 'Person' });
  });

  it('passes a soak that still runs for those only who may override, and say why', async () => {
    const shop = await held({ soak: '1h' });
    const runId = await runIdOf(shop);
    const spec = { stage: 'dev', gate: 'Soak', runId };
    const plain = await failureOf(call('create', shop, breakGlass, { body: { spec } }));
    expect(plain).to.include({ code: 422, reason: 'Invalid' });
    expect(plain.details?.causes?.[0]).to.include({ field: 'spec.override' });

    const silent = { spec: { ...spec, override: true } };
    const unexplained = await failureOf(call('create', shop, breakGlass, { body: silent }));
    expect(unexplained.code).to.equal(422);
    expect(unexplained.details?.causes?.[0]).to.include({ field: 'spec.reason' });

    const body = { spec: { ...spec, override: true, reason: 'hotfix' } };
    const denied = await failureOf(call('patch', shop, operator, { body }));
    expect(denied.code).to.equal(403);
    expect(denied.message).to.equal(
      'stagesets.subresources.stages.metio.wtf "shop" is forbidden: User "olga" cannot override ' +
        'resource "stagesets/advance" in API group "subresources.stages.metio.wtf" in the ' +
        `namespace "${shop.name}"`,
    );
    expect(await advancesOf(shop)).to.deep.equal([]);

    const { object } = await call('update', shop, breakGlass, { body });
    expect((object as StageAdvance).status?.recorded).to.deep.include({
      user: 'bert',
      gate: 'Soak',
      override: true,
      reason: 'hotfix',
    });
    await shop.untilReady('v1');
  });

  it('says the same to the same request, also when the run has gone on', async () => {
    const shop = await held({ requireManualPromotion: true });
    const runId = await runIdOf(shop);
    const spec = { stage: 'dev', runId };
    const answers = await Promise.all([1, 2, 3].map(async () => await pass(shop, operator, spec)));
    await shop.untilReady('v1');
    answers.push(await pass(shop, operator, spec));
    const recorded = answers.map(({ status }) => status?.recorded);
    expect(new Set(recorded.map((one) => JSON.stringify(one))).size).to.equal(1);
    expect(recorded[0]).to.include({ user: 'olga', gate: 'ManualPromotion' });
    expect(await advancesOf(shop)).to.have.length(1);
  });

  it('attack 18: two advances that race (one wins, and the other is told who was first, StageAdvance)', async () => {
    const promotion = { requireManualPromotion: true };
    // The run is not over when the second one is judged, however late that is.
    const shop = await held(promotion, { promotion });
    const runId = await runIdOf(shop);
    const body = { spec: { stage: 'dev', runId } };
    const outcomes = await Promise.allSettled([
      call('create', shop, operator, { body }),
      call('create', shop, breakGlass, { body }),
    ]);
    const [winner] = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const [loser] = outcomes.flatMap((one) =>
      one.status === 'rejected' ? [one.reason as unknown] : [],
    );
    const user = (winner?.object as StageAdvance).status?.recorded?.user ?? '';
    expect(loser).to.include({ code: 422, reason: 'Invalid' });
    expect(String(loser)).to.include(`passed by ${user}`);
    expect(await advancesOf(shop)).to.have.length(1);
  });

  it('attack 17: an advance replayed on a newer run (it is bound to its run, StageAdvance)', async () => {
    const shop = await held({ requireManualPromotion: true });
    const runId = await runIdOf(shop);
    const body = { spec: { stage: 'dev', runId } };
    await call('create', shop, operator, { body });
    await shop.untilReady('v1');
    await shop.publish('dev', 'v2', [configMap('dev', { release: 'v2' })]);
    const newest = await untilHeld(shop, 2);
    const replayed = await failureOf(call('create', shop, operator, { body }));
    expect(replayed).to.include({ code: 409, reason: 'Conflict' });
    expect(replayed.details?.causes).to.deep.equal([
      { reason: 'MovedOn', field: 'spec.runId', message: newest.spec?.runId },
    ]);
    const other = { spec: { stage: 'dev', runId: newest.spec?.runId, revision: 'v1' } };
    const outdated = await failureOf(call('create', shop, operator, { body: other }));
    expect(outdated.code).to.equal(409);
    expect(outdated.details?.causes?.[0]).to.include({ field: 'spec.revision', message: 'v2' });
    const [, second] = await untilRuns(shop, () => true);
    expect(second?.status).to.include({ phase: 'Held' });
    expect(second?.status?.advances ?? []).to.deep.equal([]);
  });

  it('checks all and records nothing in a dry run', async () => {
    const shop = await held({ requireManualPromotion: true });
    const runId = await runIdOf(shop);
    const body = { spec: { stage: 'dev', runId } };
    const { object } = await call('create', shop, operator, { body, dryRun: true });
    const { status } = object as StageAdvance;
    expect(status?.recorded).to.include({ user: 'olga', gate: 'ManualPromotion' });
    expect(status?.stages?.[0]?.holds).to.deep.equal([]);
    const outdated = { body: { spec: { stage: 'dev', runId: 'another' } }, dryRun: true };
    expect((await failureOf(call('create', shop, operator, outdated))).code).to.equal(409);
    expect(await advancesOf(shop)).to.deep.equal([]);
    expect((await look(shop, viewer)).status?.stages?.[0]?.holds).to.have.length(1);
  });

  it('compares the plan that the caller looked at, where there are plans', async () => {
    const shop = await held({ requireManualPromotion: true });
    const runId = await runIdOf(shop);
    const body = { spec: { stage: 'dev', runId, planDigest: 'sha256:old' } };
    const without = await failureOf(call('create', shop, operator, { body }));
    expect(without.code).to.equal(422);
    const options = { planDigestOf: async () => await Promise.resolve('sha256:new') };
    const { object } = await call('get', shop, operator, {}, options);
    expect((object as StageAdvance).status?.planDigest).to.equal('sha256:new');
    const other = await failureOf(call('create', shop, operator, { body }, options));
    expect(other.code).to.equal(409);
    expect(other.details?.causes?.[0]).to.include({ field: 'spec.planDigest' });
    const same = { spec: { stage: 'dev', runId, planDigest: 'sha256:new' } };
    await call('create', shop, operator, { body: same }, options);
    await shop.untilReady('v1');
  });

  it('attack 58: asking advance for a StageSet that is not there (404 only to those who may ask, StageAdvance)', async () => {
    const shop = await stand.namespace();
    const ask = { name: 'nothing', body: { spec: { stage: 'dev', runId: 'r' } } };
    expect((await failureOf(call('get', shop, viewer, ask))).code).to.equal(404);
    expect((await failureOf(call('create', shop, operator, ask))).code).to.equal(404);
    const blind = { user: 'bob', verbs: ['create'] };
    const refused = await failureOf(call('create', shop, blind, ask));
    expect(refused.code).to.equal(403);
    expect(refused.message).to.include('cannot get resource "stagesets/advance"');
  });

  it('attack 57: an advance for a StageSet that was created anew (it means the uid that is named, StageAdvance)', async () => {
    const shop = await held({ requireManualPromotion: true });
    const runId = await runIdOf(shop);
    const body = { metadata: { uid: 'of-another' }, spec: { stage: 'dev', runId } };
    const refused = await failureOf(call('update', shop, operator, { body }));
    expect(refused.code).to.equal(409);
    expect(await advancesOf(shop)).to.deep.equal([]);
  });
});
