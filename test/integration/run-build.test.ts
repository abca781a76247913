import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { pause } from '../../src/kubernetes/wait.ts';
import { kustomizeBinary } from '../kustomize.ts';
import { metricSum } from '../metrics.ts';
import { configMap, configMaps } from '../objects.ts';
import { useController } from '../playground.ts';
import type { TestNamespace } from '../test-namespace.ts';

const directory = join(tmpdir(), `counted-kustomize-${process.pid}`);
const runs = join(directory, 'runs');

/** The real kustomize behind a script that counts its runs. */
const counted = join(directory, 'kustomize');

describe('building in a run', () => {
  let shop: TestNamespace;

  before('write the script', async () => {
    const real = await kustomizeBinary();
    await mkdir(directory);
    await writeFile(runs, '');
    const script = `#!/bin/sh\nprintf x >> ${runs}\nexec ${real} "$@"\n`;
    await writeFile(counted, script, { mode: 0o700 });
  });

  const stand = useController({
    flags: ['--log-level=debug', `--kustomize-binary=${counted}`],
  });

  beforeEach('make a namespace', async () => {
    shop = await stand.namespace();
  });
  after('remove the script', () => rm(directory, { recursive: true }));

  const kustomizeRuns = async (): Promise<number> => (await readFile(runs, 'utf8')).length;

  /** Waits until so many stages have passed apply and verify again. */
  async function untilApplied(stages: number): Promise<void> {
    const { metricsUrl } = stand.controller;
    const applied = async (): Promise<number> =>
      await metricSum(metricsUrl, 'stageset_stage_applied_total', shop.name);
    const end = (await applied()) + stages;
    const signal = AbortSignal.timeout(20_000);
    while ((await applied()) < end) await pause(20, signal);
  }

  const kustomized = {
    'kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: x-\n',
    'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\n',
  };

  it('downloads and builds nothing where nothing has changed', async () => {
    await shop.publishFiles('one', 'v1', kustomized);
    await shop.publish('two', 'v1', configMaps('two', 100));
    const { artifacts } = stand.playground;
    const before = { downloads: artifacts.downloads, runs: await kustomizeRuns() };
    await shop.createStageSet(['one', 'two'], { interval: '1s' });
    await shop.untilReady('v1');
    expect(artifacts.downloads - before.downloads).to.equal(2);
    expect((await kustomizeRuns()) - before.runs).to.equal(1);
    await untilApplied(6);
    expect(artifacts.downloads - before.downloads).to.equal(2);
    expect((await kustomizeRuns()) - before.runs).to.equal(1);
  });

  it('builds again when a patch changes, without another download', async () => {
    await shop.publishFiles('app', 'v1', kustomized);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    const { artifacts } = stand.playground;
    const before = { downloads: artifacts.downloads, runs: await kustomizeRuns() };
    const patch = '[{"op":"add","path":"/data/patched","value":"yes"}]';
    await shop.changeStages([{ name: 'app', patches: [{ patch, target: { kind: 'ConfigMap' } }] }]);
    const object = await shop.untilObject(
      configMap('x-a'),
      ({ data }) => JSON.stringify(data) !== '{"a":"b"}',
    );
    expect(object['data']).to.deep.equal({ a: 'b', patched: 'yes' });
    await shop.untilReady('v1');
    expect(artifacts.downloads - before.downloads).to.equal(0);
    expect((await kustomizeRuns()) - before.runs).to.equal(1);
  });

  it('patches objects of a plain directory before they are applied', async () => {
    await shop.publish('app', 'v1', [configMap('a', { a: 'b' }), configMap('b', { a: 'b' })]);
    const patch = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {c: d}\n';
    await shop.createStageSet([{ name: 'app', patches: [{ patch }] }]);
    await shop.untilReady('v1');
    expect((await shop.find(configMap('a')))?.['data']).to.deep.equal({ a: 'b' });
    expect((await shop.find(configMap('b')))?.['data']).to.deep.equal({ a: 'b', c: 'd' });
  });

  it('says which patch of which stage matches nothing, and applies nothing', async () => {
    await shop.publish('app', 'v1', [configMap('a', { a: 'b' })]);
    const patch = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: lost}\ndata: {c: d}\n';
    await shop.createStageSet([{ name: 'app', patches: [{ patch }] }]);
    const message = await shop.untilReason('StageFailed');
    expect(message).to.match(
      /app.*patches\[0\]: kustomize: no resource matches strategic merge patch "ConfigMap\.v1\.\[noGrp\]\/lost\.\[noNs\]"/,
    );
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('leaves expressions as they are where there are no variables', async () => {
    await shop.publish('app', 'v1', [configMap('a', { a: '${NAME}', b: '$$' })]);
    await shop.createStageSet(['app']);
    await shop.untilReady('v1');
    expect((await shop.find(configMap('a')))?.['data']).to.deep.equal({ a: '${NAME}', b: '$$' });
  });
});
