import { expect } from 'chai';
import { fieldManager } from '../../src/apply/field-manager.ts';
import { pause } from '../../src/kubernetes/wait.ts';
import { corrected, deployed, edit, isGreen, note, web } from '../drift.ts';
import { metricSum } from '../metrics.ts';
import { configMap, deployment, withMetadata } from '../objects.ts';
import { useController } from '../playground.ts';
import { afterLooks } from '../reconciles.ts';
import type { TestNamespace } from '../test-namespace.ts';

describe('drift that somebody causes again and again', () => {
  const stand = useController();

  it('is corrected less and less often, and told', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    const end = performance.now() + 6000;
    let edits = 0;
    while (performance.now() < end) {
      await edit(shop, web, { data: { colour: `red-${edits}` } });
      edits += 1;
      await pause(20, shop.call.signal);
    }
    const writes = await corrected(shop, stand.controller.metricsUrl);
    process.stdout.write(`      ${edits} edits in 6 s were met by ${writes} corrections\n`);
    expect(edits).to.be.above(50);
    expect(writes).to.equal(6);
    expect(await note(shop, 'DriftContested')).to.equal(
      `Somebody keeps changing 1 object(s) of stage app back: ConfigMap/${shop.name}/web ` +
        '(data.colour by kubectl-edit), left alone for 10s. ' +
        'Take the fields out of the release, or stop whoever writes them',
    );
    // The last edit is corrected when the pause is over.
    const { metadata } = await shop.untilObject(web, isGreen);
    expect(JSON.stringify(metadata['managedFields'])).to.include(fieldManager);
  });

  it('keeps no other object from being corrected at once', async () => {
    const shop = await stand.namespace();
    await deployed(shop);
    for (let edits = 0; edits < 7; edits += 1) {
      const colour = `red-${edits}`;
      await edit(shop, web, { data: { colour } });
      if (edits < 6) await shop.untilObject(web, isGreen);
    }
    await shop.untilEvent('DriftContested');
    await shop.delete(configMap('other'));
    const started = performance.now();
    await shop.untilObject(configMap('other'));
    expect(performance.now() - started).to.be.below(1000);
    expect((await shop.find(web))?.['data']).to.include({ colour: 'red-6' });
  });
});

describe('with --drift-watch=false', () => {
  const stand = useController({ flags: ['--log-level=debug', '--drift-watch=false'] });

  it('nothing is watched, and drift waits for the interval', async () => {
    const shop = await stand.namespace();
    await deployed(shop, { interval: '3s' });
    expect(await metricSum(stand.controller.metricsUrl, 'stageset_owned_watches')).to.equal(0);
    await afterLooks(stand.controller, 1, async () => await Promise.resolve());
    await edit(shop, web, { data: { colour: 'red' } });
    await shop.untilObject(web, isGreen);
    expect(await note(shop, 'DriftCorrected')).to.include('(data.colour by kubectl-edit)');
  });

  it('readiness is polled for', async () => {
    const shop = await stand.namespace();
    await shop.publish('app', 'v1', [deployment('web')]);
    await shop.createStageSet(['app']);
    await shop.reportDeployment('web', 'Available');
    await shop.untilReady('v1');
  });
});

describe('drift of what a tenant applied', () => {
  const stand = useController();

  async function tenant(
    verbs: readonly string[],
    spec: Record<string, unknown>,
  ): Promise<TestNamespace> {
    const shop = await stand.namespace();
    const name = 'deployer';
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name } };
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs }];
    const subjects = [{ kind: 'ServiceAccount', name, namespace: shop.name }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name };
    await shop.create(
      withMetadata({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } }, {}),
    );
    await shop.create({ ...role, kind: 'Role', rules });
    await shop.create({ ...role, kind: 'RoleBinding', subjects, roleRef });
    await deployed(shop, { serviceAccountName: name, ...spec });
    return shop;
  }

  it('is watched as the tenant', async () => {
    const shop = await tenant(['get', 'list', 'watch', 'create', 'patch', 'delete'], {});
    await edit(shop, web, { data: { colour: 'red' } });
    const started = performance.now();
    await shop.untilObject(web, isGreen);
    expect(performance.now() - started).to.be.below(1000);
  });

  it('waits for the interval where the tenant may not watch', async () => {
    const shop = await tenant(['get', 'list', 'create', 'patch', 'delete'], { interval: '3s' });
    await edit(shop, web, { data: { colour: 'red' } });
    await shop.untilObject(web, isGreen);
    const told = (): boolean =>
      stand.controller.log.some((line) => line.includes('objects are not watched'));
    const { signal } = shop.call;
    while (!told()) await pause(20, signal);
    expect(await shop.untilReason('Succeeded')).to.equal('Applied and verified 1 stage(s)');
  });
});
