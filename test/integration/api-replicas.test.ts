import { expect } from 'chai';
import { prepareApi, untilServed } from '../../dev/aggregated-api.ts';
import { freePorts } from '../../dev/cluster/ports.ts';
import type { ControllerProcess } from '../../dev/controller-process.ts';
import type { Playground } from '../../dev/playground.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { Connection } from '../../src/kubernetes/connection.ts';
import { pause } from '../../src/kubernetes/wait.ts';
import { startCagedPlayground } from '../canary.ts';
import { configMap } from '../objects.ts';
import { type Backend, ServiceForwarder } from '../service-forwarder.ts';
import { TestNamespace } from '../test-namespace.ts';
import { eventually } from './objects.ts';

const group = '/apis/subresources.stages.metio.wtf/v1';
const clients = 4;

/** Milliseconds of load before and after a replica ends. */
const around = 2000;

/** What one client of the load has seen. */
interface Experience {
  answers: number;
  /** The failures, and how many answers had come before each. */
  readonly failures: { readonly after: number; readonly error: unknown }[];
}

describe('two replicas of the aggregated API', () => {
  let playground: Playground;
  let forwarder: ServiceForwarder;
  let connection: Connection;
  let paths: readonly string[];
  let replicas: { readonly process: ControllerProcess; readonly backend: Backend }[];
  let serving: readonly string[];

  before('start both behind one Service', async function () {
    this.timeout(240_000);
    playground = await startCagedPlayground({ name: 'replicas' });
    const prepared = await prepareApi(playground);
    const port = Number(/--api-service-port=(\d+)/.exec(prepared.flags.join(' '))?.[1]);
    forwarder = await ServiceForwarder.start(port);
    serving = ['--roles=api', '--leader-elect=true', '--api-shutdown-delay=3s', ...prepared.flags];
    replicas = [await startReplica(), await startReplica()];
    await untilServed(playground);
    const reconciling = ['--roles=controller', '--manage-apiservice=false', ...prepared.flags];
    await playground.startController({ flags: reconciling });
    const shop = await TestNamespace.create(playground);
    await shop.publish('web', 'v1', [configMap('web')]);
    await shop.createStageSet(['web']);
    await shop.untilReady('v1');
    const stageSet = `${group}/namespaces/${shop.name}/stagesets/shop`;
    paths = [`${stageSet}/plan`, `${stageSet}/history`, group];
    connection = await Connection.open({ kind: 'File', path: playground.cluster.kubeconfig });
  });
  after('stop the cluster', async function () {
    this.timeout(60_000);
    await connection.close();
    await playground.stop();
    await forwarder.stop();
  });

  async function startReplica(): Promise<(typeof replicas)[number]> {
    const [port = 0] = await freePorts(1);
    const flags = [...serving, `--api-bind-address=127.0.0.1:${port}`];
    const process = await playground.startController({ flags });
    const backend = { port, readyUrl: `${process.healthUrl}/readyz` };
    forwarder.add(backend);
    await eventually(() => Promise.resolve(forwarder.isReady(backend)));
    return { process, backend };
  }

  /** One request after the other, each tried once, until told to stop. */
  async function load(stop: AbortSignal): Promise<Experience> {
    const client = KubernetesClient.connect(connection, { attempts: 1 });
    const seen: Experience = { answers: 0, failures: [] };
    while (!stop.aborted) {
      for (const path of paths) {
        try {
          await client.raw({ method: 'GET', path }, { signal: AbortSignal.timeout(30_000) });
          seen.answers += 1;
        } catch (error) {
          seen.failures.push({ after: seen.answers, error });
        }
      }
    }
    return seen;
  }

  /** What the clients see while one of the two replicas ends in this way, and another one comes. */
  async function experienced(end: (replica: ControllerProcess) => Promise<void>): Promise<{
    readonly experiences: readonly Experience[];
    readonly availability: ReadonlySet<string>;
  }> {
    const stop = new AbortController();
    const availability = new Set<string>();
    const watching = watchAvailability(availability, stop.signal);
    const all = Array.from({ length: clients }, async () => await load(stop.signal));
    await pause(around, stop.signal);
    const ending = replicas.shift();
    if (ending === undefined) throw new Error('there is no replica');
    // Else its end would prove nothing.
    expect(forwarder.connections(ending.backend)).to.be.greaterThan(0);
    await end(ending.process);
    await pause(around, stop.signal);
    forwarder.remove(ending.backend);
    replicas.push(await startReplica());
    stop.abort(new Error('enough'));
    const experiences = await Promise.all(all);
    await watching;
    return { experiences, availability };
  }

  /** Collects the states of the condition Available of the APIService. */
  async function watchAvailability(states: Set<string>, stop: AbortSignal): Promise<void> {
    const kind = { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService' };
    const { client } = playground;
    const call = { signal: stop };
    try {
      const { resourceVersion } = await client.list(kind, call);
      for await (const event of client.watch({ ...kind, resourceVersion }, call)) {
        if (event.type === 'Bookmark' || !event.object.metadata.name.includes('metio')) continue;
        const { conditions } = event.object['status'] as {
          conditions?: { type: string; status: string }[];
        };
        const available = conditions?.find(({ type }) => type === 'Available')?.status;
        states.add(event.type === 'Deleted' ? 'Deleted' : (available ?? 'Unknown'));
      }
    } catch (error) {
      if (!stop.aborted) throw error;
    }
  }

  function report(what: string, experiences: readonly Experience[]): void {
    const answers = experiences.reduce((sum, each) => sum + each.answers, 0);
    const failures = experiences.flatMap((each) => each.failures.map(({ error }) => String(error)));
    process.stdout.write(
      `      ${what}: ${answers} answers to ${clients} clients, ${failures.length} failures ${failures.join('; ')}\n`,
    );
  }

  it('fail no request while one of them is stopped', async () => {
    const { experiences, availability } = await experienced(async (replica) => {
      await replica.stop();
    });
    report('SIGTERM', experiences);
    expect(experiences.flatMap(({ failures }) => failures)).to.deep.equal([]);
    for (const { answers } of experiences) expect(answers).to.be.greaterThan(paths.length);
    expect([...availability].filter((state) => state !== 'True')).to.deep.equal([]);
  });

  it('fail none but what was under way when one of them is killed', async () => {
    const { experiences, availability } = await experienced(async (replica) => {
      await replica.kill();
    });
    report('kill -9', experiences);
    for (const { answers, failures } of experiences) {
      expect(failures.length, JSON.stringify(failures)).to.be.at.most(1);
      // It went on: every request after the failure has been answered.
      expect(answers - (failures[0]?.after ?? 0)).to.be.greaterThan(paths.length);
    }
    expect([...availability].filter((state) => state !== 'True')).to.deep.equal([]);
  });
});
