import { expect } from 'chai';
import { configMap } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

/** More than there are workers. */
const slowOnes = 8;

describe('a source whose download hangs', () => {
  const stand = useController();

  async function hanging(): Promise<TestNamespace> {
    const shop = await stand.namespace();
    stand.playground.artifacts.stall(shop.name);
    await shop.publish('web', 'v1', [configMap('web')]);
    await shop.createStageSet(['web']);
    await shop.untilReason('Progressing');
    return shop;
  }

  it('holds up its own StageSet and no other', async () => {
    for (let each = 0; each < slowOnes; each += 1) await hanging();
    const healthy = await stand.namespace();
    await healthy.publish('web', 'v1', [configMap('web')]);
    const created = performance.now();
    await healthy.createStageSet(['web']);
    await healthy.untilReady('v1');
    expect(performance.now() - created).to.be.lessThan(3000);
  });

  it('does not keep its StageSet from going', async () => {
    const shop = await hanging();
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
  });

  it('is left as soon as the StageSet names another one', async () => {
    const shop = await hanging();
    const other = await stand.namespace();
    await other.publish('web', 'v2', [configMap('web')]);
    await shop.changeStages([{ name: 'web', sourceRef: { name: 'web', namespace: other.name } }]);
    await shop.untilReady('v2');
    expect(await shop.configMapNames()).to.deep.equal(['web']);
  });
});
