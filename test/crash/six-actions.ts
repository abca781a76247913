import { expect } from 'chai';
import type { Playground } from '../../dev/playground.ts';
import { parseStageLedger } from '../../src/core/validate/schema.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { type StageSet, type StageStatus, stagesApiVersion } from '../../src/types/stages.ts';
import type { SeenRequest } from '../faults/faults.ts';
import { JobEnder } from '../job-ender.ts';
import { configMap } from '../objects.ts';
import { readyOf, TestNamespace } from '../test-namespace.ts';
import type { WebhookReceiver } from '../webhook-receiver.ts';
import { changes, nameOf } from './writes.ts';

export type Hook = 'pre' | 'post' | 'onFailure';

const patience = { within: 100_000 };
const stage = 'app';
const jobKind = { apiVersion: 'batch/v1', kind: 'Job' };
const once = 'once';

/** How often something was done, by the name of the action that does it. */
type Deeds = Readonly<Record<string, number>>;

/**
 * The life of a StageSet of one stage that has an action of each type in one of its lists, and beside
 * them one that may be done once only. However often its controller is killed, what is on record as
 * done is not done again, and the end is the same.
 */
export class SixActions {
  readonly shop: TestNamespace;
  readonly #hook: Hook;
  readonly #receiver: WebhookReceiver;
  readonly #requests: readonly SeenRequest[];
  /** What had been done and what of it was on record each time that the controller was killed. */
  readonly #kills: { readonly deeds: Deeds; readonly recorded: ReadonlySet<string> }[] = [];

  private constructor(
    shop: TestNamespace,
    hook: Hook,
    receiver: WebhookReceiver,
    requests: readonly SeenRequest[],
  ) {
    this.shop = shop;
    this.#hook = hook;
    this.#receiver = receiver;
    this.#requests = requests;
  }

  static async create(
    playground: Playground,
    hook: Hook,
    receiver: WebhookReceiver,
    requests: readonly SeenRequest[],
  ): Promise<SixActions> {
    return new SixActions(await TestNamespace.create(playground), hook, receiver, requests);
  }

