import { expect } from 'chai';
import { type RunningApi, startApi } from '../../dev/aggregated-api.ts';
import { configMap } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { eventually } from './objects.ts';

describe('the aggregated API behind kube-apiserver', () => {
  let api: RunningApi;

  before('start the API', async () => {
    api = await startApi(await sharedPlayground(), { flags: ['--log-level=debug'] });
  });
  afterEach('remove the StageSets of the test', async function () {
    if (this.currentTest?.state === 'failed') showLog(api.process);
    await removeStageSets(await sharedPlayground());
  });
  after('stop the API', async () => {
    await api.process.stop();
  });

  async function kubectl(...args: string[]): Promise<string> {
    const { cluster } = await sharedPlayground();
    const { code, stdout, stderr } = await cluster.kubectl(args);
    expect(code, `${args.join(' ')}\n${stderr}`).to.equal(0);
    return stdout;
  }

  async function refused(...args: string[]): Promise<string> {
    const { cluster } = await sharedPlayground();
    const { code, stderr } = await cluster.kubectl(args);
    expect(code, args.join(' ')).not.to.equal(0);
    return stderr;
  }

  async function held(): Promise<TestNamespace> {
    const shop = await TestNamespace.create(await sharedPlayground());
    await shop.publish('web', 'v1', [configMap('web')]);
    await shop.publish('api', 'v1', [configMap('api')]);
    const promotion = { requireManualPromotion: true };
    await shop.createStageSet([{ name: 'web', sourceRef: { name: 'web' }, promotion }, 'api']);
    await shop.untilReason('AwaitingPromotion');
    return shop;
  }

  const paths = (shop: TestNamespace): string =>
    `/apis/subresources.stages.metio.wtf/v1/namespaces/${shop.name}/stagesets/shop`;

  it('is found by kubectl, and leaves the plain names to the CRD', async () => {
    const resources = await kubectl(
      'api-resources',
      '--api-group=subresources.stages.metio.wtf',
      '-o',
      'name',
    );
    expect(resources.trim().split('\n').sort()).to.deep.equal([
      'stagehistories.subresources.stages.metio.wtf',
      'stageplans.subresources.stages.metio.wtf',
      'stagesets.subresources.stages.metio.wtf',
    ]);
    const shop = await held();
    const plain = await kubectl(
      'get',
      'stagesets',
      '-n',
      shop.name,
      '-o',
      'jsonpath={.items[*].apiVersion}',
    );
    expect(plain).to.equal('stages.metio.wtf/v1');
    // kube-apiserver fetches our OpenAPI document a moment after it found us.
    const { cluster } = await sharedPlayground();
    await eventually(async () => {
      const { stdout } = await cluster.kubectl(['explain', 'stageplans.status.verdict']);
      return stdout.includes('What the next run comes to');
    });
  });

  it('says what would happen and what holds it, as a table, as an object, and as a page', async () => {
    const shop = await held();
    const table = await kubectl(
      'get',
      'stagesets.subresources.stages.metio.wtf',
      'shop',
      '--subresource=plan',
      '-n',
      shop.name,
    );
    expect(table.split('\n').map((line) => line.trim().split(/ {2,}/))).to.deep.equal([
      ['STAGE', 'VERDICT', 'CREATE', 'UPDATE', 'PRUNE', 'UNCHANGED', 'HELD BY', 'UNTIL'],
      ['web', 'Blocked', '0', '0', '0', '1', 'ManualPromotion'],
      ['api', 'Blocked', '1', '0', '0', '0'],
      [''],
    ]);
    const page = await kubectl('get', '--raw', `${paths(shop)}/plan?output=text`);
    expect(page).to.include(`StageSet ${shop.name}/shop: Blocked`);
    expect(page).to.include('+ v1 ConfigMap');
    const list = await kubectl('get', 'stageplans', '-n', shop.name, '--no-headers');
    expect(list.trim().split(/ {2,}/).slice(0, 5)).to.deep.equal([
      'shop',
      'Blocked',
      '1',
      '1',
      'ManualPromotion',
    ]);
    const everywhere = await kubectl(
      'get',
      'stageplans',
      '-A',
      '-o',
      'jsonpath={.items[*].metadata.namespace}',
    );
    expect(everywhere.split(' ')).to.include(shop.name);
  });

  it('lets a gate pass by patch, moves on within a second, and has it on record', async () => {
    const shop = await held();
    const looked = JSON.parse(await kubectl('get', '--raw', `${paths(shop)}/advance`)) as {
      status: { runId: string };
    };
    const { runId } = looked.status;
    const patch = (run: string): string[] => [
      'patch',
      'stagesets.subresources.stages.metio.wtf',
      'shop',
      '--subresource=advance',
      '--type=merge',
      '-n',
      shop.name,
      '-p',
      JSON.stringify({ spec: { stage: 'web', runId: run, reason: 'looks good' } }),
    ];
    expect(await refused(...patch('0000'))).to.include('Conflict');
    const began = performance.now();
    await kubectl(...patch(runId));
    await shop.untilReady('v1');
    expect(performance.now() - began).to.be.lessThan(3000);
    const history = await kubectl(
      'get',
      'stagesets.subresources.stages.metio.wtf',
      'shop',
      '--subresource=history',
      '-n',
      shop.name,
    );
    expect(history).to.include('ADVANCED BY');
    expect(history).to.match(/shop-1 +SpecChanged .*Succeeded +\S+/);
    // The same advance again is the same advance.
    await kubectl(...patch(runId));
    const again = await kubectl(
      'get',
      'stageruns',
      'shop-1',
      '-n',
      shop.name,
      '-o',
      'jsonpath={.status.advances[*].stage}',
    );
    expect(again).to.equal('web');
  });

  it('answers can-i, and tells nothing to whoever may nothing', async () => {
    const shop = await held();
    const may = await kubectl(
      'auth',
      'can-i',
      'create',
      'stagesets.subresources.stages.metio.wtf',
      '--subresource=advance',
    );
    expect(may.trim()).to.equal('yes');
    const words: string[] = [];
    for (const name of ['shop', 'no-such']) {
      const path = `${paths(shop).replace(/shop$/, name)}/plan`;
      const word = await refused('get', '--raw', path, '--as=nobody');
      words.push(word.replaceAll(`"${name}"`, 'NAME'));
    }
    expect(words[0]).to.include('Forbidden');
    expect(words[0]).to.equal(words[1]);
  });

  it('is withdrawn when the last one that serves it ends, and comes back with the next', async () => {
    const { client } = await sharedPlayground();
    const call = { signal: AbortSignal.timeout(30_000) };
    const reference = {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      name: 'v1.subresources.stages.metio.wtf',
    };
    expect(await client.find(reference, call)).not.to.equal(undefined);
    await api.process.stop();
    expect(await client.find(reference, call)).to.equal(undefined);
    api = await startApi(await sharedPlayground(), { flags: ['--log-level=debug'] });
  });
});
