import { expect } from 'chai';
import { attemptPatch } from '../../src/actions/patch.ts';
import { DeniedError, RetryableError, TerminalError } from '../../src/core/errors.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import type { PatchAction } from '../../src/types/stages.ts';
import { actionContext } from '../action-context.ts';
import { tenantWith } from '../actors.ts';
import { configMap, deployment, toy, toyDefinition, withMetadata } from '../objects.ts';
import { sharedPlayground } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { caught, servedSoon } from './objects.ts';

const rights = [
  { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'patch'] },
  { apiGroups: ['apps', 'toys.example.com'], resources: ['*'], verbs: ['get', 'list', 'patch'] },
];

const definition = toyDefinition('Puffin');

describe('a patch action', () => {
  let shop: TestNamespace;
  let tenant: KubernetesClient;

  before('install a kind that is not built in', async () => {
    const { client } = await sharedPlayground();
    await client.create(definition, {}, { signal: AbortSignal.timeout(30_000) });
  });

  beforeEach(async () => {
    shop = await TestNamespace.create(await sharedPlayground());
    tenant = await tenantWith(shop, rights);
  });

  async function patch(action: PatchAction): Promise<void> {
    const context = actionContext(shop, tenant, { name: 'change', patch: action });
    expect(await attemptPatch(context, action, shop.call)).to.deep.equal({ kind: 'Done' });
  }

  async function failed(action: PatchAction): Promise<unknown> {
    const context = actionContext(shop, tenant, { name: 'change', patch: action });
    return await caught(attemptPatch(context, action, shop.call));
  }

  async function dataOf(name: string): Promise<unknown> {
    return (await shop.find(configMap(name)))?.['data'];
  }

  const settings = { apiVersion: 'v1', kind: 'ConfigMap', name: 'settings' };

  it('changes an object in the namespace of the StageSet, by YAML', async () => {
    await shop.create(configMap('settings', { mode: 'old', gone: 'yes', kept: 'yes' }));
    await patch({ target: settings, patch: 'data:\n  mode: new\n  gone: null\n' });
    expect(await dataOf('settings')).to.deep.equal({ mode: 'new', kept: 'yes' });
  });

  it('changes it by JSON patch', async () => {
    await shop.create(configMap('settings', { mode: 'old' }));
    const text = '[{"op":"replace","path":"/data/mode","value":"new"}]';
    await patch({ target: settings, type: 'json6902', patch: text });
    expect(await dataOf('settings')).to.deep.equal({ mode: 'new' });
  });

  it('does nothing when a test in a JSON patch fails, and says what the server said', async () => {
    await shop.create(configMap('settings', { mode: 'old' }));
    const text = '- {op: test, path: /data/mode, value: other}\n- {op: remove, path: /data}\n';
    const error = await failed({ target: settings, type: 'json6902', patch: text });
    expect(error).to.be.instanceOf(RetryableError);
    expect(String(error)).to.contain(`patch ConfigMap/${shop.name}/settings: `);
    expect(await dataOf('settings')).to.deep.equal({ mode: 'old' });
  });

  it('merges lists of built-in kinds by their keys', async () => {
    await shop.create(deployment('web'));
    await patch({
      target: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      patch: `{"spec":{"template":{"spec":{"containers":[{"name":"web","env":[{"name":"A","value":"1"}]}]}}}}`,
    });
    const live = JSON.stringify((await shop.find(deployment('web')))?.['spec']);
    expect(live).to.contain('"image":"registry.example.com/web:1"').and.to.contain('"name":"A"');
  });

  it('merges fields of kinds that are not built in, which know no other merge', async () => {
    await servedSoon(async () => await shop.create(toy('Puffin', 'red')));
    const target = { apiVersion: 'toys.example.com/v1', kind: 'Puffin', name: 'red' };
    await patch({ target, patch: 'spec: {colour: blue, tails: [a, b]}' });
    const live = await shop.find(toy('Puffin', 'red'));
    expect(live?.['spec']).to.deep.equal({ colour: 'blue', tails: ['a', 'b'] });
  });

  it('takes the preferred version of a kind without one, whatever its group', async () => {
    await shop.create(deployment('web'));
    await shop.create(configMap('settings', { mode: 'old' }));
    await patch({ target: { kind: 'Deployment', name: 'web' }, patch: 'spec: {replicas: 4}' });
    await patch({ target: { kind: 'ConfigMap', name: 'settings' }, patch: 'data: {mode: new}' });
    expect(await dataOf('settings')).to.deep.equal({ mode: 'new' });
    const live = await shop.find(deployment('web'));
    expect(live?.['spec']).to.have.property('replicas', 4);
  });

  it('fails for good when no group has a kind without version', async () => {
    const error = await failed({ target: { kind: 'Unicorn', name: 'x' }, patch: '{}' });
    expect(error).to.be.instanceOf(TerminalError);
    expect(String(error)).to.contain('serves no kind Unicorn');
  });

  it('fails for good when several groups have a kind without version, and names them', async () => {
    for (const group of ['toys.example.com', 'example.com']) {
      const otter = toyDefinition('Otter');
      const metadata = { name: `otters.${group}` };
      const spec: unknown = { ...Object(otter['spec']), group };
      await shop.client.create({ ...otter, metadata, spec }, {}, shop.call);
      await servedSoon(
        async () => await shop.client.list({ apiVersion: `${group}/v1`, kind: 'Otter' }, shop.call),
      );
    }
    const error = await failed({ target: { kind: 'Otter', name: 'x' }, patch: '{}' });
    expect(error).to.be.instanceOf(TerminalError);
    expect(String(error)).to.contain('name one of example.com, toys.example.com');
  });

  it('shows who has written what by a field manager of its own', async () => {
    await shop.create(configMap('settings', { mode: 'old' }));
    await patch({ target: settings, patch: 'data: {mode: new}' });
    const managed = (await shop.find(configMap('settings')))?.metadata.managedFields ?? [];
    expect(JSON.stringify(managed)).to.contain('"manager":"stageset-controller-actions"');
  });

  it('fails when the named object is missing, and may be tried again', async () => {
    const error = await failed({ target: settings, patch: 'data: {}' });
    expect(error).to.be.instanceOf(RetryableError);
    expect(String(error)).to.contain(
      `patch ConfigMap/${shop.name}/settings: there is no such object`,
    );
  });

  it('is denied what the tenant may not do', async () => {
    const target = { apiVersion: 'v1', kind: 'Secret', name: 'password' };
    const error = await failed({ target, patch: 'stringData: {password: swordfish}' });
    expect(error).to.be.instanceOf(DeniedError);
    expect(String(error)).to.contain('cannot patch resource').and.not.to.contain('swordfish');
  });

  it('attack 38: a patch action on a foreign namespace (it is patched as the tenant, part A 9.1)', async () => {
    const other = await TestNamespace.create(await sharedPlayground());
    await other.create(configMap('settings', { mode: 'old' }));
    const target = { ...settings, namespace: other.name };
    expect(await failed({ target, patch: 'data: {mode: new}' })).to.be.instanceOf(DeniedError);
    const live = await other.find(configMap('settings'));
    expect(live?.['data']).to.deep.equal({ mode: 'old' });
  });

  for (const { what, target } of [
    { what: 'neither a name nor a selector', target: { kind: 'ConfigMap' } },
    {
      what: 'both a name and a selector',
      target: { kind: 'ConfigMap', name: 'a', selector: { matchLabels: { app: 'a' } } },
    },
    { what: 'an empty selector', target: { kind: 'ConfigMap', selector: {} } },
    {
      what: 'a selector without a requirement',
      target: { kind: 'ConfigMap', selector: { matchLabels: {}, matchExpressions: [] } },
    },
  ]) {
    it(`fails for good with ${what}`, async () => {
      expect(await failed({ target, patch: '{}' })).to.be.instanceOf(TerminalError);
    });
  }

  describe('with a selector', () => {
    const selector = {
      matchExpressions: [{ key: 'tier', operator: 'In', values: ['one', 'two'] }],
    };
    const target = { apiVersion: 'v1', kind: 'ConfigMap', selector };

    function tiered(name: string, tier: string): KubernetesObject {
      return withMetadata(configMap(name, { mode: 'old' }), { labels: { tier } });
    }

    it('changes all that match in the namespace, and nothing else', async () => {
      const other = await TestNamespace.create(await sharedPlayground());
      await other.create(tiered('elsewhere', 'one'));
      for (const [name, tier] of Object.entries({ a: 'one', b: 'two', c: 'three' })) {
        await shop.create(tiered(name, tier));
      }
      await patch({ target, patch: 'data: {mode: new}' });
      expect(await dataOf('a')).to.deep.equal({ mode: 'new' });
      expect(await dataOf('b')).to.deep.equal({ mode: 'new' });
      expect(await dataOf('c')).to.deep.equal({ mode: 'old' });
      expect((await other.find(configMap('elsewhere')))?.['data']).to.deep.equal({ mode: 'old' });
    });

    it('changes many objects of a kind that is not built in', async () => {
      for (let index = 0; index < 6; index += 1) {
        const labelled = withMetadata(toy('Puffin', `puffin-${index}`), {
          labels: { tier: 'one' },
        });
        await servedSoon(async () => await shop.create(labelled));
      }
      const puffins = { apiVersion: 'toys.example.com/v1', kind: 'Puffin', selector };
      await patch({ target: puffins, patch: 'spec: {colour: blue}' });
      const { items } = await shop.client.list(
        { apiVersion: 'toys.example.com/v1', kind: 'Puffin', namespace: shop.name },
        shop.call,
      );
      expect(items.map((item) => JSON.stringify(item['spec']))).to.deep.equal(
        Array.from({ length: 6 }, () => '{"colour":"blue"}'),
      );
    });

    it('succeeds when nothing matches', async () => {
      await patch({ target, patch: 'data: {mode: new}' });
    });

    it('fails for good when more than 500 objects match, and changes none', async () => {
      const many = Array.from({ length: 501 }, (_, index) => tiered(`many-${index}`, 'one'));
      for (let first = 0; first < many.length; first += 50) {
        await Promise.all(
          many.slice(first, first + 50).map(async (object) => await shop.create(object)),
        );
      }
      const error = await failed({ target, patch: 'data: {mode: new}' });
      expect(error).to.be.instanceOf(TerminalError);
      expect(String(error)).to.contain('more than 500 objects of kind ConfigMap');
      expect(await dataOf('many-0')).to.deep.equal({ mode: 'old' });
    }).timeout(60_000);
  });
});
