import { expect } from 'chai';
import type { ActionContext } from '../../src/actions/action-context.ts';
import { ActionVerbs } from '../../src/actions/verbs.ts';
import { findOwned } from '../../src/apply/find-owned.ts';
import { DeniedError, RetryableError, TerminalError } from '../../src/core/errors.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { SourceReference } from '../../src/types/stages.ts';
import { actionContext } from '../action-context.ts';
import { RealTools } from '../action-place.ts';
import { tenantWith } from '../actors.ts';
import { configMap, deployment, toy, toyDefinition, withMetadata } from '../objects.ts';
import { sharedPlayground } from '../playground.ts';
import { everyVerb, grant, grantEverywhere, type Rule } from '../rbac.ts';
import { TestNamespace } from '../test-namespace.ts';
import { caught } from './objects.ts';

const sources = {
  apiGroups: ['source.toolkit.fluxcd.io'],
  resources: ['*'],
  verbs: ['get', 'list'],
};
const workloads = {
  apiGroups: ['', 'apps', 'toys.example.com'],
  resources: ['*'],
  verbs: everyVerb,
};

describe('an apply action', () => {
  const verbs = new ActionVerbs({
    http: { call: async () => await Promise.reject(new Error('This test calls nobody')) },
  });
  let tools: RealTools;
  let shop: TestNamespace;
  let tenant: KubernetesClient;

  before('use what the controller builds with', async () => {
    tools = new RealTools(await sharedPlayground());
  });

  after(async () => {
    await tools.close();
  });

  async function begin(rules: readonly Rule[] = [sources, workloads]): Promise<void> {
    shop = await TestNamespace.create(await sharedPlayground());
    tenant = await tenantWith(shop, rules);
  }

  interface Settings {
    readonly sourceRef?: SourceReference;
    readonly path?: string;
    readonly wait?: boolean;
  }

  function contextOf(
    apply: Settings = {},
    crossNamespaceReferences: 'Allowed' | 'Refused' = 'Allowed',
  ): ActionContext {
    const action = { name: 'seed', apply: { sourceRef: { name: 'seed' }, ...apply } };
    return actionContext(shop, tenant, action, tools.of(shop, 'tenant', crossNamespaceReferences));
  }

  it('applies with the labels of the StageSet and of no stage, and is done', async () => {
    await begin();
    await shop.publish('seed', 'v1', [configMap('seed', { one: '1' }), deployment('web')]);
    expect(await verbs.attempt(contextOf(), shop.call)).to.deep.equal({ kind: 'Done' });
    const { metadata, data } = (await shop.find(configMap('seed'))) ?? configMap('none');
    expect(data).to.deep.equal({ one: '1' });
    expect(metadata.labels).to.deep.equal({
      'stages.metio.wtf/name': 'shop',
      'stages.metio.wtf/namespace': shop.name,
    });
    expect(JSON.stringify(metadata.managedFields)).to.include('"manager":"stageset-controller"');
    expect(await shop.inventories()).to.deep.equal({});
    // Nobody takes it for what a stage has left behind.
    const search = { kinds: [{ group: '', kind: 'ConfigMap' }], namespaces: [shop.name] };
    const owner = { name: 'shop', namespace: shop.name };
    const { byStage } = await findOwned(search, owner, shop.client, shop.call);
    expect([...byStage]).to.deep.equal([]);
    // It has been here before, and finds what it has applied.
    await shop.publish('seed', 'v2', [configMap('seed', { two: '2' }), deployment('web')]);
    expect(await verbs.attempt(contextOf(), shop.call)).to.deep.equal({ kind: 'Done' });
    expect((await shop.find(configMap('seed')))?.['data']).to.deep.equal({ two: '2' });
  });

  it('waits until all is healthy, where it is told to', async () => {
    await begin();
    await shop.publish('seed', 'v1', [
      deployment('web'),
      ...['a', 'b', 'c'].map((n) => configMap(n)),
    ]);
    const context = contextOf({ wait: true });
    const attempt = await verbs.attempt(context, shop.call);
    if (attempt.kind !== 'Await') throw new Error('nothing is awaited');
    const first = await verbs.look(context, attempt.awaited, shop.call);
    expect(first.kind).to.equal('NotYet');
    expect(first).to.have.property('message').that.includes(`Deployment/${shop.name}/web`);
    await shop.reportDeployment('web', 'Available');
    expect(await verbs.look(context, attempt.awaited, shop.call)).to.deep.equal({ kind: 'Done' });
    await shop.reportDeployment('web', 'Stuck');
    const stuck = await verbs.look(context, attempt.awaited, shop.call);
    expect(stuck.kind).to.equal('Failed');
  });

  it('is done at once when there is nothing to wait for', async () => {
    await begin();
    await shop.publish('seed', 'v1', [configMap('seed')]);
    const attempt = await verbs.attempt(contextOf({ wait: true }), shop.call);
    expect(attempt).to.deep.equal({ kind: 'Done' });
  });

  it('builds the directory that it names', async () => {
    await begin();
    await shop.publishFiles('seed', 'v1', {
      'one/map.yaml': JSON.stringify(configMap('one')),
      'two/kustomization.yaml': 'namePrefix: the-\nresources: [map.yaml]\n',
      'two/map.yaml': JSON.stringify(configMap('two', { text: '${KEPT}' })),
    });
    await verbs.attempt(contextOf({ path: 'two' }), shop.call);
    expect(await shop.find(configMap('one'))).to.equal(undefined);
    // Nothing is substituted.
    expect((await shop.find(configMap('the-two')))?.['data']).to.deep.equal({ text: '${KEPT}' });
  });

  it('applies what its own definitions define', async () => {
    await begin();
    const account = { namespace: shop.name, name: 'tenant' };
    const crds = { apiGroups: ['apiextensions.k8s.io'], resources: ['*'], verbs: everyVerb };
    await grantEverywhere(shop, account, [crds]);
    await shop.publish('seed', 'v1', [toyDefinition('Gannet'), toy('Gannet', 'one')]);
    expect(await verbs.attempt(contextOf(), shop.call)).to.deep.equal({ kind: 'Done' });
    expect(await shop.find(toy('Gannet', 'one'))).not.to.equal(undefined);
  });

  it('refuses what another owner has, and what a stage of the same StageSet applies', async () => {
    await begin();
    const labels = { 'stages.metio.wtf/name': 'other', 'stages.metio.wtf/namespace': shop.name };
    await shop.create(withMetadata(configMap('taken'), { labels }));
    await shop.publish('seed', 'v1', [configMap('taken')]);
    const foreign = await caught(verbs.attempt(contextOf(), shop.call));
    expect(foreign).to.be.instanceOf(TerminalError);
    expect(foreign)
      .to.have.property('message')
      .that.includes(`belongs to StageSet ${shop.name}/other`);
    const own = {
      'stages.metio.wtf/name': 'shop',
      'stages.metio.wtf/namespace': shop.name,
      'stages.metio.wtf/stage': 'web',
    };
    await shop.create(withMetadata(configMap('staged'), { labels: own }));
    await shop.publish('seed', 'v2', [configMap('staged')]);
    const staged = await caught(verbs.attempt(contextOf(), shop.call));
    expect(staged).to.be.instanceOf(TerminalError);
    expect(staged).to.have.property('message').that.includes('stage web applies it already');
    expect((await shop.find(configMap('staged')))?.metadata.labels).to.deep.equal(own);
  });

  it('fails at an encrypted artifact, by whatever way it got in', async () => {
    await begin();
    const sealed = 'ENC[AES256_GCM,data:8J8=,iv:aaaa,tag:bbbb,type:str]';
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' } };
    await shop.publishFiles('seed', 'v1', {
      'secret.yaml': JSON.stringify({
        ...secret,
        stringData: { key: sealed },
        sops: { mac: sealed },
      }),
    });
    const plain = await caught(verbs.attempt(contextOf(), shop.call));
    expect(plain).to.be.instanceOf(TerminalError);
    expect(plain)
      .to.have.property('message')
      .that.includes('Secret/key in the artifact is encrypted with SOPS');
    await shop.publishFiles('seed', 'v2', {
      'kustomization.yaml': 'secretGenerator:\n- name: key\n  envs: [key.env]\n',
      'key.env': `KEY=${sealed}\nsops_mac=${sealed}\n`,
    });
    const generated = await caught(verbs.attempt(contextOf(), shop.call));
    expect(generated).to.be.instanceOf(TerminalError);
    expect(generated).to.have.property('message').that.includes('is encrypted with SOPS');
    expect(generated).to.have.property('message').that.does.not.include('AES256');
  });

  it('reads its source as the account of the stage', async () => {
    await begin([workloads]);
    await shop.publish('seed', 'v1', [configMap('seed')]);
    const error = await caught(verbs.attempt(contextOf(), shop.call));
    expect(error).to.be.instanceOf(DeniedError);
    expect(error)
      .to.have.property('message')
      .that.includes(
        `"system:serviceaccount:${shop.name}:tenant" cannot get resource "externalartifacts"`,
      );
  });

  it('is refused with verb, resource, namespace and account to a tenant without rights', async () => {
    await begin([sources]);
    await shop.publish('seed', 'v1', [configMap('seed')]);
    const error = await caught(verbs.attempt(contextOf(), shop.call));
    expect(error).to.be.instanceOf(DeniedError);
    expect(error)
      .to.have.property('message')
      .that.includes(
        `"system:serviceaccount:${shop.name}:tenant" cannot patch resource "configmaps"`,
      )
      .and.includes(`in the namespace "${shop.name}"`);
  });

  it('finds what a producer has made, and waits for a source that is not ready', async () => {
    await begin();
    const producer = { apiVersion: 'jaas.metio.wtf/v1', kind: 'JsonnetSnippet', name: 'snippet' };
    const none = await caught(verbs.attempt(contextOf({ sourceRef: producer }), shop.call));
    expect(none).to.be.instanceOf(RetryableError);
    await shop.publish('made', 'v1', [configMap('made')]);
    const artifact = {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'ExternalArtifact',
      metadata: { name: 'made' },
    };
    await shop.patch(artifact, { spec: { sourceRef: producer } });
    await verbs.attempt(contextOf({ sourceRef: producer }), shop.call);
    expect(await shop.find(configMap('made'))).not.to.equal(undefined);
    await shop.publish('late', 'v1', [configMap('late')], { ready: 'False' });
    const late = await caught(verbs.attempt(contextOf({ sourceRef: { name: 'late' } }), shop.call));
    expect(late).to.be.instanceOf(RetryableError);
    expect(late).to.have.property('message').that.includes('is not ready');
  });

  it('leaves its namespace only where that is allowed, and tells nothing of what is there', async () => {
    await begin();
    const other = await TestNamespace.create(await sharedPlayground());
    await other.publish('seed', 'v1', [configMap('elsewhere')]);
    const sourceRef = { name: 'seed', namespace: other.name };
    const unreadable = await caught(verbs.attempt(contextOf({ sourceRef }), shop.call));
    expect(unreadable).to.be.instanceOf(RetryableError);
    await grant(other, { namespace: shop.name, name: 'tenant' }, [sources]);
    await verbs.attempt(contextOf({ sourceRef }), shop.call);
    expect(await shop.find(configMap('elsewhere'))).not.to.equal(undefined);
    const refused = await caught(verbs.attempt(contextOf({ sourceRef }, 'Refused'), shop.call));
    expect(refused).to.be.instanceOf(TerminalError);
    expect(refused)
      .to.have.property('message')
      .that.equals(unreadable instanceof Error ? unreadable.message : '');
  });

  it('does not replace what cannot be changed', async () => {
    await begin();
    await shop.create({ ...configMap('fixed', { one: '1' }), immutable: true });
    const force = { annotations: { 'stages.metio.wtf/force': 'true' } };
    await shop.publish('seed', 'v1', [configMap('fixed', { two: '2' })]);
    const plain = await caught(verbs.attempt(contextOf(), shop.call));
    expect(plain).to.be.instanceOf(RetryableError);
    expect(plain).to.have.property('message').that.does.not.include('Recreate');
    await shop.publish('seed', 'v2', [withMetadata(configMap('fixed', { two: '2' }), force)]);
    const forced = await caught(verbs.attempt(contextOf(), shop.call));
    expect(forced).to.be.instanceOf(TerminalError);
    expect(forced).to.have.property('message').that.includes('an action does not replace objects');
  });

  it('tells whether an expression is true, and what is wrong with one', async () => {
    await begin();
    const { evaluate } = tools.of(shop);
    const object = configMap('seed', { size: '3' });
    expect(await evaluate('metadata.name == "seed"', object, shop.call)).to.equal(true);
    expect(await evaluate('metadata.name == "other"', object, shop.call)).to.equal(false);
    const error = await caught(evaluate('metadata.name', object, shop.call));
    expect(error).to.have.property('message').that.includes('not a bool');
  });
});
