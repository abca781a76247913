import { expect } from 'chai';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { TerminalError } from '../../src/core/errors.ts';
import {
  ApiError,
  isAlreadyExists,
  isConflict,
  isNoKindMatch,
  isNotFound,
} from '../../src/kubernetes/api-error.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { Connection } from '../../src/kubernetes/connection.ts';
import { statusAnswer } from '../faults/faults.ts';
import { FaultProxy } from '../faults/proxy.ts';
import {
  caught,
  configMap,
  customResourceDefinition,
  eventually,
  namespace,
  servedSoon,
} from './objects.ts';

describe('the Kubernetes client against a real API server', () => {
  const { signal } = new AbortController();
  const call = { signal };
  const apply = { fieldManager: 'client-test', force: true };
  const warnings: string[] = [];
  let cluster: Cluster;
  let connection: Connection;
  let client: KubernetesClient;
  let proxy: FaultProxy;
  let proxiedConnection: Connection;
  let proxied: KubernetesClient;

  before(async () => {
    cluster = await startCluster({ name: 'client' });
    connection = await Connection.open({ kind: 'File', path: cluster.kubeconfig });
    client = KubernetesClient.connect(connection, { onWarning: (text) => warnings.push(text) });
    proxy = await FaultProxy.start(cluster.kubeconfig);
    proxiedConnection = await Connection.open({ kind: 'Text', text: proxy.kubeconfig });
    proxied = KubernetesClient.connect(proxiedConnection);
    await client.create(namespace('shop'), {}, call);
  });

  after(async () => {
    await proxiedConnection.destroy();
    await connection.destroy();
    await proxy.stop();
    await cluster.stop();
  });

  describe('objects', () => {
    it('applies an object and reads it back', async () => {
      const applied = await client.apply(
        configMap('shop', 'colour', { paint: 'red' }),
        apply,
        call,
      );
      expect(applied.metadata.uid).to.be.a('string');

      const found = await client.get(configMap('shop', 'colour', {}).reference, call);
      expect(found['data']).to.deep.equal({ paint: 'red' });
      expect(found.kind).to.equal('ConfigMap');
    });

    it('sends a field of a built-in kind that it has never heard of', async () => {
      warnings.length = 0;
      const deployment = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web', namespace: 'shop' },
        spec: {
          futureField: 'kept',
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: { containers: [{ name: 'web', image: 'web:1', futureToo: 1 }] },
          },
        },
      };
      await client.create(deployment, { dryRun: 'All', fieldValidation: 'Warn' }, call);
      expect(warnings.join()).to.contain('unknown field \\"spec.futureField\\"');
      expect(warnings.join()).to.contain(
        'unknown field \\"spec.template.spec.containers[0].futureToo\\"',
      );
    });

    it('keeps every field of a custom resource through server-side apply', async () => {
      await client.apply(customResourceDefinition('Gadget', 'gadgets'), apply, call);
      const gadget = {
        apiVersion: 'toys.example.com/v1',
        kind: 'Gadget',
        metadata: { name: 'top', namespace: 'shop' },
        spec: { at: '2025-01-01T00:00:00Z', nested: { unknown: [1, 'two', null, { three: 3 }] } },
      };
      const applied = await servedSoon(() => client.apply(gadget, apply, call));
      expect(applied['spec']).to.deep.equal(gadget.spec);
      const read = await client.get(
        { apiVersion: gadget.apiVersion, kind: 'Gadget', ...gadget.metadata },
        call,
      );
      expect(read['spec']).to.deep.equal(gadget.spec);
    });

    it('stores nothing on a dry run', async () => {
      const ghost = configMap('shop', 'ghost', { a: 'b' });
      const applied = await client.apply(ghost, { ...apply, dryRun: 'All' }, call);
      expect(applied['data']).to.deep.equal({ a: 'b' });
      expect(await client.find(ghost.reference, call)).to.equal(undefined);
    });

    it('reports a field of another manager as a conflict unless told to take it', async () => {
      const owned = configMap('shop', 'owned', { key: 'first' });
      await client.apply(owned, { fieldManager: 'first' }, call);
      const other = configMap('shop', 'owned', { key: 'second' });
      const error = await caught(client.apply(other, { fieldManager: 'second' }, call));
      expect(isConflict(error)).to.equal(true);
      expect((error as ApiError).causes[0]?.field).to.equal('.data.key');
      const taken = await client.apply(other, { fieldManager: 'second', force: true }, call);
      expect(taken['data']).to.deep.equal({ key: 'second' });
    });

    it('reads the metadata alone, with the kind that was asked for', async () => {
      await client.apply(configMap('shop', 'wide', { big: 'x'.repeat(1000) }), apply, call);
      const reference = configMap('shop', 'wide', {}).reference;
      const read = await client.get(reference, call, { as: 'Metadata' });
      expect(read.kind).to.equal('ConfigMap');
      expect(read['data']).to.equal(undefined);
      expect(read.metadata.name).to.equal('wide');
    });

    it('patches a subresource and replaces only the version that it read', async () => {
      const made = await client.apply(configMap('shop', 'race', { n: '1' }), apply, call);
      await client.patch(
        configMap('shop', 'race', {}).reference,
        { type: 'Merge', body: { data: { n: '2' } } },
        call,
      );
      const error = await caught(client.replace({ ...made, data: { n: '3' } }, {}, call));
      expect(isConflict(error)).to.equal(true);
      const status = { status: { phase: 'Active', conditions: [] } };
      const patched = await client.patch(
        { apiVersion: 'v1', kind: 'Namespace', name: 'shop' },
        { type: 'Merge', subresource: 'status', body: status },
        call,
      );
      expect(patched.metadata.name).to.equal('shop');
    });

    it('says that an object exists already', async () => {
      const error = await caught(client.create(namespace('shop'), {}, call));
      expect(isAlreadyExists(error)).to.equal(true);
    });

    it('deletes only the object with the given uid', async () => {
      const made = await client.apply(configMap('shop', 'doomed', {}), apply, call);
      const { reference } = configMap('shop', 'doomed', {});
      const wrong = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } };
      expect(isConflict(await caught(client.delete(reference, wrong, call)))).to.equal(true);
      const right = { preconditions: { uid: made.metadata.uid ?? '' } };
      expect(await client.delete(reference, right, call)).to.equal('Deleted');
      expect(await client.delete(reference, right, call)).to.equal('NotFound');
    });

    it('says that a finalizer holds a deleted object', async () => {
      const held = configMap('shop', 'held', {});
      const made = { ...held, metadata: { ...held.metadata, finalizers: ['example.com/hold'] } };
      await client.create(made, {}, call);
      expect(await client.delete(held.reference, {}, call)).to.equal('Terminating');
    });

    it('refuses names that would be another path', async () => {
      for (const name of ['..', 'a/b', '%2e', '']) {
        const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name };
        expect(await caught(client.get(reference, call))).to.be.instanceOf(TerminalError);
      }
      const crossing = { apiVersion: 'apps/v1/../../api/v1', kind: 'Secret', name: 'x' };
      expect(await caught(client.get(crossing, call))).to.be.instanceOf(TerminalError);
    });

    it('withholds what the server says about the content of a Secret', async () => {
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'bad', namespace: 'shop' },
        stringData: { password: ['correct horse battery staple'] },
      };
      const error = await caught(client.apply(secret, apply, call));
      expect(error).to.be.instanceOf(ApiError);
      expect(JSON.stringify(error) + String(error)).not.to.contain('battery');
    });
  });

  describe('lists', () => {
    before(async () => {
      await client.create(namespace('many'), {}, call);
      for (let i = 0; i < 25; i += 1) {
        await client.create(configMap('many', `item-${i}`, { n: String(i) }), {}, call);
      }
    });

    it('reads all pages and fills in what the items lack', async () => {
      const sizes: number[] = [];
      const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'many', pageSize: 10 };
      for await (const page of client.pages(query, call)) sizes.push(page.items.length);
      expect(sizes).to.deep.equal([10, 10, 5]);

      const { items, resourceVersion } = await client.list(query, call);
      expect(items.map(({ metadata }) => metadata.name)).to.include.members(['item-0', 'item-24']);
      expect(
        items.every(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap'),
      ).to.equal(true);
      expect(Number(resourceVersion)).to.be.greaterThan(0);
    });

    it('begins anew when the snapshot expires between two pages', async () => {
      const disarm = proxy.inject({
        match: ({ url }) => url.includes('continue='),
        times: 1,
        fault: statusAnswer(410, 'Expired'),
      });
      const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'many', pageSize: 10 };
      const { items } = await proxied.list(query, call);
      disarm();
      expect(items).to.have.length(25);
    });

    it('lists metadata alone and by label', async () => {
      const labelled = configMap('many', 'labelled', { a: 'b' });
      await client.create(
        { ...labelled, metadata: { ...labelled.metadata, labels: { tier: 'gold' } } },
        {},
        call,
      );
      const { items } = await client.list(
        { apiVersion: 'v1', kind: 'ConfigMap', labelSelector: 'tier=gold', as: 'Metadata' },
        call,
      );
      expect(items).to.have.length(1);
      expect(items[0]?.kind).to.equal('ConfigMap');
      expect(items[0]?.['data']).to.equal(undefined);
    });
  });

  describe('discovery', () => {
    it('knows the plural and the scope of a kind', async () => {
      const role = await client.discovery.mappingFor(
        'rbac.authorization.k8s.io/v1',
        'ClusterRole',
        call,
      );
      expect([role.resource, role.scope]).to.deep.equal(['clusterroles', 'Cluster']);
      const deployment = await client.discovery.mappingFor('apps/v1', 'Deployment', call);
      expect([deployment.resource, deployment.scope]).to.deep.equal(['deployments', 'Namespaced']);
      expect(deployment.subresources).to.include.members(['scale', 'status']);
      expect(
        await client.discovery.preferredVersion('HorizontalPodAutoscaler', 'autoscaling', call),
      ).to.equal('v2');
    });

    it('finds a kind whose CRD was applied a moment ago', async () => {
      const doll = {
        apiVersion: 'toys.example.com/v1',
        kind: 'Doll',
        metadata: { name: 'anna', namespace: 'shop' },
        spec: {},
      };
      expect(isNoKindMatch(await caught(client.apply(doll, apply, call)))).to.equal(true);
      await client.apply(customResourceDefinition('Doll', 'dolls'), apply, call);
      const applied = await servedSoon(() => client.apply(doll, apply, call));
      expect(applied.metadata.name).to.equal('anna');
    });

    it('asks no more than once a second for a kind that is not there', async () => {
      const unknown = {
        apiVersion: 'nowhere.example.com/v1',
        kind: 'Ghost',
        name: 'x',
        namespace: 'shop',
      };
      await caught(proxied.get(unknown, call));
      const before = proxy.requests.length;
      for (let i = 0; i < 20; i += 1) {
        expect(isNoKindMatch(await caught(proxied.find(unknown, call)))).to.equal(true);
      }
      expect(proxy.requests.length - before).to.be.at.most(1);
    });

    it('notices that a kind came back with another scope', async () => {
      const definition = customResourceDefinition('Kite', 'kites');
      await client.apply(definition, apply, call);
      const query = { apiVersion: 'toys.example.com/v1', kind: 'Kite', name: 'red' };
      const scoped = await servedSoon(() => client.find({ ...query, namespace: 'shop' }, call));
      expect(scoped).to.equal(undefined);

      const reference = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        name: 'kites.toys.example.com',
      };
      await client.delete(reference, {}, call);
      await eventually(async () => (await client.find(reference, call)) === undefined);
      const spec = { ...(definition['spec'] as object), scope: 'Cluster' };
      await client.apply({ ...definition, spec }, apply, call);
      const { apiVersion, kind } = query;
      const kite = { apiVersion, kind, metadata: { name: 'red' }, spec: {} };
      const applied = await servedSoon(() => client.apply(kite, apply, call));
      expect(applied.metadata.namespace).to.equal(undefined);
    });
  });

  it('tells a missing object from a missing kind', async () => {
    const missing = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'nothing' };
    expect(isNotFound(await caught(client.get(missing, call)))).to.equal(true);
    const unserved = { apiVersion: 'v1', kind: 'ConfigMop', namespace: 'shop', name: 'nothing' };
    expect(isNoKindMatch(await caught(client.find(unserved, call)))).to.equal(true);
  });
});
