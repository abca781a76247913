import { expect } from 'chai';
import { type Cluster, startCluster } from '../../dev/cluster/cluster.ts';
import { instant, milliseconds, minutes, seconds } from '../../src/core/time.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { Connection } from '../../src/kubernetes/connection.ts';
import { EventRecorder } from '../../src/kubernetes/events.ts';
import { LeaderElector } from '../../src/kubernetes/leases.ts';
import { isWrite } from '../faults/faults.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { configMap, eventually, namespace } from './objects.ts';

describe('leases and events at a real API server', () => {
  const { signal } = new AbortController();
  const call = { signal };
  let cluster: Cluster;
  let connection: Connection;
  let client: KubernetesClient;
  let proxy: FaultProxy;
  let proxiedConnection: Connection;
  let proxied: KubernetesClient;

  before(async () => {
    cluster = await startCluster({ name: 'leases' });
    connection = await Connection.open({ kind: 'File', path: cluster.kubeconfig });
    client = KubernetesClient.connect(connection);
    proxy = await FaultProxy.start(cluster.kubeconfig);
    proxiedConnection = await Connection.open({ kind: 'Text', text: proxy.kubeconfig });
    proxied = KubernetesClient.connect(proxiedConnection);
    await client.create(namespace('system'), {}, call);
  });

  after(async () => {
    await proxiedConnection.destroy();
    await connection.destroy();
    await proxy.stop();
    await cluster.stop();
  });

  /** A candidate that leads until it is stopped, and tells when it does. */
  function candidate(
    through: KubernetesClient,
    lease: string,
    identity: string,
    durations: { leaseDuration?: number; renewDeadline?: number; retryPeriod?: number } = {},
  ) {
    const stop = new AbortController();
    const led: string[] = [];
    const elector = new LeaderElector(through, {
      namespace: 'system',
      name: lease,
      identity,
      leaseDuration: milliseconds(durations.leaseDuration ?? 15_000),
      renewDeadline: milliseconds(durations.renewDeadline ?? 10_000),
      retryPeriod: milliseconds(durations.retryPeriod ?? 2_000),
    });
    const ended = elector.run(async (term) => {
      led.push('began');
      await new Promise<void>((resolve) => term.addEventListener('abort', () => resolve()));
      led.push('ended');
    }, stop.signal);
    return { elector, led, ended, stop: () => stop.abort(new Error('stopped')) };
  }

  it('hands over within five seconds when the leader stops', async () => {
    const first = candidate(client, 'handover', 'first');
    await eventually(() => first.elector.isLeader);
    const second = candidate(client, 'handover', 'second');
    await eventually(() => second.elector.holder === 'first');
    expect(second.led).to.deep.equal([]);

    first.stop();
    expect(await first.ended).to.equal('Stopped');
    const began = performance.now();
    await eventually(() => second.elector.isLeader);
    expect(performance.now() - began).to.be.lessThan(5_000);
    expect(first.led).to.deep.equal(['began', 'ended']);
    second.stop();
    await second.ended;
  });

  it('takes over from a leader that is not heard of any more', async () => {
    const short = { leaseDuration: 3_000, renewDeadline: 2_000, retryPeriod: 500 };
    const dead = candidate(proxied, 'expiry', 'dead', short);
    await eventually(() => dead.elector.isLeader);
    const heir = candidate(client, 'expiry', 'heir', short);
    await eventually(() => heir.elector.holder === 'dead');

    const cut = proxy.inject({ match: () => true, fault: { kind: 'Reset' } });
    expect(await dead.ended).to.equal('Lost');
    expect(dead.led).to.deep.equal(['began', 'ended']);
    expect(heir.elector.isLeader).to.equal(false);
    await eventually(() => heir.elector.isLeader, 5_000);
    cut();
    heir.stop();
    await heir.ended;
  });

  it('notices the loss at the deadline, not at the attempt after it', async () => {
    let lost = 0;
    const stop = new AbortController();
    const elector = new LeaderElector(proxied, {
      namespace: 'system',
      name: 'deadline',
      identity: 'slow',
      leaseDuration: milliseconds(30_000),
      renewDeadline: milliseconds(2_000),
      retryPeriod: milliseconds(20_000),
      onLost: () => {
        lost = performance.now();
      },
    });
    let began = 0;
    let ended = 0;
    const end = elector.run(async (term) => {
      began = performance.now();
      await new Promise<void>((resolve) => term.addEventListener('abort', () => resolve()));
      ended = performance.now();
    }, stop.signal);
    expect(await end).to.equal('Lost');
    expect(lost - began).to.be.within(1_500, 3_500);
    expect(ended).to.be.at.least(lost);
  });

  it('keeps the lease when a renewal was carried out and its answer lost', async () => {
    const quick = { leaseDuration: 4_000, renewDeadline: 3_000, retryPeriod: 200 };
    const leader = candidate(proxied, 'lossy', 'leader', quick);
    await eventually(() => leader.elector.isLeader);
    const seen = proxy.requests.length;
    const disarm = proxy.cutWrite(1, 'After');
    await eventually(() => proxy.requests.slice(seen).filter(isWrite).length >= 4);
    disarm();
    expect(leader.led).to.deep.equal(['began']);
    leader.stop();
    await leader.ended;
  });

  it('writes a lease as other clients expect it', async () => {
    const leader = candidate(client, 'shape', 'me');
    await eventually(() => leader.elector.isLeader);
    const lease = await client.get(
      { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'system', name: 'shape' },
      call,
    );
    const spec = lease['spec'] as { [field: string]: unknown };
    expect(spec['holderIdentity']).to.equal('me');
    expect(spec['leaseDurationSeconds']).to.equal(15);
    expect(spec['leaseTransitions']).to.equal(0);
    expect(spec['renewTime']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    leader.stop();
    await leader.ended;
  });

  it('writes an event once and counts its repeats in a series', async () => {
    const regarding = await client.create(configMap('system', 'subject', {}), {}, call);
    let time = Date.now();
    const events = new EventRecorder(client, {
      controller: 'stages.metio.wtf/stageset-controller',
      instance: 'pod-1',
      now: () => instant(time),
    });
    const record = { regarding, type: 'Warning', reason: 'StageFailed', note: 'no luck' } as const;
    for (let i = 0; i < 4; i += 1) {
      events.record(record);
      await events.flush();
      time += seconds(40);
    }
    events.record({ ...record, note: 'x'.repeat(5000) });
    await events.flush();

    const { items } = await client.list(
      { apiVersion: 'events.k8s.io/v1', kind: 'Event', namespace: 'system' },
      call,
    );
    const ours = items.filter((item) => item['reason'] === 'StageFailed');
    expect(ours).to.have.length(2);
    const repeated = ours.find((item) => item['note'] === 'no luck');
    expect(repeated?.['action']).to.equal('StageFailed');
    expect((repeated?.['series'] as { count: number }).count).to.equal(4);
    expect((repeated?.['regarding'] as { uid: string }).uid).to.equal(regarding.metadata.uid);
    time += minutes(10);
    events.record(record);
    await events.flush();
    const later = await client.list(
      { apiVersion: 'events.k8s.io/v1', kind: 'Event', namespace: 'system' },
      call,
    );
    expect(later.items.filter((item) => item['note'] === 'no luck')).to.have.length(2);
  });

  it('loses an event rather than fail', async () => {
    const lost: unknown[] = [];
    const events = new EventRecorder(client, {
      controller: 'stages.metio.wtf/stageset-controller',
      instance: 'pod-1',
      onLost: (_, error) => lost.push(error),
    });
    const regarding = configMap('no-such-namespace', 'subject', {});
    events.record({ regarding, type: 'Normal', reason: 'Tried', note: 'in vain' });
    await events.flush();
    expect(lost).to.have.length(1);
  });
});
