import { expect } from 'chai';
import { packFiles, readDirectory } from '../../dev/artifacts/pack.ts';
import { publish } from '../../dev/artifacts/publish.ts';
import { moduleDirectory, sourceController } from '../../dev/assets/modules.ts';
import { fieldOf } from '../fields.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

/**
 * Input that nobody here wrote: the kustomizations under config/ of Flux's own source-controller, as
 * its Go module has them, delivered as three stages.
 */
describe("rolling out Flux's source-controller", () => {
  const stand = useController();

  async function publishVersion(
    namespace: TestNamespace,
    version: 'v1.9.5' | 'v1.9.6',
  ): Promise<void> {
    const directory = await moduleDirectory(sourceController, version);
    const artifact = await packFiles(await readDirectory(`${directory}/config`));
    const { client, artifacts } = stand.playground;
    const where = { namespace: namespace.name, name: 'source-controller', revision: version };
    await publish(client, artifacts, where, artifact);
  }

  const stages = ['crd', 'rbac', 'manager'].map((name) => ({
    name,
    path: `./${name}`,
    sourceRef: { name: 'source-controller' },
    // Removing these CRDs would take the sources of all other tests along.
    prune: name !== 'crd',
  }));

  async function imageOf(namespace: TestNamespace): Promise<unknown> {
    const [deployment] = await namespace.owned('apps/v1', 'Deployment');
    const containers = fieldOf(deployment, 'spec', 'template', 'spec', 'containers');
    return Array.isArray(containers) ? fieldOf(containers[0], 'image') : undefined;
  }

  it('installs v1.9.6, changes to v1.9.5 and comes back', async () => {
    const namespace = await stand.namespace();
    await publishVersion(namespace, 'v1.9.6');
    await namespace.createStageSet(stages);
    await namespace.reportDeployment('source-controller', 'Available');
    await namespace.untilReady('v1.9.6');
    expect(await imageOf(namespace)).to.equal('fluxcd/source-controller:v1.9.6');
    const installed = await namespace.inventories();
    expect(installed['crd']).to.include(
      '_externalartifacts.source.toolkit.fluxcd.io_apiextensions.k8s.io_CustomResourceDefinition',
    );
    expect(installed['manager']).to.deep.equal([
      `${namespace.name}_source-controller__Service`,
      `${namespace.name}_source-controller_apps_Deployment`,
    ]);
    const roles = await namespace.owned('rbac.authorization.k8s.io/v1', 'Role');
    expect(roles.map(({ metadata }) => metadata.name)).to.deep.equal([
      'source-leader-election-role',
    ]);
    const [before] = await namespace.owned('v1', 'Service');

    await publishVersion(namespace, 'v1.9.5');
    await namespace.untilPhase('manager', 'Verifying');
    await namespace.reportDeployment('source-controller', 'Available');
    await namespace.untilReady('v1.9.5');
    expect(await imageOf(namespace)).to.equal('fluxcd/source-controller:v1.9.5');

    await publishVersion(namespace, 'v1.9.6');
    await namespace.untilPhase('manager', 'Verifying');
    await namespace.reportDeployment('source-controller', 'Available');
    await namespace.untilReady('v1.9.6');
    expect(await imageOf(namespace)).to.equal('fluxcd/source-controller:v1.9.6');

    const [after] = await namespace.owned('v1', 'Service');
    expect(after?.metadata.resourceVersion).to.equal(before?.metadata.resourceVersion);
    expect(await namespace.inventories()).to.deep.equal(installed);
  });
});
