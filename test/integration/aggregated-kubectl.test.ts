import { expect } from 'chai';
import type { Playground } from '../../dev/playground.ts';
import { pause } from '../../src/kubernetes/wait.ts';
import { apiVersion, group } from '../aggregated/sample-resources.ts';
import {
  type AggregatedStand,
  grant,
  groupPath,
  service,
  startAggregated,
} from '../aggregated/stand.ts';
import { sharedPlayground } from '../playground.ts';

describe('kubectl and an aggregated server', () => {
  let playground: Playground;
  let stand: AggregatedStand;
  let olga: string;

  before(async () => {
    playground = await sharedPlayground();
    stand = await startAggregated(playground);
    await register(playground, stand);
    olga = await playground.cluster.kubeconfigFor('olga', ['sales']);
    const resources = 'stagesets,stagesets/plan,stagesets/advance,stageplans';
    await grant(playground, 'olga', 'get,list,create,update,patch', resources);
  });

  after(async () => {
    await playground.cluster.kubectl(['delete', 'apiservice', `v1.${group}`]);
    await stand.stop();
  });

  beforeEach(() => {
    stand.samples.asked.length = 0;
  });

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(stand.log.slice(-5).join(''));
  });

  /** Standard output; a failing command is a failing test. */
  const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
    const options = input === undefined ? {} : { input };
    const result = await playground.cluster.kubectl(args, { kubeconfig: olga, ...options });
    expect(result.code, result.stderr).to.equal(0);
    return result.stdout;
  };

  it('reads a plan raw, as the user that kube-apiserver knows', async () => {
    const text = await kubectl([
      'get',
      '--raw',
      `${groupPath}/namespaces/default/stagesets/shop/plan`,
    ]);
    expect(JSON.parse(text)).to.include({ kind: 'StagePlan' });
    expect(stand.samples.asked[0]?.caller).to.deep.include({
      user: 'olga',
      groups: ['sales', 'system:authenticated'],
    });
  });

  it('lists the resources of the group', async () => {
    const text = await kubectl(['api-resources', `--api-group=${group}`, '--no-headers']);
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)),
    ).to.deep.equal([
      ['stageplans', 'splan', apiVersion, 'true', 'StagePlan'],
      ['stagesets', apiVersion, 'true', 'StageSet'],
    ]);
  });

  it('explains fields by the contract', async () => {
    const text = await kubectl(['explain', 'stageplans.status.verdict']);
    expect(text).to.include('What the next run comes to.');
  });

  it('shows subresources as tables', async () => {
    const resource = `stagesets.${group}`;
    const narrow = await kubectl(['get', resource, 'shop', '--subresource=plan']);
    expect(narrow).to.match(/^NAME +VERDICT\nshop +UpToDate\n$/);
    const wide = await kubectl(['get', resource, 'shop', '--subresource=plan', '-o', 'wide']);
    expect(wide).to.match(/^NAME +VERDICT +DIGEST\n/);
    const yaml = await kubectl(['get', resource, 'shop', '--subresource=plan', '-o', 'yaml']);
    expect(yaml).to.include('kind: StagePlan');
  });

  it('lists the virtual collection', async () => {
    expect(await kubectl(['get', 'splan'])).to.match(/^NAME +VERDICT\nshop +UpToDate\n$/);
  });

  it('creates and patches an advance', async () => {
    const path = `${groupPath}/namespaces/default/stagesets/shop/advance`;
    const spec = { stage: 'web', runId: 'abc' };
    const body = JSON.stringify({ apiVersion, kind: 'StageAdvance', spec });
    await kubectl(['create', '--raw', path, '-f', '-'], body);
    await kubectl([
      'patch',
      `stagesets.${group}`,
      'shop',
      '--subresource=advance',
      '--type=merge',
      `--patch=${JSON.stringify({ spec })}`,
    ]);
    const bodies = stand.samples.asked.flatMap(({ body: seen }) =>
      seen === undefined ? [] : [seen],
    );
    const metadata = { name: 'shop', namespace: 'default' };
    const wanted = { apiVersion, kind: 'StageAdvance', metadata, spec };
    expect(bodies).to.deep.equal([wanted, wanted]);
  });

  it('keeps a bare `stagesets` for the custom resource', async () => {
    const answer = await playground.cluster.kubectl(['get', 'stagesets', '-v=6']);
    expect(answer.stderr).to.include('/apis/stages.metio.wtf/v1/namespaces/default/stagesets');
  });

  it('tells what one may do', async () => {
    const resource = `stagesets.${group}/shop`;
    expect(await kubectl(['auth', 'can-i', 'patch', resource, '--subresource=advance'])).to.equal(
      'yes\n',
    );
    const other = await playground.cluster.kubectl(
      ['auth', 'can-i', 'override', resource, '--subresource=advance'],
      { kubeconfig: olga },
    );
    expect(other.stdout).to.equal('no\n');
  });

  it('is merged into the OpenAPI 2.0 document of the cluster', async () => {
    const definition = '"wtf.metio.stages.subresources.v1.StagePlan"';
    const deadline = AbortSignal.timeout(60_000);
    while (!(await kubectl(['get', '--raw', '/openapi/v2'])).includes(definition)) {
      await pause(500, deadline);
    }
  });

  it('is part of the OpenAPI 3 documents of the cluster', async () => {
    const text = await kubectl(['get', '--raw', `/openapi/v3/apis/${group}/v1`]);
    expect(JSON.parse(text)).to.have.nested.property('components.schemas.StagePlan');
  });
});

/** Has kube-apiserver send the group's requests to us. */
async function register({ cluster }: Playground, { ca, port }: AggregatedStand): Promise<void> {
  const [apiRegistration, metadata] = ['apiregistration.k8s.io/v1', { name: `v1.${group}` }];
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: service,
      spec: { type: 'ExternalName', externalName: 'localhost' },
    },
    {
      apiVersion: apiRegistration,
      kind: 'APIService',
      metadata,
      spec: {
        group,
        version: 'v1',
        groupPriorityMinimum: 100,
        versionPriority: 15,
        caBundle: Buffer.from(ca.certificate).toString('base64'),
        service: { ...service, port },
      },
    },
  ];
  const input = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  const applied = await cluster.kubectl(['apply', '-f', '-'], { input });
  if (applied.code !== 0) throw new Error(applied.stderr);
  const available = ['--for=condition=Available', '--timeout=30s'];
  const waited = await cluster.kubectl(['wait', `apiservice/${metadata.name}`, ...available]);
  if (waited.code !== 0) throw new Error(waited.stderr);
  // kube-apiserver takes over our OpenAPI documents in its own time.
  const deadline = AbortSignal.timeout(60_000);
  const openApi = async (): Promise<string> =>
    (await cluster.kubectl(['get', '--raw', '/openapi/v3'])).stdout;
  while (!(await openApi()).includes(`apis/${group}/v1`)) await pause(200, deadline);
}