  async live(): Promise<void> {
    const { shop } = this;
    const jobs = new JobEnder(shop);
    jobs.start();
    try {
      await this.#begin();
      if (this.#hook === 'onFailure') {
        const names = this.#names();
        await this.#until((seen) =>
          names.every((name) => recordOf(seen)?.executedActions?.includes(name)),
        );
        // What fails is repaired now.
        this.#receiver.statuses.delete(this.#path('broken'));
      }
      await this.#until((seen) => readyOf(seen)?.status === 'True');
      await shop.untilReady('v1', patience);
      await this.#expectEnd();
    } finally {
      await jobs.stop();
    }
  }

  /** Notes what is done and what is on record; the controller must be dead. */
  async killed(): Promise<void> {
    const { client, call, name: namespace } = this.shop;
    const reference = { apiVersion: stagesApiVersion, kind: 'StageSet', namespace, name: 'shop' };
    const found = await client.find(reference, call);
    const record = JSON.parse(JSON.stringify(found?.['status'] ?? {})) as StageSet['status'];
    const done = record?.stages?.[0]?.executedActions ?? [];
    const ledger = await this.#ledger();
    const lifetime = (ledger?.completedActions ?? []).map(({ action }) => action);
    this.#kills.push({ deeds: this.#deeds(), recorded: new Set([...done, ...lifetime]) });
  }

  async #begin(): Promise<void> {
    const { shop } = this;
    await shop.create(configMap('target'));
    await shop.create(configMap('gone'));
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.publish('jobs', 'v1', [configMap('settings'), jobOf('work')]);
    await shop.publish('more', 'v1', [configMap('applied')]);
    const lifetime = { ...this.#http(once), scope: 'Lifetime' };
    const others =
      this.#hook === 'onFailure' ? { pre: [lifetime], post: [this.#http('broken')] } : {};
    const list = [...(this.#hook === 'onFailure' ? [] : [lifetime]), ...this.#six()];
    if (this.#hook === 'onFailure') this.#receiver.statuses.set(this.#path('broken'), 500);
    const actions = { ...others, [this.#hook]: list };
    await shop.createStageSet([{ name: stage, sourceRef: { name: 'app' }, actions }]);
  }

  #six(): object[] {
    const configMaps = { apiVersion: 'v1', kind: 'ConfigMap' };
    return [
      this.#http('http'),
      { name: 'wait', wait: { duration: '50ms' } },
      {
        name: 'patch',
        patch: {
          target: { ...configMaps, name: 'target' },
          patch: 'metadata: {labels: {patched: "yes"}}',
        },
      },
      { name: 'job', job: { sourceRef: { name: 'jobs' } } },
      { name: 'delete', delete: { target: { ...configMaps, name: 'gone' } } },
      { name: 'apply', apply: { sourceRef: { name: 'more' }, wait: true } },
    ];
  }

  #names(): string[] {
    return ['http', 'wait', 'patch', 'job', 'delete', 'apply'];
  }

  #http(name: string): object {
    return { name, http: { url: this.#receiver.url(this.#path(name)) } };
  }

  #path(name: string): string {
    return `/${this.shop.name}/${name}`;
  }

  /** An action that may have been done needs a person, who says that it was. */
  async #until(judge: (stageSet: StageSet) => boolean): Promise<void> {
    const { shop } = this;
    const isDirty = (seen: StageSet): boolean => readyOf(seen)?.reason === 'ActionDirty';
    const seen = await shop.untilStageSet((each) => judge(each) || isDirty(each), patience);
    if (judge(seen)) return;
    expect(this.#kills, 'dirty although nothing was interrupted').not.to.have.length(0);
    const baseline = [{ stage, action: once }];
    const kind = { apiVersion: stagesApiVersion, kind: 'StageLedger' };
    await shop.patch({ ...kind, metadata: { name: 'shop' } }, { spec: { baseline } });
    await shop.untilStageSet(judge, patience);
  }

  async #expectEnd(): Promise<void> {
    const { shop } = this;
    const broken = this.#hook === 'onFailure' ? ['broken'] : [];
    const done = await shop.untilStageSet(
      (seen) => recordOf(seen)?.runningAction === undefined,
      patience,
    );
    expect(recordOf(done)?.executedActions, 'on record').to.deep.equal([
      ...this.#names(),
      ...broken,
    ]);
    expect(recordOf(done)?.ledgerRevision).to.equal('v1');
    const ledger = await this.#ledger();
    expect((ledger?.completedActions ?? []).map(({ action }) => action)).to.deep.equal([once]);
    expect(ledger?.startedActions ?? [], 'started').to.deep.equal([]);
    this.#expectDeeds();
    await shop.untilCollection(jobKind, (all) => all.size === 0);
    const maps = await shop.untilCollection({ apiVersion: 'v1', kind: 'ConfigMap' }, (all) =>
      [...all.keys()].every((name) => !name.startsWith('settings-')),
    );
    const names = [...maps.keys()].filter((name) => name !== 'kube-root-ca.crt');
    expect(names.sort(), 'ConfigMaps').to.deep.equal(['app', 'applied', 'target']);
    expect(maps.get('target')?.metadata.labels?.['patched']).to.equal('yes');
    expect(await shop.inventories()).to.deep.equal({ [stage]: [`${shop.name}_app__ConfigMap`] });
  }

  /** What was on record is not done again, and what was not, once more for each kill at most. */
  #expectDeeds(): void {
    const end = this.#deeds();
    const counted = [once, ...this.#names().filter((name) => name !== 'wait')];
    for (const name of counted) {
      const times = end[name] ?? 0;
      for (const { deeds, recorded } of this.#kills) {
        if (recorded.has(name)) expect(times, `${name}, done before`).to.equal(deeds[name] ?? 0);
      }
      expect(times, name).to.be.within(name === once ? 0 : 1, 1 + this.#kills.length);
    }
    expect(end[once] ?? 0, 'what may be done once only').to.be.at.most(1);
    const keys = this.#receiver.received
      .filter(({ path }) => path === this.#path('http'))
      .map(({ headers }) => headers['idempotency-key']);
    expect(new Set(keys).size, 'idempotency keys').to.equal(1);
  }

  /** By what arrived at the receiver, and by what the API server has carried out. */
  #deeds(): Deeds {
    const deeds: Record<string, number> = {};
    const add = (name: string): void => {
      deeds[name] = (deeds[name] ?? 0) + 1;
    };
    for (const path of this.#receiver.paths(`/${this.shop.name}/`)) add(path.split('/')[2] ?? '');
    const isChange = changes(this.shop.name);
    for (const seen of this.#requests) {
      if (seen.status === undefined || seen.status >= 300 || !isChange(seen)) continue;
      const name = deedNames[nameOf(seen)];
      if (name !== undefined) add(name);
    }
    return deeds;
  }

  async #ledger(): Promise<ReturnType<typeof ledgerOf>> {
    const { client, call, name: namespace } = this.shop;
    const kind = { apiVersion: stagesApiVersion, kind: 'StageLedger' };
    return ledgerOf(await client.find({ ...kind, namespace, name: 'shop' }, call));
  }
}

const deedNames: Readonly<Record<string, string>> = {
  'PATCH configmaps/target': 'patch',
  'POST jobs': 'job',
  'DELETE configmaps/gone': 'delete',
  'PATCH configmaps/applied': 'apply',
};

function ledgerOf(object: KubernetesObject | undefined) {
  if (object === undefined) return undefined;
  const parsed = parseStageLedger(object);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.value.status;
}

function recordOf({ status }: StageSet): StageStatus | undefined {
  return status?.stages?.[0];
}

function jobOf(name: string): KubernetesObject {
  const containers = [{ name: 'work', image: 'registry.example.com/work:1' }];
  const template = { spec: { restartPolicy: 'Never', containers } };
  return { ...jobKind, metadata: { name }, spec: { backoffLimit: 0, template } };
}
