import { expect } from 'chai';
import { parseStageRun } from '../../src/core/validate/schema.ts';
import { type StageRun, stagesApiVersion } from '../../src/types/stages.ts';
import { configMap } from '../objects.ts';
import { useController } from '../playground.ts';
import { phasesOf, readyOf, type TestNamespace } from '../test-namespace.ts';

const stageRuns = { apiVersion: stagesApiVersion, kind: 'StageRun' };

/** The records of the StageSet, the oldest first, once `judge` says yes. */
async function untilRuns(
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
  const found = await shop.untilCollection(stageRuns, (objects) => judge(read(objects.values())));
  return read(found.values());
}

function phaseOf({ status }: StageRun): string {
  return status?.phase ?? 'none';
}

async function promote(shop: TestNamespace, value: string): Promise<void> {
  const annotations = { 'stages.metio.wtf/promote': value };
  const stageSet = { ...configMap('shop'), apiVersion: stagesApiVersion, kind: 'StageSet' };
  await shop.patch(stageSet, { metadata: { annotations } });
}

describe('a stage with promotion gates', () => {
  const stand = useController();

  async function release(promotion: Record<string, unknown>): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('dev')]);
    await shop.publish('prod', 'v1', [configMap('prod')]);
    await shop.createStageSet([{ name: 'dev', sourceRef: { name: 'dev' }, promotion }, 'prod']);
    return shop;
  }

  it('soaks, and lets the next stage begin when its time is over', async () => {
    const shop = await release({ soak: '3s' });
    const message = await shop.untilReason('Soaking');
    expect(message).to.match(
      /^Stage dev is healthy and soaks until \d{4}-.*Z; to promote it now: kubectl /,
    );
    expect(await shop.configMapNames()).to.deep.equal(['dev']);
    const soaking = await shop.untilStageSet(
      ({ status }) => status?.stages?.[0]?.promotionState !== undefined,
    );
    const until = Date.parse(soaking.status?.stages?.[0]?.promotionState?.soakUntil ?? '');

    const prod = await shop.untilObject(configMap('prod'));
    const created = Date.parse(prod.metadata.creationTimestamp ?? '');
    // Both times are whole seconds, the creation rounded down.
    expect(created).to.be.within(until - 1000, until + 1000);
    const { status } = await shop.untilReady('v1');
    expect(status?.stages?.[0]?.promotionState?.phase).to.equal('Promoted');
  });

  it('is promoted by hand while it soaks, which is on record', async () => {
    const shop = await release({ soak: '1h' });
    await shop.untilReason('Soaking');
    await promote(shop, 'dev@first');
    const { status } = await shop.untilReady('v1');
    expect(status?.stages?.[0]?.lastHandledPromotion).to.equal('first');
    const [run] = await untilRuns(
      shop,
      ([only]) => only !== undefined && phaseOf(only) === 'Succeeded',
    );
    expect(run?.status?.advances).to.have.length(1);
    expect(run?.status?.advances?.[0]).to.deep.include({
      stage: 'dev',
      gate: 'Soak',
      override: true,
      via: 'Annotation',
    });
    expect(run?.status?.stages?.[0]?.gates?.[0]).to.deep.include({
      gate: 'Soak',
      releasedBy: 'Person',
    });
  });

  it('waits for a person, over a restart of the controller too, and never for the same token again', async () => {
    const shop = await release({ requireManualPromotion: true });
    const message = await shop.untilReason('AwaitingPromotion');
    expect(message).to.include(
      `kubectl --namespace ${shop.name} annotate --overwrite stageset/shop ` +
        'stages.metio.wtf/promote=dev@$(date +%s)',
    );
    await promote(shop, 'dev@1');
    await shop.untilReady('v1');

    await shop.publish('dev', 'v2', [configMap('dev', { release: 'v2' })]);
    await shop.untilReason('AwaitingPromotion');
    await stand.killAndRestart();
    await shop.publish('prod', 'v2', [configMap('prod', { release: 'v2' })]);
    const held = await shop.untilStageSet(
      ({ status }) => status?.lastAttemptedRevisions?.[`${shop.name}/prod`] === 'v2',
    );
    expect(readyOf(held)?.status).to.not.equal('True');
    await shop.untilReason('AwaitingPromotion');
    expect(phasesOf(await shop.untilStageSet(() => true))[0]).to.equal('Verifying');
    await promote(shop, 'dev@2');
    await shop.untilReady('v2');
  });
});

