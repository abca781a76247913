import { expect } from 'chai';
import { useActions } from '../action-stand.ts';
import { configMap, deployment, serviceAccount, toy, toyDefinition } from '../objects.ts';
import { everyVerb, grant } from '../rbac.ts';
import type { TestNamespace } from '../test-namespace.ts';
import { servedSoon } from './objects.ts';

const configMaps = { apiGroups: [''], resources: ['configmaps'], verbs: everyVerb };
const sources = {
  apiGroups: ['source.toolkit.fluxcd.io'],
  resources: ['*'],
  verbs: ['get', 'list'],
};

describe('a stage whose actions go wrong', () => {
  const stand = useActions();
  let shop: TestNamespace;

  beforeEach(async () => {
    shop = await stand.namespace();
  });

  async function release(
    actions: Record<string, unknown>,
    spec: Record<string, unknown> = {},
    stage: Record<string, unknown> = {},
  ): Promise<void> {
    await shop.createStageSet([{ name: 'app', actions, ...stage }], spec);
  }

  async function account(
    name: string,
    ...rules: Parameters<typeof grant>[2][number][]
  ): Promise<void> {
    await shop.create(serviceAccount(name));
    await grant(shop, { namespace: shop.name, name }, rules, name);
  }

  it('[gap 1.2] keeps the applied revision as it was when an action of pre has failed', async () => {
    const path = `/${shop.name}/check`;
    await release({ pre: [stand.http(shop, 'check')] });
    await shop.untilReady('v1');
    stand.receiver.statuses.set(path, 404);
    await shop.publish('app', 'v2', [configMap('app', { release: 'v2' })]);
    await shop.untilReason('StageFailed');
    const failed = await shop.untilPhase('app', 'Failed');
    expect(failed.status?.stages?.[0]?.appliedRevision).to.equal('v1');
    expect(failed.status?.stages?.[0]?.ledgerRevision).to.equal('v2');
    expect((await shop.find(configMap('app')))?.['data']).to.equal(undefined);
    stand.receiver.statuses.delete(path);
    await shop.request('repaired');
    await shop.untilReady('v2');
    expect(await shop.eventReasons()).not.to.include('DriftCorrected');
  });

  it('ends all attempts at an http action with its timeout', async () => {
    const path = `/${shop.name}/silent`;
    stand.receiver.held.add(path);
    const began = performance.now();
    await release({ pre: [stand.http(shop, 'silent', { timeout: '1s', retries: 50 })] });
    const message = await shop.untilReason('StageFailed');
    expect(performance.now() - began).to.be.below(10_000);
    expect(message).to.match(/action silent.*: not done within 1s, since /);
    expect(stand.receiver.counts(path)[path]).to.be.at.most(2);
    stand.receiver.held.delete(path);
  });

  it('counts a request whose connection breaks as an attempt', async () => {
    const path = `/${shop.name}/broken`;
    stand.receiver.broken.add(path);
    await release({ pre: [stand.http(shop, 'broken', { retries: 1 })] });
    const message = await shop.untilReason('StageFailed');
    expect(message).to.include('action broken after 2 attempts');
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 2 });
  });

  it('(edge case 18) tries a 503 and a 429 again, and a 400 not', async () => {
    const answers = { busy: 503, many: 429, wrong: 400, last: 400 };
    for (const [name, status] of Object.entries(answers)) {
      stand.receiver.statuses.set(`/${shop.name}/${name}`, status);
    }
    const onFailure = ['busy', 'many', 'wrong'].map((name) =>
      stand.http(shop, name, { retries: 1 }),
    );
    await release({ post: [stand.http(shop, 'last')], onFailure });
    await shop.untilReason('StageFailed');
    const counts = Object.keys(answers).map(
      (name) => stand.receiver.paths(`/${shop.name}/${name}`).length,
    );
    expect(counts).to.deep.equal([2, 2, 1, 1]);
  });

  it('(edge case 17) never carries a Secret to another host by a redirect', async () => {
    const path = `/${shop.name}/token`;
    const elsewhere = `http://localhost.example.com:1${path}`;
    stand.receiver.redirects.set(path, elsewhere);
    const token = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'token' } };
    await shop.create({ ...token, stringData: { Authorization: 'Bearer plain-words' } });
    const url = stand.receiver.url(path);
    const headersFrom = [{ name: 'token', key: 'Authorization' }];
    await release({ pre: [{ name: 'token', retries: 3, http: { url, headersFrom } }] });
    const message = await shop.untilReason('StageFailed');
    expect(message).to.include(`${stand.receiver.host} redirects to another host or port`);
    // A server may have hidden the Secret in it.
    expect(message).not.to.include('localhost.example.com');
    expect(message).to.include('the request has a Secret in it');
    expect(message).not.to.include('plain-words');
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 1 });
  });

  it('says what it saw last when a wait takes too long', async () => {
    const target = { apiVersion: 'v1', kind: 'ConfigMap', name: 'missing' };
    const wait = { target, expr: 'has(metadata.labels)', timeout: '1500ms' };
    await release({ pre: [{ name: 'later', wait }] });
    const message = await shop.untilReason('StageFailed');
    expect(message).to.match(/action later.*: not done within 1500ms|1\.5s/);
    expect(message).to.match(/ConfigMap.*missing/);
    expect(await shop.configMapNames()).to.deep.equal([]);
  });

  it('[gap 7.3] merges a patch of type merge into a custom resource', async () => {
    await shop.client.create(toyDefinition('Gadget'), {}, shop.call);
    const gadget = toy('Gadget', 'one');
    await servedSoon(async () => await shop.create(gadget));
    const target = { apiVersion: gadget.apiVersion, kind: 'Gadget', name: 'one' };
    await release({ pre: [{ name: 'paint', patch: { target, patch: 'spec: {colour: red}' } }] });
    await shop.untilReady('v1');
    expect((await shop.find(gadget))?.['spec']).to.deep.equal({ colour: 'red' });
  });

  it('is RBACDenied where the account may not delete, and goes on once the Role is there', async () => {
    await account('deployer', configMaps);
    await shop.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'old' } });
    const target = { apiVersion: 'v1', kind: 'Secret', name: 'old' };
    await release(
      { pre: [{ name: 'tidy', delete: { target } }] },
      { serviceAccountName: 'deployer' },
    );
    const message = await shop.untilReason('RBACDenied');
    for (const named of [
      'delete',
      'secrets',
      shop.name,
      `system:serviceaccount:${shop.name}:deployer`,
    ]) {
      expect(message).to.include(named);
    }
    const deployer = { namespace: shop.name, name: 'deployer' };
    await grant(shop, deployer, [{ ...configMaps, resources: ['secrets'] }], 'tidy');
    await shop.request('granted');
    await shop.untilReady('v1');
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'old' } };
    expect(await shop.find(secret)).to.equal(undefined);
  });

  it('fails when what is applied with wait does not get healthy in time', async () => {
    await shop.publish('more', 'v1', [deployment('web')]);
    const apply = { sourceRef: { name: 'more' }, wait: true };
    await release({ post: [{ name: 'more', timeout: '2s', apply }] });
    const message = await shop.untilReason('StageFailed');
    expect(message).to.match(/post-action: action more.*not done within 2s/);
    expect(message).to.include('Deployment');
    expect(message).to.include('web');
  });

  it('acts as the account of the stage, and not as that of the whole', async () => {
    await account('weak', sources);
    await account('strong', configMaps, sources);
    await shop.create(configMap('target'));
    const target = { apiVersion: 'v1', kind: 'ConfigMap', name: 'target' };
    const patch = { target, patch: 'data: {by: stage}' };
    const pre = [{ name: 'mark', patch }];
    await release({ pre }, { serviceAccountName: 'weak' }, { serviceAccountName: 'strong' });
    await shop.untilReady('v1');
    expect((await shop.find(configMap('target')))?.['data']).to.deep.equal({ by: 'stage' });
  });
});

