import { expect } from 'chai';
import { historiesResource } from '../../src/server/aggregated/history/histories.ts';
import { historyResource } from '../../src/server/aggregated/history/history.ts';
import type { ApiAnswer } from '../../src/server/aggregated/resource.ts';
import { stageSetsResource } from '../../src/server/aggregated/stage-sets.ts';
import type {
  StageHistory,
  StageHistoryList,
} from '../../src/types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { type StageRun, stagesApiVersion } from '../../src/types/stages.ts';
import { configMap } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';
import {
  type Ask,
  clock,
  failureOf,
  handlerOf,
  requestOf,
  tokens,
  untilRuns,
  viewer,
} from './aggregated.ts';

describe('history', () => {
  const stand = useController();

  async function get(shop: TestNamespace, ask: Ask = {}): Promise<ApiAnswer> {
    const resource = historyResource({ client: stand.playground.client, clock, tokens });
    return await handlerOf(resource.handlers.get)(requestOf(shop, viewer, ask));
  }

  async function historyOf(shop: TestNamespace, query = ''): Promise<StageHistory> {
    return (await get(shop, { query })).object as StageHistory;
  }

  async function list(shop: TestNamespace, ask: Ask): Promise<ApiAnswer> {
    const resource = historiesResource({ client: stand.playground.client, clock, tokens });
    return await handlerOf(resource.handlers.list)(
      requestOf(shop, viewer, { name: undefined, ...ask }),
    );
  }

  function namesOf({ items }: StageHistory): string[] {
    return items.map(({ metadata }) => metadata.name);
  }

  /** Three runs, the last of which changes stage `prod` only. */
  async function threeRuns(): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('dev')]);
    await shop.publish('prod', 'v1', [configMap('prod')]);
    await shop.createStageSet(['dev', 'prod']);
    await shop.untilReady('v1');
    const succeeded = async (runs: number): Promise<void> => {
      await untilRuns(
        shop,
        (all) => all.length === runs && all.every(({ status }) => status?.phase === 'Succeeded'),
      );
    };
    await shop.publish('dev', 'v2', [configMap('dev', { release: 'v2' })]);
    await succeeded(2);
    await shop.publish('prod', 'v3', [configMap('prod', { release: 'v3' })]);
    await succeeded(3);
    return shop;
  }

  it('has the runs, the newest first, page by page, and those only that are asked for', async () => {
    const shop = await threeRuns();
    const all = await historyOf(shop);
    expect(namesOf(all)).to.deep.equal(['shop-3', 'shop-2', 'shop-1']);
    expect(all).to.include({
      apiVersion: 'subresources.stages.metio.wtf/v1',
      kind: 'StageHistory',
    });
    expect(all.metadata).to.include({ name: 'shop', namespace: shop.name });
    expect(all.metadata).to.not.have.any.keys('continue', 'remainingItemCount');
    expect(all.items[0]).to.include({ apiVersion: stagesApiVersion, kind: 'StageRun' });
    expect(all.items[0]?.metadata).to.not.have.property('managedFields');

    const first = await historyOf(shop, 'limit=2');
    expect(namesOf(first)).to.deep.equal(['shop-3', 'shop-2']);
    expect(first.metadata['remainingItemCount']).to.equal(1);
    const token = encodeURIComponent(String(first.metadata['continue']));
    const second = await historyOf(shop, `limit=2&continue=${token}`);
    expect(namesOf(second)).to.deep.equal(['shop-1']);
    expect(second.metadata).to.not.have.any.keys('continue', 'remainingItemCount');

    expect(namesOf(await historyOf(shop, 'stage=prod'))).to.deep.equal(['shop-3', 'shop-1']);
    expect(namesOf(await historyOf(shop, 'outcome=Failed'))).to.deep.equal([]);
    expect(namesOf(await historyOf(shop, 'run=shop-2'))).to.deep.equal(['shop-2']);
    expect(namesOf(await historyOf(shop, 'since=1h'))).to.have.length(3);
    expect(namesOf(await historyOf(shop, 'since=1ms'))).to.deep.equal([]);

    // A token is good for the filters, the StageSet and the namespace that it was made for.
    const carried = await failureOf(get(shop, { query: `outcome=Held&continue=${token}` }));
    expect(carried.code).to.equal(400);

    const { table, text } = await get(shop, { query: 'output=text' });
    expect(table?.rows.map(({ cells }) => [cells[0], cells[1], cells[2], cells[6]])).to.deep.equal([
      ['shop-3', 'SourceChanged', 'v3', 'Succeeded'],
      ['shop-2', 'SourceChanged', 'v2', 'Succeeded'],
      ['shop-1', 'SpecChanged', 'v1', 'Succeeded'],
    ]);
    expect(text).to.match(
      /^History of StageSet shop-\d+\/shop, the newest run first\n\nshop-3 {2}Succeeded {2}Source/,
    );
    expect(text).to.include('  stage prod: Ready at v3, 1 updated\n');
  });

  it('does not have the runs of an earlier StageSet of the same name', async () => {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('dev')]);
    await shop.createStageSet(['dev']);
    await shop.untilReady('v1');
    const owner = { apiVersion: stagesApiVersion, kind: 'StageSet', name: 'shop', uid: 'earlier' };
    await shop.create({
      apiVersion: stagesApiVersion,
      kind: 'StageRun',
      metadata: {
        name: 'shop-99',
        labels: { 'stages.metio.wtf/stageset': 'shop' },
        ownerReferences: [owner],
      },
      spec: { runId: 'r', sequence: 99, trigger: 'SpecChanged', generation: 1, snapshot: [] },
    });
    expect(namesOf(await historyOf(shop))).to.deep.equal(['shop-1']);
    const { object } = await list(shop, {});
    expect((object as StageHistoryList).items.map(namesOf)).to.deep.equal([['shop-1']]);
  });

  function recordOf(name: string, labels: Record<string, string>): KubernetesObject {
    const owner = { apiVersion: stagesApiVersion, kind: 'StageSet', name: 'shop', uid: 'earlier' };
    const spec = { runId: 'r', sequence: 1, trigger: 'SpecChanged', generation: 1, snapshot: [] };
    const metadata = { name, labels, ownerReferences: [owner] };
    return { apiVersion: stagesApiVersion, kind: 'StageRun', metadata, spec };
  }

  it('goes on behind what an earlier StageSet of the same name has left', async () => {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('dev')]);
    const left = { 'stages.metio.wtf/stageset': 'shop' };
    for (const name of ['shop-1', 'shop-2', 'shop-10']) await shop.create(recordOf(name, left));
    await shop.createStageSet(['dev']);
    await shop.untilReady('v1');
    await shop.publish('dev', 'v2', [configMap('dev', { release: 'v2' })]);
    await shop.untilReady('v2');
    await untilRuns(shop, (all) => all.filter(hasSucceeded).length === 2);
    const history = await historyOf(shop);
    expect(namesOf(history)).to.deep.equal(['shop-12', 'shop-11']);
    expect(history.items.map(({ spec }) => spec?.sequence)).to.deep.equal([12, 11]);
    const { object } = await list(shop, {});
    expect((object as StageHistoryList).items.map(namesOf)).to.deep.equal([['shop-12']]);
  });

  it('keeps the record of a run as it is when the next one cannot be recorded', async () => {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('dev')]);
    await shop.createStageSet(['dev']);
    await shop.untilReady('v1');
    await untilRuns(shop, ([only]) => only !== undefined && hasSucceeded(only));
    const [before] = (await historyOf(shop)).items;
    // More than the controller looks behind.
    for (const number of [2, 3, 4, 5, 6, 7]) await shop.create(recordOf(`shop-${number}`, {}));
    await shop.publish('dev', 'v2', [configMap('dev', { release: 'v2' })]);
    await shop.untilReady('v2');
    const { items } = await historyOf(shop);
    expect(items).to.deep.equal([before]);
  });

  it('is there in short for every StageSet, of a namespace or of all, page by page', async () => {
    const shop = await stand.namespace();
    const other = await stand.namespace();
    for (const { name } of [shop, other]) {
      const there = name === shop.name ? shop : other;
      await there.publish('dev', 'v1', [configMap('dev')]);
      await there.createStageSet(['dev']);
      await there.untilReady('v1');
    }
    await other.publish('dev', 'v2', [configMap('dev', { release: 'v2' })]);
    await other.untilReady('v2');
    const of = (answer: ApiAnswer): StageHistoryList => answer.object as StageHistoryList;
    const told = ({ items }: StageHistoryList): string[] =>
      items.map((item) => `${item.metadata.namespace} ${namesOf(item).join(',')}`);

    expect(told(of(await list(other, {})))).to.deep.equal([`${other.name} shop-2`]);
    const everywhere = { namespace: undefined };
    const all = await list(shop, everywhere);
    expect(told(of(all))).to.have.members([`${shop.name} shop-1`, `${other.name} shop-2`]);
    expect(all.table?.rows.map(({ cells }) => cells.slice(0, 2))).to.have.deep.members([
      ['shop', 'shop-1'],
      ['shop', 'shop-2'],
    ]);

    const first = of(await list(shop, { ...everywhere, query: 'limit=1' }));
    expect(first.metadata.remainingItemCount).to.equal(1);
    const token = first.metadata.continue ?? '';
    const query = `limit=1&continue=${encodeURIComponent(token)}`;
    const second = of(await list(shop, { ...everywhere, query }));
    expect(second.metadata).to.not.have.property('continue');
    expect([...told(first), ...told(second)]).to.have.members(told(of(all)));
    expect((await failureOf(list(shop, { query }))).code).to.equal(400);
  });

  it('has no run yet of a StageSet that has had none', async () => {
    const shop = await stand.namespace();
    await shop.createStageSet(['dev']);
    expect(namesOf(await historyOf(shop))).to.deep.equal([]);
    const { object, table } = await list(shop, {});
    expect((object as StageHistoryList).items.map(namesOf)).to.deep.equal([[]]);
    expect(table?.rows[0]?.cells.slice(0, 2)).to.deep.equal(['shop', '<none>']);
  });

  it('cannot be watched, and is not there for a StageSet that is not', async () => {
    const shop = await stand.namespace();
    const watched = await failureOf(get(shop, { query: 'watch=true' }));
    expect(watched.code).to.equal(405);
    expect(watched.message).to.include('watch stageruns');
    expect((await failureOf(get(shop, { name: 'nothing' }))).code).to.equal(404);
  });

  it('comes with the StageSet itself, as it is stored', async () => {
    const shop = await stand.namespace();
    await shop.createStageSet(['dev']);
    const resource = stageSetsResource({ client: stand.playground.client });
    const read = handlerOf(resource.handlers.get);
    const { object } = await read(requestOf(shop, viewer));
    expect(object).to.deep.include({ apiVersion: stagesApiVersion, kind: 'StageSet' });
    expect(object).to.have.nested.property('spec.stages[0].name', 'dev');
    const missing = await failureOf(read(requestOf(shop, viewer, { name: 'nothing' })));
    expect(missing.message).to.equal('stagesets.subresources.stages.metio.wtf "nothing" not found');
  });
});

function hasSucceeded({ status }: StageRun): boolean {
  return status?.phase === 'Succeeded';
}
