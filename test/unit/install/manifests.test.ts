import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { parse } from 'yaml';
import { parseConfig } from '../../../src/config/config.ts';
import { root, textOf } from '../docs/markdown.ts';

interface Deployment {
  spec: { template: { spec: { containers: Container[]; terminationGracePeriodSeconds: number } } };
}

interface Container {
  image: string;
  args: string[];
  ports: { name: string; containerPort: number }[];
}

async function resourcesOf(kustomization: string): Promise<string[]> {
  const { resources } = parse(await textOf(kustomization)) as { resources: string[] };
  return resources.toSorted();
}

async function yamlFiles(directory: string): Promise<string[]> {
  const files = await readdir(`${root}${directory}`);
  return files.filter((file) => file.endsWith('.yaml') && file !== 'kustomization.yaml').sort();
}

describe('the manifests of the installation', () => {
  let container: Container;
  let graceSeconds: number;

  before(async () => {
    const deployment = parse(await textOf('apiservice/deployment.yaml')) as Deployment;
    const { containers, terminationGracePeriodSeconds } = deployment.spec.template.spec;
    const [only] = containers;
    if (only === undefined) throw new Error('the Deployment has no container');
    container = only;
    graceSeconds = terminationGracePeriodSeconds;
  });

  it('have every file in a kustomization', async () => {
    expect(await resourcesOf('crds/Kustomization')).to.deep.equal(await yamlFiles('crds'));
    expect(await resourcesOf('apiservice/kustomization.yaml')).to.deep.equal(
      ['../crds', ...(await yamlFiles('apiservice'))].sort(),
    );
  });

  it('give the controller flags that it takes, and the ports that it listens on', () => {
    const environment = { POD_NAMESPACE: 'stageset-system' };
    const invocation = parseConfig(container.args, environment, '0.0.0');
    if (invocation.kind === 'Print') throw new Error('the flags ask for a text');
    const { config } = invocation;
    expect(config).to.include({ leaderElection: 'On', namespace: 'stageset-system' });
    expect(config.roles).to.deep.equal(['controller', 'api']);
    expect(config.api).to.include({
      serviceName: 'stageset-controller-api',
      registration: 'Managed',
    });
    expect(config.webhook).to.include({
      serviceName: 'stageset-controller-webhook',
      validatingConfigurationName: 'stageset-controller',
      mutatingConfigurationName: 'stageset-controller',
    });
    expect(config.certificates.mode).to.equal('SelfSigned');
    const ports = container.ports.map(({ name, containerPort }) => [name, containerPort]);
    expect(Object.fromEntries(ports)).to.deep.equal({
      api: config.api.bindAddress.port,
      webhook: config.webhook?.port,
      metrics: config.metricsBindAddress?.port,
      health: config.healthProbeBindAddress.port,
      gate: config.gateBindAddress?.port,
    });
  });

  it('leave the controller more time to end than it takes', () => {
    const invocation = parseConfig(container.args, {}, '0.0.0');
    if (invocation.kind === 'Print') throw new Error('the flags ask for a text');
    const delaySeconds = invocation.config.api.shutdownDelay / 1000;
    expect(graceSeconds).to.be.at.least(delaySeconds + 30 + 15);
  });

  it('name the image of this version', async () => {
    const { version } = JSON.parse(await textOf('package.json')) as { version: string };
    expect(container.image).to.equal(`stageset-controller:${version}`);
    expect(await textOf('Containerfile')).to.include(container.image);
  });
});
