import { expect } from 'chai';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { RetryableError } from '../../src/core/errors.ts';
import { milliseconds, seconds } from '../../src/core/time.ts';
import { type ApiError, denialOf, isForbidden } from '../../src/kubernetes/api-error.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { Connection } from '../../src/kubernetes/connection.ts';
import { isFor, isWrite, statusAnswer } from '../faults/faults.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { caught, configMap, namespace } from './objects.ts';

describe('the Kubernetes client when requests run into trouble', () => {
  const { signal } = new AbortController();
  const call = { signal };
  const apply = { fieldManager: 'client-test', force: true };
  let cluster: Cluster;
  let connection: Connection;
  let client: KubernetesClient;
  let proxy: FaultProxy;
  let proxiedConnection: Connection;
  let proxied: KubernetesClient;

  before(async () => {
    cluster = await startCluster({ name: 'requests' });
    connection = await Connection.open({ kind: 'File', path: cluster.kubeconfig });
    client = KubernetesClient.connect(connection);
    proxy = await FaultProxy.start(cluster.kubeconfig);
    proxiedConnection = await Connection.open({ kind: 'Text', text: proxy.kubeconfig });
    proxied = KubernetesClient.connect(proxiedConnection);
    await client.create(namespace('shop'), {}, call);
    await client.apply(configMap('shop', 'colour', { paint: 'red' }), apply, call);
  });

  after(async () => {
    await proxiedConnection.destroy();
    await connection.destroy();
    await proxy.stop();
    await cluster.stop();
  });

  const { reference } = configMap('shop', 'colour', {});

  it('waits as long as Retry-After says, also before a create', async () => {
    const target = configMap('shop', 'patient', {});
    const disarm = proxy.inject({
      match: isWrite,
      times: 1,
      fault: statusAnswer(429, 'TooManyRequests', { 'retry-after': '1' }),
    });
    const began = performance.now();
    await proxied.create(target, {}, call);
    disarm();
    expect(performance.now() - began).to.be.greaterThan(1000);
  });

  it('hands a Retry-After on that is longer than its deadline', async () => {
    const fault = statusAnswer(429, 'TooManyRequests', { 'retry-after': '60' });
    const disarm = proxy.inject({ match: isFor('configmaps'), times: 1, fault });
    const error = await caught(proxied.get(reference, { signal, timeout: seconds(5) }));
    disarm();
    expect((error as ApiError).retryAfter).to.equal(60_000);
  });

  it('repeats a read and an apply whose connection was reset', async () => {
    const disarm = proxy.inject({
      match: isFor('configmaps'),
      times: 1,
      fault: { kind: 'Reset' },
    });
    expect((await proxied.get(reference, call)).metadata.name).to.equal('colour');
    disarm();
    const again = proxy.cutWrite(1, 'After');
    const applied = await proxied.apply(configMap('shop', 'twice', { a: 'b' }), apply, call);
    again();
    expect(applied['data']).to.deep.equal({ a: 'b' });
    expect(applied.metadata.generation ?? 1).to.equal(1);
  });

  it('does not repeat a create of which nobody knows whether it was carried out', async () => {
    const disarm = proxy.cutWrite(1, 'After');
    const made = configMap('shop', 'once', {});
    const error = await caught(proxied.create(made, {}, call));
    disarm();
    expect(error).to.be.instanceOf(RetryableError);
    expect((error as RetryableError).reason).to.equal('ConnectionFailed');
    expect(await client.find(made.reference, call)).not.to.equal(undefined);
  });

  it('gives up at its deadline when the server is silent', async () => {
    const disarm = proxy.inject({ match: isFor('configmaps'), fault: { kind: 'Silence' } });
    const began = performance.now();
    const error = await caught(proxied.get(reference, { signal, timeout: milliseconds(300) }));
    disarm();
    expect((error as RetryableError).reason).to.equal('Timeout');
    expect(performance.now() - began).to.be.within(250, 2000);
  });

  it('ends at once when the caller aborts', async () => {
    const disarm = proxy.inject({ match: isFor('configmaps'), fault: { kind: 'Silence' } });
    const controller = new AbortController();
    const running = caught(proxied.get(reference, { signal: controller.signal }));
    await proxy.next(isFor('configmaps'));
    controller.abort(new Error('enough'));
    const error = await running;
    disarm();
    expect((error as Error).message).to.equal('enough');
  });

  it('says who may not do what', async () => {
    const path = await cluster.kubeconfigFor('alice');
    const own = await Connection.open({ kind: 'File', path });
    const error = await caught(KubernetesClient.connect(own).get(reference, call));
    await own.close();
    expect(isForbidden(error)).to.equal(true);
    expect(denialOf(error as ApiError)).to.deep.equal({
      identity: 'alice',
      verb: 'get',
      resource: 'configmaps',
      namespace: 'shop',
    });
  });

  it('keeps to the limit of requests in flight', async () => {
    const narrow = await Connection.open(
      { kind: 'Text', text: proxy.kubeconfig },
      { maxInFlight: 2 },
    );
    const narrowClient = KubernetesClient.connect(narrow);
    await narrowClient.get(reference, call);
    let most = 0;
    const disarm = proxy.inject({
      match: isFor('configmaps'),
      fault: { kind: 'Delay', milliseconds: 20 },
    });
    await Promise.all(
      Array.from({ length: 10 }, async () => {
        const reading = narrowClient.get(reference, call);
        most = Math.max(most, narrow.limit.active);
        await reading;
        most = Math.max(most, narrow.limit.active);
      }),
    );
    disarm();
    await narrow.close();
    expect(most).to.equal(2);
    expect(narrow.limit.active).to.equal(0);
  });
});