describe('the record of a run', () => {
  const stand = useController();

  it('says what was made real, what changed, and how it ended', async () => {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('web'), configMap('old')]);
    await shop.createStageSet(['dev']);
    await shop.untilReady('v1');
    await shop.publish('dev', 'v2', [configMap('web', { release: 'v2' }), configMap('new')]);
    await shop.untilReady('v2');
    const runs = await untilRuns(
      shop,
      (all) => all.length === 2 && all.every((run) => phaseOf(run) === 'Succeeded'),
    );
    const [first, second] = runs;
    expect(first?.spec).to.deep.include({ sequence: 1, trigger: 'SpecChanged', generation: 1 });
    expect(second?.metadata.name).to.equal('shop-2');
    expect(second?.spec).to.deep.include({ sequence: 2, trigger: 'SourceChanged' });
    expect(second?.spec?.snapshot[0]).to.deep.include({ stage: 'dev', revision: 'v2' });
    const [stage] = second?.status?.stages ?? [];
    expect(stage?.objects).to.deep.equal({
      created: 1,
      updated: 1,
      recreated: 0,
      pruned: 1,
      unchanged: 0,
    });
    const changes = (stage?.changes ?? []).map(({ verb, kind, name }) => `${verb} ${kind} ${name}`);
    expect(changes.sort()).to.deep.equal([
      'Created ConfigMap new',
      'Pruned ConfigMap old',
      'Updated ConfigMap web',
    ]);
  });

  it('says that a newer snapshot took its place', async () => {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('web')]);
    await shop.createStageSet([
      { name: 'dev', sourceRef: { name: 'dev' }, promotion: { requireManualPromotion: true } },
    ]);
    await shop.untilReason('AwaitingPromotion');
    await untilRuns(shop, ([only]) => only !== undefined && phaseOf(only) === 'Held');
    await shop.publish('dev', 'v2', [configMap('web', { release: 'v2' })]);
    const runs = await untilRuns(shop, (all) => all.length === 2 && phaseOf(all[1]!) === 'Held');
    expect(runs.map(phaseOf)).to.deep.equal(['Superseded', 'Held']);
  });

  it('is kept for as many runs as the spec says, and the last that succeeded', async () => {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('web')]);
    await shop.createStageSet(['dev'], { historyLimit: 2 });
    await shop.untilReady('v1');
    for (const revision of ['v2', 'v3', 'v4']) {
      await shop.publish('dev', revision, [configMap('web', { release: revision })]);
      await shop.untilReady(revision);
    }
    const runs = await untilRuns(
      shop,
      (all) => all.length === 2 && all.every((run) => phaseOf(run) === 'Succeeded'),
    );
    expect(runs.map(({ metadata }) => metadata.name)).to.deep.equal(['shop-3', 'shop-4']);
  });

  it('goes on after the controller was killed in the middle', async () => {
    const shop = await stand.namespace();
    await shop.publish('dev', 'v1', [configMap('web')]);
    await shop.createStageSet([
      { name: 'dev', sourceRef: { name: 'dev' }, promotion: { requireManualPromotion: true } },
    ]);
    await shop.untilReason('AwaitingPromotion');
    await untilRuns(shop, ([only]) => only !== undefined && phaseOf(only) === 'Held');
    await stand.killAndRestart();
    await promote(shop, 'dev@1');
    await shop.untilReady('v1');
    const runs = await untilRuns(shop, (all) => all.every((run) => phaseOf(run) === 'Succeeded'));
    expect(runs).to.have.length(1);
    expect(runs[0]?.status?.stages?.[0]?.objects).to.deep.include({ created: 1, unchanged: 1 });
  });
});
