import { expect } from 'chai';
import { artifactOf } from '../../src/core/objects/source-artifact.ts';
import type { Planner } from '../../src/planning/planner.ts';
import { planResource } from '../../src/server/aggregated/plan/plan.ts';
import { stagePlansResource } from '../../src/server/aggregated/plan/stage-plans.ts';
import type { ApiAnswer } from '../../src/server/aggregated/resource.ts';
import type {
  Hold,
  StagePlanList,
  StagePlanStatus,
} from '../../src/types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { stagesApiVersion } from '../../src/types/stages.ts';
import { configMap } from '../objects.ts';
import { changesOf, TestPlanner } from '../planning.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';
import {
  type Ask,
  clock,
  failureOf,
  handlerOf,
  operator,
  type Person,
  requestOf,
  tokens,
  viewer,
} from './aggregated.ts';

describe('a plan', () => {
  const stand = useController();
  let planner: TestPlanner;

  before('start a planner', () => {
    planner = new TestPlanner(stand.playground);
  });
  after('stop the planner', async () => {
    await planner.close();
  });

  async function delivered(): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('web', 'v1', [configMap('web', { color: 'red' }), configMap('old')]);
    await shop.publish('api', 'v1', [configMap('api', { size: '1' })]);
    await shop.createStageSet(['web', 'api']);
    await shop.untilReady('v1');
    return shop;
  }

  it('of a StageSet that is delivered changes nothing', async () => {
    const shop = await delivered();
    const plan = await planner.plan(shop);
    expect(plan.verdict).to.equal('UpToDate');
    expect(plan.message).to.equal('Everything is as wanted: the next run changes nothing');
    expect(plan.stages.map(({ objects }) => objects.unchanged)).to.deep.equal([2, 1]);
    expect(plan.holds).to.deep.equal([]);
    const again = await planner.plan(shop);
    expect(again).to.deep.equal(plan);
  });

  it('shows what the revisions that are there would create, change and prune, and by which fields', async () => {
    const shop = await delivered();
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.publish('web', 'v2', [configMap('web', { color: 'blue' }), configMap('new')]);
    const plan = await planner.plan(shop);
    expect(changesOf(plan)).to.deep.equal({
      web: ['Create ConfigMap/new', 'Update ConfigMap/web', 'Prune ConfigMap/old'],
      api: [],
    });
    const [web] = plan.stages;
    const update = web?.changes?.find(({ verb }) => verb === 'Update');
    expect(update?.fields).to.deep.equal([{ path: 'data.color', from: 'red', to: 'blue' }]);
    expect(web).to.include({ currentRevision: 'v1', revision: 'v2', identity: 'controller' });
    expect(plan.verdict).to.equal('Blocked');
    expect(gatesOf(plan.holds)).to.deep.equal(['Suspended by Person']);
    expect(plan.holds[0]?.command).to.include('"suspend":false');
    expect(await shop.configMapNames()).to.deep.equal(['api', 'old', 'web']);
  });

  it('changes nothing in the cluster: no object, no status, no event', async () => {
    const shop = await delivered();
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.publish('web', 'v2', [configMap('web', { color: 'blue' })]);
    const before = await versionsOf(shop);
    await planner.plan(shop);
    expect(await versionsOf(shop)).to.deep.equal(before);
  });

  it('tells the gates of a stage, and what waits behind it', async () => {
    const shop = await stand.namespace();
    await shop.publish('web', 'v1', [configMap('web')]);
    await shop.publish('api', 'v1', [configMap('api')]);
    const gated = {
      name: 'web',
      sourceRef: { name: 'web' },
      promotion: { requireManualPromotion: true },
    };
    await shop.createStageSet([gated, 'api']);
    await shop.untilReason('AwaitingPromotion');
    const plan = await planner.plan(shop);
    expect(plan.verdict).to.equal('Blocked');
    expect(gatesOf(plan.holds)).to.deep.equal(['ManualPromotion by Person']);
    expect(plan.stages.map(({ verdict }) => verdict)).to.deep.equal(['Blocked', 'Blocked']);
    expect(changesOf(plan)).to.deep.equal({ web: [], api: ['Create ConfigMap/api'] });
    const behind = await planner.plan(shop, { stages: ['api'] });
    expect(behind.verdict).to.equal('Blocked');
    expect(behind.stages.map(({ name, verdict }) => [name, verdict])).to.deep.equal([
      ['api', 'Blocked'],
    ]);
    const stageSet = await shop.untilStageSet(() => true);
    const held = stageSet.status?.conditions?.find(({ type }) => type === 'Ready');
    expect(held?.message).to.include(plan.holds[0]?.reason ?? 'no reason');
  });

  it('says what would fail and why, in the stage where it would', async () => {
    const shop = await delivered();
    await shop.changeSpec({ suspend: true });
    await shop.publish('web', 'v2', [
      configMap('web', { color: 'blue' }),
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'Not_A_Name' } },
    ]);
    const plan = await planner.plan(shop);
    const conflict = plan.stages[0]?.changes?.find(({ verb }) => verb === 'Conflict');
    expect(conflict?.name).to.equal('Not_A_Name');
    expect(conflict?.error).to.include('metadata.name');
    expect(plan.stages[0]?.verdict).to.equal('Blocked');
  });

  it('never shows what a Secret holds', async () => {
    const shop = await stand.namespace();
    const secret = (password: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'login' },
      stringData: { password },
    });
    await shop.publish('web', 'v1', [secret('hunter-1234')]);
    await shop.createStageSet(['web']);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.publish('web', 'v2', [secret('hunter-5678')]);
    const plan = await planner.plan(shop);
    const fields = plan.stages[0]?.changes?.[0]?.fields;
    expect(fields).to.deep.equal([{ path: 'data.password', from: '***', to: '***' }]);
    const text = JSON.stringify(plan);
    for (const value of ['hunter', Buffer.from('hunter-1234').toString('base64').slice(0, 8)]) {
      expect(text).not.to.include(value);
    }
  });

  it('never shows a value of a Secret that is substituted into a manifest', async () => {
    const shop = await stand.namespace();
    const metadata = { name: 'creds', namespace: shop.name };
    const stringData = { PASSWORD: 'hunter-1234', PIN: '77' };
    await shop.client.create(
      { apiVersion: 'v1', kind: 'Secret', metadata, stringData },
      {},
      shop.call,
    );
    await shop.publish('web', 'v1', [configMap('web', { url: 'none', pin: 'none' })]);
    const postBuild = { substituteFrom: [{ kind: 'Secret', name: 'creds' }] };
    await shop.createStageSet([{ name: 'web', sourceRef: { name: 'web' }, postBuild }]);
    await shop.untilReady('v1');
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    const url = 'https://me:${PASSWORD}@db';
    await shop.publish('web', 'v2', [configMap('web', { url, pin: '"${PIN}"' })]);
    const plan = await planner.plan(shop);
    expect(JSON.stringify(plan)).not.to.include('hunter');
    // Not even parts: an expression could take a value apart.
    expect(plan.stages[0]?.changes?.[0]?.fields).to.deep.equal([
      { path: 'data.pin', from: '***', to: '***' },
      { path: 'data.url', from: '***', to: '***' },
    ]);
  });

  it('attack 24: a plan of what its tenant may not read (it reads as the tenant, part A 9.1)', async () => {
    const shop = await stand.namespace();
    const account = { apiVersion: 'v1', kind: 'ServiceAccount' };
    await shop.client.create(
      { ...account, metadata: { name: 'nobody', namespace: shop.name } },
      {},
      shop.call,
    );
    await shop.publish('web', 'v1', [configMap('web')]);
    await shop.createStageSet(['web'], { serviceAccountName: 'nobody', suspend: true });
    await shop.untilReason('Suspended');
    const plan = await planner.plan(shop);
    const [web] = plan.stages;
    expect(web?.identity).to.equal(`system:serviceaccount:${shop.name}:nobody`);
    expect(web?.verdict).to.equal('Blocked');
    expect(web?.changes?.[0]?.error).to.match(/nobody" cannot (get|patch) resource "configmaps"/);
  });

  it('attack 59: a plan that turns a Secret into something readable (it is built for those who may read it, StagePlan)', async () => {
    const shop = await stand.namespace();
    const postBuild = { substituteFrom: [{ kind: 'Secret', name: 'login' }] };
    await shop.createStageSet([{ name: 'web', postBuild }], { suspend: true });
    let plans = 0;
    const empty = { digest: '', verdict: 'UpToDate', message: '', holds: [], stages: [] } as const;
    const planning = {
      plan: async (): Promise<StagePlanStatus> => {
        plans += 1;
        return await Promise.resolve({ ...empty, holds: [], stages: [] });
      },
    };
    const { client } = shop;
    const { handlers } = planResource({ client, planning, tokens });
    const body = { spec: { revisions: { web: { sourceRef: { name: 'next' } } } } };
    const asked = async (person: Person, ask: Ask): Promise<ApiAnswer> =>
      await handlerOf(handlers[ask.body === undefined ? 'get' : 'create'])(
        requestOf(shop, person, ask),
      );
    const refused = await failureOf(asked(operator, { body }));
    expect(refused.code).to.equal(403);
    expect(refused.message).to.include('secrets "login" is forbidden: User "olga" cannot get');
    expect(plans).to.equal(0);
    await asked({ ...operator, secrets: ['login'] }, { body });
    await asked(viewer, {});
    expect(plans).to.equal(2);
  });

  it('says in which stage the tenant may not see what is to be pruned', async () => {
    const shop = await delivered();
    await shop.changeSpec({ serviceAccountName: 'nobody', suspend: true });
    await shop.untilReason('Suspended');
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'nobody' } };
    await shop.create(account);
    await shop.publish('web', 'v2', [configMap('web')]);
    const plan = await planner.plan(shop);
    expect(plan.stages[0]?.error).to.match(/old.*nobody" cannot get resource/);
    const stages = [{ name: 'api', sourceRef: { name: 'api' } }];
    await shop.changeSpec({ stages });
    const without = await planner.plan(shop);
    const removed = without.stages.find(({ name }) => name === 'web');
    expect(removed?.error).to.match(/old.*nobody" cannot get resource/);
    expect(removed?.verdict).to.equal('Blocked');
  });

  it('is listed for all, whatever is the matter with one of them', async () => {
    const shop = await delivered();
    const named = { name: 'x'.repeat(64), namespace: shop.name };
    const spec = { interval: '1h', stages: [{ name: 'web', sourceRef: { name: 'web' } }] };
    const stageSet = { apiVersion: stagesApiVersion, kind: 'StageSet', metadata: named, spec };
    await shop.client.create(stageSet, {}, shop.call);
    const planning = {
      plan: async (...asked: Parameters<Planner['plan']>): Promise<StagePlanStatus> => {
        if (asked[0].object.metadata.name === 'broken') throw new Error('cannot be planned');
        return await planner.planning.plan(...asked);
      },
    };
    await shop.client.create(
      { ...stageSet, metadata: { ...named, name: 'broken' } },
      {},
      shop.call,
    );
    const { handlers } = stagePlansResource({ client: shop.client, planning, tokens, clock });
    const listed = await handlerOf(handlers.list)(requestOf(shop, viewer, { name: undefined }));
    const { items } = listed.object as StagePlanList;
    const told = items.map(({ metadata, status }) => [metadata?.name, status?.verdict]);
    expect(told).to.deep.equal([
      ['broken', 'Blocked'],
      ['shop', 'UpToDate'],
      [named.name, 'Invalid'],
    ]);
  });

  it('attack 60: a plan of a spec with another ServiceAccount (it acts as those of the stored spec, StagePlan)', async () => {
    const shop = await delivered();
    const stages = [{ name: 'web', sourceRef: { name: 'web' } }];
    const proposed = { interval: '1h', serviceAccountName: 'powerful', stages };
    const plan = await planner.plan(shop, { suppose: { proposed } });
    expect(plan.verdict).to.equal('Invalid');
    expect(plan.message).to.include('powerful is no ServiceAccount of the stored spec');
    expect(plan.stages).to.deep.equal([]);
  });

  it('attack 61: a plan of a spec without a ServiceAccount (it does not act as the controller, StagePlan)', async () => {
    const shop = await stand.namespace();
    const account = { serviceAccountName: 'nobody' };
    await shop.createStageSet([{ name: 'web', ...account }], { suspend: true });
    await shop.untilReason('Suspended');
    const without = { interval: '1h', stages: [{ name: 'web', sourceRef: { name: 'web' } }] };
    const plan = await planner.plan(shop, { suppose: { proposed: without } });
    expect(plan.verdict).to.equal('Invalid');
    expect(plan.message).to.include('needs the serviceAccountName of the stored one');
    const pruning = {
      ...without,
      serviceAccountName: 'powerful',
      stages: [{ ...without.stages[0], ...account }],
    };
    const other = await planner.plan(shop, { suppose: { proposed: pruning } });
    expect(other.message).to.include('powerful is no ServiceAccount of the stored spec');
  });

  it('attack 62: a plan of a spec with a source of another namespace (it reads no other than the stored ones, StagePlan)', async () => {
    const [shop, neighbour] = [await delivered(), await stand.namespace()];
    await neighbour.publish('private', 'v1', [configMap('private')]);
    const sourceRef = { name: 'private', namespace: neighbour.name };
    const revised = await planner.plan(shop, { suppose: { revisions: { web: { sourceRef } } } });
    expect(revised.verdict).to.equal('Invalid');
    expect(revised.message).to.include(
      'spec.stages[0].sourceRef.namespace: a plan reads no source',
    );
    const proposed = { interval: '1h', stages: [{ name: 'web', sourceRef }] };
    const plan = await planner.plan(shop, { suppose: { proposed } });
    expect(plan.message).to.equal(revised.message);
  });

  it('attack 63: a plan of an artifact at an address of choice (it is beside that of the source, StagePlan)', async () => {
    const [shop, neighbour] = [await delivered(), await stand.namespace()];
    await neighbour.publish('private', 'v1', [configMap('private')]);
    const [source] = (
      await shop.client.list(
        {
          apiVersion: 'source.toolkit.fluxcd.io/v1',
          kind: 'ExternalArtifact',
          namespace: neighbour.name,
        },
        shop.call,
      )
    ).items;
    const { url, digest } = artifactIn(source);
    const plan = await planner.plan(shop, { suppose: { revisions: { web: { url, digest } } } });
    expect(JSON.stringify(plan)).to.include('is not beside the artifact');
    expect(changesOf(plan)['web'] ?? []).to.deep.equal([]);
  });

  it('answers what if: another spec, another artifact, one stage, no dry-runs', async () => {
    const shop = await delivered();
    const proposed = {
      interval: '1h',
      stages: [
        { name: 'api', sourceRef: { name: 'api' } },
        { name: 'web', sourceRef: { name: 'nowhere' } },
      ],
    };
    const missing = await planner.plan(shop, { suppose: { proposed } });
    expect(gatesOf(missing.holds)).to.deep.equal(['SourceNotReady by Repair']);

    const without = { interval: '1h', stages: [{ name: 'api', sourceRef: { name: 'api' } }] };
    const removed = await planner.plan(shop, { suppose: { proposed: without } });
    expect(changesOf(removed)).to.deep.equal({
      api: [],
      web: ['Prune ConfigMap/web', 'Prune ConfigMap/old'],
    });
    const invalid = await planner.plan(shop, { suppose: { proposed: { stages: [] } } });
    expect(invalid.verdict).to.equal('Invalid');
    expect(invalid.message).to.include('spec.stages');

    await shop.publish('next', 'v9', [configMap('web', { color: 'green' })]);
    const revisions = { web: { sourceRef: { name: 'next' } } };
    const other = await planner.plan(shop, { suppose: { revisions }, stages: ['web'] });
    expect(other.stages.map(({ name, revision }) => `${name} ${revision ?? ''}`)).to.deep.equal([
      'web v9',
    ]);
    expect(changesOf(other)['web']).to.deep.equal(['Update ConfigMap/web', 'Prune ConfigMap/old']);
    const cheap = await planner.plan(shop, { suppose: { revisions }, dryRun: 'None' });
    expect(changesOf(cheap)).to.deep.equal(
      changesOf(await planner.plan(shop, { suppose: { revisions } })),
    );
  });
});

function artifactIn(source: KubernetesObject | undefined): { url: string; digest: string } {
  const outcome = source === undefined ? undefined : artifactOf(source);
  if (outcome?.kind !== 'Ready') throw new Error('the source has an artifact');
  return outcome.artifact;
}

function gatesOf(holds: readonly Hold[]): string[] {
  return holds.map(({ gate, releasedBy }) => `${gate} by ${releasedBy}`);
}

/** Names and versions of everything that a plan could have touched. */
async function versionsOf({ name: namespace, client, call }: TestNamespace): Promise<string[]> {
  const kinds = [
    ['v1', 'ConfigMap'],
    ['v1', 'Event'],
    ['stages.metio.wtf/v1', 'StageSet'],
    ['stages.metio.wtf/v1', 'StageInventory'],
    ['stages.metio.wtf/v1', 'StageRun'],
  ] as const;
  const lists = await Promise.all(
    kinds.map(
      async ([apiVersion, kind]) => await client.list({ apiVersion, kind, namespace }, call),
    ),
  );
  return lists
    .flatMap(({ items }) => items)
    .map(({ kind, metadata }) => `${kind}/${metadata.name}@${metadata.resourceVersion ?? ''}`)
    .sort();
}
