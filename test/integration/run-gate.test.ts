import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import { configMap, deployment } from '../objects.ts';
import { useController } from '../playground.ts';

describe('the gate endpoint of the controller', () => {
  const flags = ['--leader-elect', '--namespace=stageset-system', '--log-level=debug'];
  const stand = useController({ flags });
  let follower: ControllerProcess;

  before('start a replica that does not lead', async () => {
    follower = await stand.playground.startController({ flags });
  });
  after('stop it', async () => await follower.stop());

  async function statuses(path: string): Promise<number[]> {
    const urls = [stand.controller, follower].map(({ gateUrl }) => `${gateUrl}/${path}`);
    return await Promise.all(urls.map(async (url) => (await fetch(url)).status));
  }

  async function told(path: string): Promise<unknown> {
    const headers = { accept: 'application/json' };
    const answer = await fetch(`${stand.controller.gateUrl}/${path}`, { headers });
    expect(answer.status).to.equal(200);
    return await answer.json();
  }

  /** Each replica has a watch of its own, which a write reaches a moment later. */
  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let looks = 0; looks < 200; looks += 1) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`not so within 10 s: ${what}`);
  }

  async function untilOpen(path: string): Promise<void> {
    const open = async (): Promise<boolean> =>
      (await statuses(path)).every((status) => status === 200);
    await until(`the gate of ${path} is open`, open);
  }

  async function untilVerifying(path: string): Promise<void> {
    const verifying = async (): Promise<boolean> =>
      JSON.stringify(await told(path)).includes('"phase":"Verifying"');
    await until(`${path} is verifying`, verifying);
  }

  it('opens on every replica when the stage is ready', async () => {
    const shop = await stand.namespace();
    const path = `${shop.name}/shop`;
    expect(await statuses(`${path}/web`)).to.deep.equal([403, 403]);
    await shop.publish('web', 'v1', [deployment('web')]);
    await shop.publish('after', 'v1', [configMap('after')]);
    await shop.createStageSet(['web', 'after']);
    await shop.untilPhase('web', 'Verifying');
    await untilVerifying(`${path}/web`);
    expect(await statuses(`${path}/web`)).to.deep.equal([403, 403]);

    await shop.reportDeployment('web', 'Available');
    const { status } = await shop.untilReady('v1');
    await untilOpen(`${path}/web`);
    await untilOpen(`${path}/after`);
    expect(await told(`${path}/web`)).to.deep.equal({
      ready: true,
      namespace: shop.name,
      stageset: 'shop',
      stage: 'web',
      phase: 'Ready',
      revision: status?.stages?.[0]?.appliedRevision,
      observed: { generation: 1, observedGeneration: 1, promotion: '' },
    });
    expect(await statuses(`${path}/other`)).to.deep.equal([403, 403]);
  });

  it('[gap] is closed while a promotion gate holds the stage, and tells of it (part B 7.2)', async () => {
    const shop = await stand.namespace();
    await shop.publish('web', 'v1', [configMap('web')]);
    const promotion = { requireManualPromotion: true };
    await shop.createStageSet([{ name: 'web', sourceRef: { name: 'web' }, promotion }]);
    const path = `${shop.name}/shop/web`;
    await shop.untilReason('AwaitingPromotion');
    await untilVerifying(path);
    expect(await statuses(path)).to.deep.equal([403, 403]);
    expect(await told(path)).to.deep.include({
      ready: false,
      phase: 'Verifying',
      observed: { generation: 1, observedGeneration: 1, promotion: 'AwaitingManual' },
    });

    await shop.annotate({ 'stages.metio.wtf/promote': 'web@now' });
    await shop.untilReady('v1');
    await untilOpen(path);
  });
});
