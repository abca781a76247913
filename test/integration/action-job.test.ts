import { expect } from 'chai';
import type { Playground } from '../../dev/playground.ts';
import type { ActionContext } from '../../src/actions/action-context.ts';
import { ActionVerbs } from '../../src/actions/verbs.ts';
import type { ActionLook, Awaited } from '../../src/core/actions/attempt.ts';
import { DeniedError, TerminalError } from '../../src/core/errors.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { actionContext } from '../action-context.ts';
import { RealTools } from '../action-place.ts';
import { tenantWith } from '../actors.ts';
import { type CagedPlayground, startCagedPlayground } from '../canary.ts';
import { Kubelet } from '../kubelet.ts';
import { configMap, withMetadata } from '../objects.ts';
import { everyVerb, type Rule } from '../rbac.ts';
import { TestNamespace } from '../test-namespace.ts';
import { caught } from './objects.ts';

type Jobs = Extract<Awaited, { kind: 'Jobs' }>;

const sources = {
  apiGroups: ['source.toolkit.fluxcd.io'],
  resources: ['*'],
  verbs: ['get', 'list'],
};
const jobs = { apiGroups: ['batch'], resources: ['jobs'], verbs: everyVerb };
const configMaps = { apiGroups: [''], resources: ['configmaps'], verbs: everyVerb };
const pods = { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] };

const migrate = { name: 'migrate', job: { sourceRef: { name: 'migrations' } } };

function job(name: string, spec: Record<string, unknown> = {}): KubernetesObject {
  const container = {
    name: 'migrate',
    image: 'registry.example.com/migrate:1',
    envFrom: [{ configMapRef: { name: 'settings' } }],
  };
  const pod = { restartPolicy: 'Never', nodeName: 'node-1', containers: [container] };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { backoffLimit: 0, template: { spec: pod }, ...spec },
  };
}

