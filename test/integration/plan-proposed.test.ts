import { expect } from 'chai';
import { TestPlanner } from '../planning.ts';
import { useController } from '../playground.ts';

describe('a plan of a proposed spec', () => {
  const stand = useController();
  let planner: TestPlanner;

  before('start a planner', () => {
    planner = new TestPlanner(stand.playground);
  });
  after('stop the planner', async () => {
    await planner.close();
  });

  it('needs the account of the whole for a spec that decrypts, since the keys are read as that', async () => {
    const shop = await stand.namespace();
    const account = { serviceAccountName: 'nobody' };
    await shop.createStageSet([{ name: 'web', ...account }], {
      suspend: true,
      serviceAccountName: 'powerful',
    });
    await shop.untilReason('Suspended');
    const stages = [{ name: 'web', sourceRef: { name: 'web' }, ...account }];
    const proposed = { interval: '1h', serviceAccountName: 'powerful', stages };
    const decryption = { provider: 'sops', secretRef: { name: 'keys' } } as const;
    const plan = await planner.plan(shop, { suppose: { proposed: { ...proposed, decryption } } });
    expect(plan.verdict).to.equal('Invalid');
    expect(plan.message).to.include('powerful is no ServiceAccount of the stored spec');
    const plain = await planner.plan(shop, { suppose: { proposed } });
    expect(plain.verdict).not.to.equal('Invalid');
  });

  it('of a spec that the webhook would refuse is Invalid in the words of the webhook', async () => {
    const shop = await stand.namespace();
    await shop.createStageSet(['web'], { suspend: true });
    const stages = [{ name: 'web', sourceRef: { name: 'web' } }];
    const proposed = { interval: '-10m', dependsOn: [{ name: 'shop' }], stages };
    const plan = await planner.plan(shop, { suppose: { proposed } });
    expect(plan.verdict).to.equal('Invalid');
    expect(plan.message).to.equal(
      'spec.interval: must not be negative; leave it out for the default; ' +
        'spec.dependsOn[0]: is this StageSet itself; remove it',
    );
  });
});
