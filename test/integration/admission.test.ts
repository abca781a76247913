import { expect } from 'chai';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { specAuthorOf, specChangedByAnnotation } from '../../src/core/spec-author.ts';
import { isJsonObject } from '../../src/kubernetes/shapes.ts';
import type { StageSet } from '../../src/types/stages.ts';
import {
  install,
  kubectl,
  type Rendered,
  startInstalled,
  system,
  untilBundlesWritten,
} from '../installation.ts';
import { configMap } from '../objects.ts';
import { showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { textOf } from '../unit/docs/markdown.ts';
import { untilObjects } from '../watching.ts';

const requestedBy = 'stages.metio.wtf/requested-by';
const valid = { stages: [{ name: 'app', sourceRef: { name: 'app' } }] };

describe('the admission webhooks, installed by kustomize', function () {
  this.timeout(120_000);
  let playground: Playground;
  let rendered: Rendered;
  let running: ControllerProcess;
  let stop: (() => Promise<void>) | undefined;

  before('install', async () => {
    ({ playground, rendered, running } = await install('admission'));
    stop = async () => await playground.stop();
  });
  afterEach('show the log', function () {
    if (this.currentTest?.state === 'failed') showLog(running);
  });
  after('stop the cluster', async () => {
    await stop?.();
  });

  function stageSet(namespace: string, spec: object, metadata: object = {}): string {
    return JSON.stringify({
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'StageSet',
      metadata: { name: 'web', namespace, ...metadata },
      spec,
    });
  }

  async function apply(manifest: string, ...flags: string[]): Promise<string> {
    return await kubectl(playground, ['apply', '--server-side', '-f', '-', ...flags], {
      input: manifest,
    });
  }

  async function setDefaultAccount(namespace: string, account: string): Promise<void> {
    const annotation = `stages.metio.wtf/default-service-account=${account}`;
    await kubectl(playground, ['annotate', 'namespace', namespace, annotation]);
  }

  /** What kubectl complains. */
  async function refusal(args: readonly string[], input?: string): Promise<string> {
    const given = input === undefined ? {} : { input };
    const { code, stderr } = await playground.cluster.kubectl(args, given);
    expect(code, stderr).not.to.equal(0);
    return stderr;
  }

  async function read(
    kind: string,
    namespace: string,
    path: string,
    name = 'web',
  ): Promise<string> {
    const output = `jsonpath={${path}}`;
    return await kubectl(playground, ['get', kind, name, '-n', namespace, '-o', output]);
  }

  it('refuse a bad spec with all that is wrong with it, as docs/admission.md shows', async () => {
    const page = await textOf('docs/admission.md');
    const [, manifest = '', output = ''] =
      /<<'MANIFEST'\n([^]*?)MANIFEST\n```\n\n```text\n([^]*?)```/.exec(page) ?? [];
    await kubectl(playground, ['create', 'namespace', 'shop']);
    expect(await refusal(['apply', '-f', '-'], manifest)).to.equal(output);
  });

  it('name the default ServiceAccount of the namespace, and leave one that is there alone', async () => {
    const { name } = await TestNamespace.create(playground);
    await setDefaultAccount(name, 'deployer');
    await apply(stageSet(name, valid));
    expect(await read('stageset', name, '.spec.serviceAccountName')).to.equal('deployer');
    await apply(stageSet(name, { ...valid, serviceAccountName: 'other' }));
    expect(await read('stageset', name, '.spec.serviceAccountName')).to.equal('other');
    // What a user sets and then removes comes back as the default.
    await apply(stageSet(name, valid));
    expect(await read('stageset', name, '.spec.serviceAccountName')).to.equal('deployer');
  });

  it('change nothing when the same manifest is applied again', async () => {
    const { name } = await TestNamespace.create(playground);
    await setDefaultAccount(name, 'deployer');
    const asked = { annotations: { 'stages.metio.wtf/promote': 'app=1' } };
    await apply(stageSet(name, { ...valid, suspend: true }, asked));
    const before = await read('stageset', name, '.metadata.generation');
    const notes = await read('stageset', name, '.metadata.annotations');
    await apply(stageSet(name, { ...valid, suspend: true }, asked));
    expect(await read('stageset', name, '.metadata.generation')).to.equal(before);
    expect(await read('stageset', name, '.metadata.annotations')).to.equal(notes);
    const diff = ['diff', '--server-side', '-f', '-'];
    const { code, stdout } = await playground.cluster.kubectl(diff, {
      input: stageSet(name, { ...valid, suspend: true }, asked),
    });
    expect(code, stdout).to.equal(0);
  });

  it('warn of a StageSet that would act as the controller', async () => {
    const { name } = await TestNamespace.create(playground);
    const { stderr } = await playground.cluster.kubectl(['apply', '-f', '-'], {
      input: stageSet(name, valid),
    });
    expect(stderr).to.match(/^Warning: .*serviceAccountName/m);
  });

  it('attack 20: an annotation with a note in the name of another (the authenticated user is noted, StageAdvance)', async () => {
    const { name } = await TestNamespace.create(playground);
    await apply(stageSet(name, { ...valid, suspend: true }));
    await kubectl(playground, [
      'create',
      'rolebinding',
      'alice',
      '--clusterrole=cluster-admin',
      '--user=alice',
      '-n',
      name,
    ]);
    const forged = JSON.stringify({
      'stages.metio.wtf/promote': { value: 'app=2', user: 'bob', groups: ['approvers'] },
    });
    await kubectl(playground, [
      'annotate',
      'stageset',
      'web',
      '-n',
      name,
      '--as=alice',
      'stages.metio.wtf/promote=app=2',
      `${requestedBy}=${forged}`,
    ]);
    const annotations = await read('stageset', name, '.metadata.annotations');
    const parsed = JSON.parse(annotations) as Record<string, string>;
    const notes: unknown = JSON.parse(parsed[requestedBy] ?? '');
    const note = isJsonObject(notes) ? notes['stages.metio.wtf/promote'] : undefined;
    expect(note).to.include({ value: 'app=2', user: 'alice' });
    // The note is not for anybody to edit either.
    await kubectl(playground, ['annotate', 'stageset', 'web', '-n', name, `${requestedBy}-`]);
    expect(await read('stageset', name, '.metadata.annotations')).to.equal(annotations);
  });

  it('attack 133: a note of who changed the spec in the name of another (whoever changed it is noted, part B 2.6)', async () => {
    const { name } = await TestNamespace.create(playground);
    const version = {
      value: '1.0.0',
      approvalMode: 'Always',
      approvals: { excludeSpecAuthor: true },
    };
    const spec = { ...valid, suspend: true, version };
    await setDefaultAccount(name, 'deployer');
    await apply(stageSet(name, spec));
    const author = async (): Promise<string | undefined> => {
      const stored = JSON.parse(
        await kubectl(playground, ['get', 'stageset', 'web', '-n', name, '-o', 'json']),
      ) as StageSet;
      return specAuthorOf(stored)?.user;
    };
    // What is noted is about the spec as it is stored, with what the webhook and the CRD fill in.
    const first = await author();
    expect(first).to.be.a('string');
    const alice = ['rolebinding', 'alice', '--clusterrole=cluster-admin', '--user=alice'];
    await kubectl(playground, ['create', ...alice, '-n', name]);
    const as = ['--as=alice', '-n', name];
    const patch = (body: object): string[] => [
      ...['patch', 'stageset', 'web', ...as, '--type=merge', '-p', JSON.stringify(body)],
    ];
    await kubectl(playground, patch({ spec: { suspend: false } }));
    await kubectl(playground, patch({ spec: { suspend: true } }));
    expect(await author()).to.equal(first);
    const changed = { metadata: {}, spec: { interval: '7m' } };
    const annotations = await read('stageset', name, '.metadata.annotations');
    const noted = (JSON.parse(annotations) as Record<string, string>)[specChangedByAnnotation];
    await kubectl(
      playground,
      patch({ ...changed, metadata: { annotations: { [specChangedByAnnotation]: noted } } }),
    );
    expect(await author()).to.equal('alice');
    await kubectl(playground, [
      ...['annotate', 'stageset', 'web', ...as, `${specChangedByAnnotation}-`],
    ]);
    expect(await author()).to.equal('alice');
  });

  it('attack 21: a StageRun or StageInventory written by a tenant (only the controller writes records, StageRun)', async () => {
    const shop = await TestNamespace.create(playground);
    await kubectl(playground, ['create', 'serviceaccount', 'deployer', '-n', shop.name]);
    const deployer = `--serviceaccount=${shop.name}:deployer`;
    await kubectl(playground, [
      'create',
      'rolebinding',
      'deployer',
      '--clusterrole=edit',
      deployer,
      '-n',
      shop.name,
    ]);
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['app'], { serviceAccountName: 'deployer' });
    await shop.untilReady('v1');
    const runs = { apiVersion: 'stages.metio.wtf/v1', kind: 'StageRun', namespace: shop.name };
    const run = await untilObjects(playground.client, runs, (seen) => [...seen.keys()][0]);
    const inventories = { ...runs, kind: 'StageInventory' };
    const inventory = await untilObjects(
      playground.client,
      inventories,
      (seen) => [...seen.keys()][0],
    );
    const finished = await read('stagerun', shop.name, '.status', run);
    const merge = ['--type=merge', '-n', shop.name];
    for (const args of [
      [
        'patch',
        'stagerun',
        run,
        ...merge,
        '-p',
        '{"status":{"phase":"Failed"}}',
        '--subresource=status',
      ],
      ['label', 'stagerun', run, '-n', shop.name, 'reviewed=yes'],
      ['patch', 'stageinventory', inventory, ...merge, '-p', '{"spec":{"entries":[]}}'],
    ]) {
      expect(await refusal(args)).to.match(
        new RegExp(`only .*system:serviceaccount:${system}:stageset-controller`, 'i'),
      );
    }
    const stranger = { apiVersion: 'stages.metio.wtf/v1', kind: 'StageRun' };
    const spec = {
      runId: 'forged',
      sequence: 99,
      trigger: 'Requested',
      generation: 1,
      snapshot: [],
    };
    const metadata = { name: 'shop-99', namespace: shop.name };
    expect(
      await refusal(['create', '-f', '-'], JSON.stringify({ ...stranger, metadata, spec })),
    ).to.include('stageset-controller');
    expect(await read('stagerun', shop.name, '.status', run)).to.equal(finished);
  });

  it('let a namespace go with everything in it', async () => {
    const shop = await TestNamespace.create(playground);
    await shop.publish('app', 'v1', [configMap('app')]);
    await apply(stageSet(shop.name, { ...valid, suspend: true }));
    await kubectl(playground, ['delete', 'namespace', shop.name, '--timeout=60s']);
  });

  it('go on with a new authority, which every caBundle has', async () => {
    const { name } = await TestNamespace.create(playground);
    const secrets = { apiVersion: 'v1', kind: 'Secret', namespace: system };
    const secret = 'stageset-controller-serving-cert';
    const leaf = await read('secret', system, '.data.tls\\.crt', secret);
    await kubectl(playground, ['delete', 'secret', secret, '-n', system]);
    const made = await untilObjects(playground.client, secrets, (seen) => {
      const data = seen.get(secret)?.['data'];
      const fresh = isJsonObject(data) && data['tls.crt'] !== leaf;
      return fresh ? data : undefined;
    });
    const authority = Buffer.from(String(made['ca.crt']), 'base64').toString();
    await untilBundlesWritten(playground, authority);
    await apply(stageSet(name, { ...valid, suspend: true }));
  });

  describe('while nobody answers', () => {
    let orphan: TestNamespace;

    before('kill the process', async () => {
      orphan = await TestNamespace.create(playground);
      await apply(stageSet(orphan.name, { ...valid, suspend: true }));
      const stored = {
        apiVersion: 'stages.metio.wtf/v1',
        kind: 'StageSet',
        namespace: orphan.name,
      };
      await untilObjects(playground.client, stored, (seen) =>
        seen.get('web')?.metadata.finalizers?.length === 1 ? true : undefined,
      );
      await running.kill();
    });

    it('nothing is stored that nobody could check', async () => {
      const other = stageSet(orphan.name, valid, { name: 'other' });
      expect(await refusal(['create', '-f', '-'], other)).to.include('vstageset.stages.metio.wtf');
      const suspend = ['patch', 'stageset', 'web', '-n', orphan.name, '--type=merge'];
      expect(await refusal([...suspend, '-p', '{"spec":{"interval":"2m"}}'])).to.include(
        'vstageset.stages.metio.wtf',
      );
    });

    it('labels, annotations and status can be written', async () => {
      await kubectl(playground, ['label', 'stageset', 'web', '-n', orphan.name, 'team=shop']);
      await kubectl(playground, ['annotate', 'stageset', 'web', '-n', orphan.name, 'a=b']);
      await kubectl(playground, [
        'patch',
        'stageset',
        'web',
        '-n',
        orphan.name,
        '--subresource=status',
        '--type=merge',
        '-p',
        '{"status":{"observedGeneration":1}}',
      ]);
    });

    it('nobody can say in the name of others who asked for something', async () => {
      const forged = `${requestedBy}={}`;
      const annotate = ['annotate', 'stageset', 'web', '-n', orphan.name, forged];
      expect(await refusal(annotate)).to.include('vstageset.stages.metio.wtf');
    });

    it('deletions and finalizers pass, and the namespace goes', async () => {
      await kubectl(playground, ['delete', 'stageset', 'web', '-n', orphan.name, '--wait=false']);
      await kubectl(playground, [
        'patch',
        'stageset',
        'web',
        '-n',
        orphan.name,
        '--type=merge',
        '-p',
        '{"metadata":{"finalizers":null}}',
      ]);
      await kubectl(playground, ['delete', 'apiservice', 'v1.subresources.stages.metio.wtf']);
      await kubectl(playground, ['delete', 'namespace', orphan.name, '--timeout=60s']);
    });
  });

  describe('that came back', () => {
    let shop: TestNamespace;

    before('start another process, while an invalid StageSet is stored', async () => {
      shop = await TestNamespace.create(playground);
      for (const kind of ['validatingwebhookconfiguration', 'mutatingwebhookconfiguration']) {
        await kubectl(playground, ['delete', kind, 'stageset-controller']);
      }
      const twice = { name: 'app', sourceRef: { name: 'app' } };
      await apply(stageSet(shop.name, { stages: [twice, { ...twice, sourceRef: { name: 'b' } }] }));
      const again = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
      await kubectl(playground, again, { input: rendered.text });
      const started = await startInstalled(playground, rendered, [
        '--default-service-account=fallback',
      ]);
      running = started;
      await untilBundlesWritten(playground);
    });

    it('let an invalid StageSet be suspended and annotated, but not changed otherwise', async () => {
      const web = ['stageset', 'web', '-n', shop.name];
      await kubectl(playground, [
        'patch',
        ...web,
        '--type=merge',
        '-p',
        '{"spec":{"suspend":true}}',
      ]);
      await kubectl(playground, ['annotate', ...web, 'a=b']);
      const change = ['patch', ...web, '--type=merge', '-p', '{"spec":{"interval":"3m"}}'];
      expect(await refusal(change)).to.include('spec.stages[1].name');
    });

    it('give the ServiceAccount of the flag where the namespace has none', async () => {
      const { name } = await TestNamespace.create(playground);
      await apply(stageSet(name, { ...valid, suspend: true }));
      expect(await read('stageset', name, '.spec.serviceAccountName')).to.equal('fallback');
    });
  });
});
