import { expect } from 'chai';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { milliseconds } from '../../src/core/time.ts';
import { isGone } from '../../src/kubernetes/api-error.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { Connection } from '../../src/kubernetes/connection.ts';
import {
  Reflector,
  type ReflectorEvent,
  type ReflectorOptions,
} from '../../src/kubernetes/reflector.ts';
import { isWatch, statusAnswer } from '../faults/faults.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { caught, configMap, customResourceDefinition, eventually, namespace } from './objects.ts';

describe('the reflector against a real API server', () => {
  const { signal } = new AbortController();
  const call = { signal };
  const apply = { fieldManager: 'reflector-test', force: true };
  const quick = { base: milliseconds(50), cap: milliseconds(400), jitter: 0.5 };
  let cluster: Cluster;
  let connection: Connection;
  let client: KubernetesClient;
  let proxy: FaultProxy;
  let proxiedConnection: Connection;
  let proxied: KubernetesClient;
  let running: Reflector[] = [];
  let inNamespace = '';
  let round = 0;

  before(async () => {
    cluster = await startCluster({ name: 'reflector' });
    connection = await Connection.open({ kind: 'File', path: cluster.kubeconfig });
    client = KubernetesClient.connect(connection);
    proxy = await FaultProxy.start(cluster.kubeconfig);
    proxiedConnection = await Connection.open({ kind: 'Text', text: proxy.kubeconfig });
    proxied = KubernetesClient.connect(proxiedConnection);
  });

  after(async () => {
    await proxiedConnection.destroy();
    await connection.destroy();
    await proxy.stop();
    await cluster.stop();
  });

  beforeEach(async () => {
    round += 1;
    inNamespace = `reflected-${round}`;
    await client.create(namespace(inNamespace), {}, call);
  });

  afterEach(async () => {
    await Promise.all(running.map((reflector) => reflector.stop()));
    running = [];
  });

  /** Follows the ConfigMaps of the test's namespace and notes what happens as `Added one`. */
  function follow(through: KubernetesClient, options: ReflectorOptions = {}) {
    const log: string[] = [];
    const reflector = new Reflector(
      through,
      { apiVersion: 'v1', kind: 'ConfigMap', namespace: inNamespace, pageSize: 2 },
      { backoff: quick, ...options, onEvent: (event) => log.push(described(event)) },
    );
    running.push(reflector);
    reflector.start();
    return { reflector, log };
  }

  const put = (name: string, value = 'x') =>
    client.apply(configMap(inNamespace, name, { value }), apply, call);
  const remove = (name: string) =>
    client.delete(configMap(inNamespace, name, {}).reference, {}, call);
  const names = (reflector: Reflector) =>
    [...reflector.store.values()].map(({ metadata }) => metadata.name).sort();

  it('has everything after the list and then follows each change', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await put(name);
    const { reflector, log } = follow(client);
    expect(reflector.hasSynced).to.equal(false);
    await reflector.synced(signal);
    expect(log).to.deep.equal(['Added a', 'Added b', 'Added c', 'Added d', 'Added e', 'Synced']);

    await put('f');
    await put('a', 'changed');
    await remove('b');
    await eventually(() => log.length === 9);
    expect(log.slice(6)).to.deep.equal(['Added f', 'Modified a', 'Deleted b']);
    const a = reflector.store.get(inNamespace, 'a');
    expect(a?.['data']).to.deep.equal({ value: 'changed' });
    expect(a?.apiVersion).to.equal('v1');
    expect(a?.metadata.managedFields).to.equal(undefined);
  });

  it('finds objects by an index', async () => {
    await put('one', 'red');
    await put('two', 'blue');
    const byValue = (object: { [field: string]: unknown }) =>
      Object.values((object['data'] ?? {}) as Record<string, string>);
    const { reflector } = follow(client, { indexers: { byValue } });
    await reflector.synced(signal);
    expect(reflector.store.indexed('byValue', 'red').map((o) => o.metadata.name)).to.deep.equal([
      'one',
    ]);
    await put('one', 'blue');
    await eventually(() => reflector.store.indexed('byValue', 'blue').length === 2);
    expect(reflector.store.indexed('byValue', 'red')).to.deep.equal([]);
  });

  it('keeps metadata alone when told to', async () => {
    await put('thin');
    const reflector = new Reflector(client, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: inNamespace,
      as: 'Metadata',
    });
    running.push(reflector);
    reflector.start();
    await reflector.synced(signal);
    await put('late');
    await eventually(() => reflector.store.size === 2);
    const late = reflector.store.get(inNamespace, 'late');
    expect([late?.kind, late?.['data']]).to.deep.equal(['ConfigMap', undefined]);
  });

  it('goes on where it was when the connection is cut, without a new list', async () => {
    const { reflector, log } = follow(proxied);
    await reflector.synced(signal);
    await eventually(() => proxy.openWatches === 1);
    await put('before');
    await eventually(() => log.includes('Added before'));
    const seen = proxy.requests.length;

    expect(proxy.cutWatches()).to.equal(1);
    await put('during');
    await eventually(() => log.includes('Added during'));
    expect(proxy.requests.slice(seen).every(isWatch)).to.equal(true);
    await eventually(() => reflector.trouble === undefined);
  });

  it('notices a connection that is open but dead', async () => {
    const { reflector, log } = follow(proxied, { inactivityTimeout: milliseconds(500) });
    await reflector.synced(signal);
    await eventually(() => proxy.openWatches === 1);
    proxy.silenceWatches();
    await put('unheard');
    await eventually(() => log.includes('Added unheard'), 5_000);
  });

  it('lists anew when its place in history is gone', async () => {
    await put('stays');
    await put('goes');
    const { reflector, log } = follow(proxied);
    await reflector.synced(signal);
    await eventually(() => proxy.openWatches === 1);

    const refuse = proxy.inject({ match: isWatch, fault: { kind: 'Reset' } });
    proxy.cutWatches();
    await remove('goes');
    await put('stays', 'changed');
    await put('comes');
    await eventually(() => reflector.trouble !== undefined);
    const expire = proxy.inject({ match: isWatch, times: 1, fault: statusAnswer(410, 'Expired') });
    refuse();
    await eventually(() => log.includes('Deleted goes'));
    expire();
    expect(log.slice(log.indexOf('Synced') + 1).sort()).to.deep.equal([
      'Added comes',
      'Deleted goes',
      'Modified stays',
    ]);
    expect(log.filter((entry) => entry === 'Synced')).to.have.length(1);
  });

  it('lists anew when the server says so in the middle of a watch', async () => {
    const expired = JSON.stringify({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
    });
    const disarm = proxy.inject({
      match: isWatch,
      times: 1,
      fault: { kind: 'Lines', change: () => [expired] },
    });
    const { reflector, log } = follow(proxied);
    await reflector.synced(signal);
    await eventually(() => proxy.openWatches === 1);
    await put('anyway');
    await eventually(() => log.includes('Added anyway'));
    disarm();
  });

  it('sees an object that was deleted and created anew as two objects', async () => {
    await put('phoenix');
    const { reflector, log } = follow(proxied);
    await reflector.synced(signal);
    await eventually(() => proxy.openWatches === 1);
    const refuse = proxy.inject({ match: isWatch, fault: statusAnswer(410, 'Expired') });
    proxy.cutWatches();
    const dropLists = proxy.inject({ match: () => true, fault: { kind: 'Reset' } });
    await remove('phoenix');
    await put('phoenix');
    refuse();
    dropLists();
    await eventually(() => log.filter((entry) => entry.endsWith('phoenix')).length >= 3);
    expect(log).to.deep.equal(['Added phoenix', 'Synced', 'Deleted phoenix', 'Added phoenix']);
  });

  it('waits for a CRD that is not there yet', async () => {
    const troubles: string[] = [];
    const reflector = new Reflector(
      client,
      { apiVersion: 'toys.example.com/v1', kind: 'Robot' },
      { backoff: quick, onTrouble: (trouble) => troubles.push(trouble?.kind ?? 'over') },
    );
    running.push(reflector);
    reflector.start();
    await eventually(() => troubles.length >= 2);
    expect(troubles[0]).to.equal('MissingKind');
    expect(reflector.hasSynced).to.equal(false);

    await client.apply(customResourceDefinition('Robot', 'robots'), apply, call);
    await reflector.synced(AbortSignal.timeout(20_000));
    expect(troubles.at(-1)).to.equal('over');
  });

  it('waits for a permission that it lacks', async () => {
    const path = await cluster.kubeconfigFor('watcher');
    const weak = await Connection.open({ kind: 'File', path });
    const { reflector } = follow(KubernetesClient.connect(weak));
    await eventually(() => reflector.trouble?.kind === 'Forbidden');
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'view' };
    await client.create(
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'watcher', namespace: inNamespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role.kind, name: 'viewer' },
        subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'watcher' }],
      },
      {},
      call,
    );
    await client.create(
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: 'viewer' },
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list', 'watch'] }],
      },
      {},
      call,
    );
    await reflector.synced(AbortSignal.timeout(20_000));
    await eventually(() => reflector.trouble === undefined);
    await reflector.stop();
    await weak.destroy();
  });

  it('goes on when the API server is killed and comes back', async () => {
    await put('old');
    await put('doomed');
    const { reflector } = follow(client);
    await reflector.synced(signal);

    await cluster.killApiServer();
    await eventually(() => reflector.trouble !== undefined);
    expect(names(reflector)).to.deep.equal(['doomed', 'old']);
    await cluster.restartApiServer();
    await eventually(
      async () => (await remove('doomed').catch(() => 'NotYet')) !== 'NotYet',
      30_000,
    );
    await put('new');
    await eventually(() => names(reflector).join() === 'new,old', 40_000);
    await eventually(() => reflector.trouble === undefined);
  });

  it('is told by the API server itself that a resourceVersion is too old', async () => {
    // A server that has just started knows nothing of what was before.
    await cluster.restartApiServer();
    const query = { apiVersion: 'v1', kind: 'ConfigMap', resourceVersion: '1' };
    const error = await caught(client.watch(query, call).next());
    expect(isGone(error)).to.equal(true);
  });
});

function described(event: ReflectorEvent): string {
  return event.type === 'Synced' ? 'Synced' : `${event.type} ${event.object.metadata.name}`;
}