describe('an attempt at an action that is under way', () => {
  const stand = useActions();
  let shop: TestNamespace;
  let path: string;

  beforeEach('begin an attempt that gets no answer yet', async () => {
    shop = await stand.namespace();
    path = `/${shop.name}/slow`;
    stand.receiver.held.add(path);
    const pre = [stand.http(shop, 'slow', { timeout: '3s' })];
    await shop.createStageSet([{ name: 'app', actions: { pre } }]);
    await stand.receiver.untilCalled(path);
    stand.receiver.held.delete(path);
  });

  it('is ended and on record before a suspension counts, and done once when it is resumed', async () => {
    await shop.changeSpec({ suspend: true });
    await shop.untilReason('Suspended');
    await shop.changeSpec({ suspend: false });
    await shop.untilReady('v1');
    expect(stand.receiver.counts(path)[path]).to.equal(2);
  });

  it('does not keep a deletion waiting', async () => {
    const began = performance.now();
    await shop.deleteStageSet();
    await shop.untilStageSetGone();
    expect(performance.now() - began).to.be.below(5000);
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 1 });
  });

  it('is not begun beside itself when the spec is edited', async () => {
    await shop.changeSpec({ interval: '2h' });
    await shop.untilReady('v1');
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 2 });
  });

  it('is not begun beside itself by a forced reconcile', async () => {
    await shop.request('now');
    await shop.untilReady('v1');
    expect(stand.receiver.counts(path)).to.deep.equal({ [path]: 2 });
  });
});