describe('a job action', () => {
  const verbs = new ActionVerbs({
    http: { call: async () => await Promise.reject(new Error('This test calls nobody')) },
  });
  let playground: CagedPlayground;
  let kubelet: Kubelet;
  let tools: RealTools;
  let shop: TestNamespace;
  let tenant: KubernetesClient;

  before('start a cluster with the controller of Jobs', async () => {
    playground = await startCagedPlayground({ name: 'jobs', controllerManager: 'with' });
    kubelet = await Kubelet.start(playground.client);
    tools = new RealTools(playground satisfies Playground);
  });

  after(async () => {
    await tools.close();
    await kubelet.stop();
    await playground.stop();
  });

  async function begin(rules: readonly Rule[] = [sources, jobs, configMaps, pods]): Promise<void> {
    shop = await TestNamespace.create(playground);
    tenant = await tenantWith(shop, rules);
  }

  function contextOf(more: Partial<ActionContext> = {}): ActionContext {
    return { ...actionContext(shop, tenant, migrate, tools.of(shop)), ...more };
  }

  async function publish(objects: readonly KubernetesObject[], revision = 'v1'): Promise<void> {
    await shop.publish('migrations', revision, objects);
  }

  async function attempt(context = contextOf()): Promise<Jobs> {
    const made = await verbs.attempt(context, shop.call);
    if (made.kind !== 'Await' || made.awaited.kind !== 'Jobs') {
      throw new Error(`no Jobs are awaited: ${JSON.stringify(made)}`);
    }
    return made.awaited;
  }

  async function look(awaited: Awaited, context = contextOf()): Promise<ActionLook> {
    return await verbs.look(context, awaited, shop.call);
  }

  async function untilEnded({ jobs: [made] }: Jobs): Promise<void> {
    if (made === undefined) throw new Error('there is no Job');
    const { apiVersion, kind, name } = made;
    await shop.untilObject({ apiVersion, kind, metadata: { name } }, ({ status }) => {
      const text = JSON.stringify(status);
      return text.includes('"type":"Complete"') || text.includes('"type":"Failed"');
    });
  }

  async function names(kind: string, apiVersion: string): Promise<string[]> {
    const query = {
      kind,
      apiVersion,
      namespace: shop.name,
      labelSelector: 'stages.metio.wtf/action',
    };
    const { items } = await shop.client.list(query, shop.call);
    return items.map(({ metadata }) => metadata.name).sort();
  }

  function nameIn({ jobs: [made] }: Jobs): string {
    return made?.name ?? '';
  }

  it('is done when the Job is complete, and leaves nothing behind', async () => {
    await begin();
    await publish([job('migrate', { ttlSecondsAfterFinished: 0 }), configMap('settings')]);
    const awaited = await attempt();
    const name = nameIn(awaited);
    expect(name).to.match(/^migrate-[0-9a-f]{8}$/);
    const suffix = name.slice('migrate-'.length);
    expect(await names('ConfigMap', 'v1')).to.deep.equal([`settings-${suffix}`]);
    const live = await shop.find({ ...job(name) });
    expect(live?.metadata.labels).to.include({
      'stages.metio.wtf/name': 'shop',
      'stages.metio.wtf/namespace': shop.name,
      'stages.metio.wtf/action': 'app.migrate',
    });
    expect(JSON.stringify(live?.['spec'])).to.include(`{"name":"settings-${suffix}"}`);
    const waiting = await look(awaited);
    expect(waiting.kind).to.equal('NotYet');
    await kubelet.end(shop, name, { exitCode: 0 });
    await untilEnded(awaited);
    expect(await look(awaited)).to.deep.equal({ kind: 'Done' });
    await verbs.cleanUp(contextOf(), awaited.made);
    await shop.untilCollection({ apiVersion: 'batch/v1', kind: 'Job' }, (all) => all.size === 0);
    await shop.untilCollection({ apiVersion: 'v1', kind: 'Pod' }, (all) =>
      [...all.values()].every(({ metadata }) => metadata.deletionTimestamp !== undefined),
    );
    expect(await names('ConfigMap', 'v1')).to.deep.equal([]);
    await verbs.cleanUp(contextOf(), awaited.made);
  });

  it('fails with what the Job, its container and its output say', async () => {
    await begin();
    await publish([job('migrate'), configMap('settings')]);
    const awaited = await attempt();
    const lines = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`);
    await kubelet.end(shop, nameIn(awaited), {
      exitCode: 3,
      message: 'no such table:\u001b[31m users\u0007\n',
      output: lines.join('\n'),
    });
    await untilEnded(awaited);
    const pod = (
      await shop.client.list({ apiVersion: 'v1', kind: 'Pod', namespace: shop.name }, shop.call)
    ).items[0]?.metadata.name;
    expect(await look(awaited)).to.deep.equal({
      kind: 'Failed',
      message:
        `Job/${shop.name}/${nameIn(awaited)} failed: BackoffLimitExceeded: Job has reached the specified backoff limit; ` +
        `container migrate of Pod ${String(pod)} ended with exit code 3 (Error): no such table: users; ` +
        'its last output: line 3 | line 4 | line 5 | line 6 | line 7 | line 8 | line 9 | line 10 | line 11 | line 12',
    });
  });

  it('says what the account would have to read for more', async () => {
    await begin([sources, jobs, configMaps]);
    await publish([job('migrate')]);
    const awaited = await attempt();
    await kubelet.end(shop, nameIn(awaited), { exitCode: 3, message: 'no such table' });
    await untilEnded(awaited);
    const failed = await look(awaited);
    expect(failed).to.have.property('message').that.includes('BackoffLimitExceeded');
    expect(failed).to.have.property('message').that.includes('the account may not list pods');
    expect(failed).to.have.property('message').that.does.not.include('no such table');
  });

  it('goes on with the same Job after a restart, running, failed or complete', async () => {
    await begin();
    await publish([job('migrate'), configMap('settings')]);
    const first = await attempt();
    expect(await attempt()).to.deep.equal(first);
    await kubelet.end(shop, nameIn(first), { exitCode: 1 });
    await untilEnded(first);
    const again = await attempt();
    expect(again).to.deep.equal(first);
    expect((await look(again)).kind).to.equal('Failed');
  });

  it('makes room for another attempt, which does not take the failure of the last for its own', async () => {
    await begin();
    await publish([job('migrate')]);
    const first = await attempt();
    await kubelet.end(shop, nameIn(first), { exitCode: 1 });
    await untilEnded(first);
    const second = contextOf({ attempt: 2 });
    expect(await verbs.attempt(second, shop.call)).to.deep.equal({
      kind: 'Obstructed',
      message: `Job/${shop.name}/${nameIn(first)} of an earlier attempt is in the way and about to be gone`,
    });
    await shop.untilCollection({ apiVersion: 'batch/v1', kind: 'Job' }, (all) => all.size === 0);
    const next = await attempt(second);
    expect(nameIn(next)).to.equal(nameIn(first));
    expect(next.jobs[0]?.uid).not.to.equal(first.jobs[0]?.uid);
  });

  it('does not take a Job for its own that was complete in an earlier run', async () => {
    await begin();
    await publish([job('migrate')]);
    const first = await attempt();
    await kubelet.end(shop, nameIn(first), { exitCode: 0 });
    await untilEnded(first);
    expect(await attempt()).to.deep.equal(first);
    const later = contextOf({ idempotencyKey: 'key-2' });
    expect((await verbs.attempt(later, shop.call)).kind).to.equal('Obstructed');
  });

  it('goes on with a running Job of an earlier run, but not with one that is another now', async () => {
    await begin();
    await shop.publishFiles('migrations', 'v1', {
      'one/job.yaml': JSON.stringify(job('migrate')),
      'two/job.yaml': JSON.stringify(job('migrate', { activeDeadlineSeconds: 7 })),
    });
    const at = (path: string): ActionContext['action'] => ({
      name: 'migrate',
      job: { ...migrate.job, path },
    });
    const first = await attempt(contextOf({ action: at('one') }));
    const later = { idempotencyKey: 'key-2' };
    expect(await attempt(contextOf({ action: at('one'), ...later }))).to.deep.equal(first);
    const changed = contextOf({ action: at('two'), ...later });
    expect((await verbs.attempt(changed, shop.call)).kind).to.equal('Obstructed');
    await shop.untilCollection({ apiVersion: 'batch/v1', kind: 'Job' }, (all) => all.size === 0);
    const second = await attempt(changed);
    expect((await shop.find(job(nameIn(second))))?.['spec']).to.include({
      activeDeadlineSeconds: 7,
    });
  });

  it('does not do again what was complete before the run that began it was replaced', async () => {
    await begin();
    await publish([job('migrate')]);
    const first = await attempt(contextOf({ epoch: 'revision v1' }));
    await kubelet.end(shop, nameIn(first), { exitCode: 0 });
    await untilEnded(first);
    const next = contextOf({ epoch: 'revision v1', idempotencyKey: 'key-2' });
    expect(await attempt(next)).to.deep.equal(first);
    expect(await look(first)).to.deep.equal({ kind: 'Done' });
    // A person has asked for it to be done anew.
    const forced = contextOf({ epoch: 'revision v1 again', idempotencyKey: 'key-2' });
    expect((await verbs.attempt(forced, shop.call)).kind).to.equal('Obstructed');
  });

  it('goes on with what it had begun before its source changed', async () => {
    await begin();
    await publish([job('migrate')]);
    const first = await attempt(contextOf({ epoch: 'started' }));
    await publish([job('migrate')], 'v2');
    const next = contextOf({ epoch: 'started', idempotencyKey: 'key-2' });
    expect((await attempt(next)).jobs).to.deep.equal(first.jobs);
    await kubelet.end(shop, nameIn(first), { exitCode: 1 });
    await untilEnded(first);
    expect(nameIn(await attempt(next))).not.to.equal(nameIn(first));
    expect(await shop.find(job(nameIn(first)))).to.equal(undefined);
  });

  it('ends a running Job of another revision before it begins its own', async () => {
    await begin();
    await publish([job('migrate')]);
    const first = await attempt();
    await shop.untilCollection({ apiVersion: 'v1', kind: 'Pod' }, (all) => all.size === 1);
    await publish([job('migrate')], 'v2');
    expect((await verbs.attempt(contextOf(), shop.call)).kind).to.equal('Obstructed');
    const left = await shop.find(job(nameIn(first)));
    expect(left?.metadata.deletionTimestamp).to.be.a('string');
  });

  it('refuses a Job that somebody else has made', async () => {
    await begin();
    await publish([job('migrate')]);
    const awaited = await attempt();
    await shop.patch(job(nameIn(awaited)), {
      metadata: { labels: { 'stages.metio.wtf/action': null } },
    });
    const error = await caught(verbs.attempt(contextOf(), shop.call));
    expect(error).to.be.instanceOf(TerminalError);
    expect(error).to.have.property('message').that.includes('was not made by this action');
  });

  it('gives each action of one artifact a Job of its own', async () => {
    await begin();
    await publish([job('migrate')]);
    const first = await attempt();
    const other = await attempt(contextOf({ action: { ...migrate, name: 'again' } }));
    expect(nameIn(first)).not.to.equal(nameIn(other));
    expect(await names('Job', 'batch/v1')).to.deep.equal([nameIn(first), nameIn(other)].sort());
  });

  it('shortens names to 63 characters', async () => {
    await begin();
    await publish([job(`m${'i'.repeat(61)}`), configMap(`${'s'.repeat(53)}.${'t'.repeat(40)}`)]);
    const awaited = await attempt();
    expect(nameIn(awaited))
      .to.match(/^mi{53}-[0-9a-f]{8}$/)
      .and.to.have.length(63);
    expect((await names('ConfigMap', 'v1'))[0]).to.match(/^s{53}-[0-9a-f]{8}$/);
  });

  it('fails when the Job is deleted while it is waited for', async () => {
    await begin();
    await publish([job('migrate')]);
    const awaited = await attempt();
    await verbs.cleanUp(contextOf(), awaited.made);
    await shop.untilCollection({ apiVersion: 'batch/v1', kind: 'Job' }, (all) => all.size === 0);
    expect(await look(awaited)).to.deep.equal({
      kind: 'Failed',
      message: `Job/${shop.name}/${nameIn(awaited)} was deleted before it was seen to end, so nobody knows whether it is done`,
    });
  });

  it('leaves an object alone that has taken the name of one that it made', async () => {
    await begin();
    await publish([job('migrate'), configMap('settings')]);
    const awaited = await attempt();
    const [settings] = awaited.made;
    await shop.delete(configMap(settings?.name ?? ''));
    await shop.create(configMap(settings?.name ?? ''));
    await verbs.cleanUp(contextOf(), awaited.made);
    expect(await shop.find(configMap(settings?.name ?? ''))).not.to.equal(undefined);
  });

  it('tells what it cannot remove, and fails nothing by it', async () => {
    await begin([sources, { ...jobs, verbs: ['get', 'create'] }]);
    await publish([job('migrate')]);
    const awaited = await attempt();
    const troubles: string[] = [];
    await verbs.cleanUp(
      contextOf({ onTrouble: (message) => troubles.push(message) }),
      awaited.made,
    );
    expect(troubles).to.have.length(1);
    expect(troubles[0]).to.include(`delete Job/${shop.name}/${nameIn(awaited)}`);
    expect(troubles[0]).to.include('cannot delete resource "jobs"');
  });

  it('removes what it has made when the server refuses one of its objects', async () => {
    await begin();
    await publish([configMap('settings'), job('migrate', { backoffLimit: -1 })]);
    const error = await caught(verbs.attempt(contextOf(), shop.call));
    expect(error).to.have.property('message').that.includes('backoffLimit');
    expect(await names('ConfigMap', 'v1')).to.deep.equal([]);
  });

  it('is refused with verb, resource, namespace and account to a tenant without rights', async () => {
    await begin([sources, configMaps]);
    await publish([job('migrate'), configMap('settings')]);
    const error = await caught(verbs.attempt(contextOf(), shop.call));
    expect(error).to.be.instanceOf(DeniedError);
    expect(error)
      .to.have.property('message')
      .that.includes(`"system:serviceaccount:${shop.name}:tenant" cannot create resource "jobs"`)
      .and.includes(`in the namespace "${shop.name}"`);
    expect(await names('ConfigMap', 'v1')).to.deep.equal([]);
  });

  it('attack 37: a Job of an action in another namespace (it is created as the tenant, part A 9.1)', async () => {
    await begin();
    const there = job('migrate');
    await publish([{ ...there, metadata: { ...there.metadata, namespace: 'default' } }]);
    const error = await caught(verbs.attempt(contextOf(), shop.call));
    expect(error).to.be.instanceOf(DeniedError);
    expect(error).to.have.property('message').that.includes('in the namespace "default"');
  });

  it('refuses an artifact without a Job, and one whose objects cannot be renamed', async () => {
    await begin();
    await publish([configMap('settings')]);
    const none = await caught(verbs.attempt(contextOf(), shop.call));
    expect(none).to.be.instanceOf(TerminalError);
    expect(none).to.have.property('message').that.includes('has no Job to wait for');
    const space = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } };
    await publish([job('migrate'), space], 'v2');
    const renamed = await caught(verbs.attempt(contextOf(), shop.call));
    expect(renamed).to.be.instanceOf(TerminalError);
    expect(renamed).to.have.property('message').that.includes('Namespace/other cannot be');
  });

  it('keeps labels and annotations of its own', async () => {
    await begin();
    const own = { labels: { team: 'a' }, annotations: { note: 'b' } };
    await publish([withMetadata(job('migrate'), own)]);
    const live = await shop.find(job(nameIn(await attempt())));
    expect(live?.metadata.labels).to.include({ team: 'a' });
    expect(live?.metadata.annotations).to.include({ note: 'b' });
  });
});
