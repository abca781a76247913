import { expect } from 'chai';
import { LedgerStore } from '../../src/controller/ledger-store.ts';
import { LedgerWatch } from '../../src/controller/ledger-watch.ts';
import { settleLedger } from '../../src/core/actions/lifetime.ts';
import { RetryableError } from '../../src/core/errors.ts';
import { instant, milliseconds } from '../../src/core/time.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { Connection } from '../../src/kubernetes/connection.ts';
import type { CallOptions } from '../../src/kubernetes/transport.ts';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { type StageLedger, type StageSet, stagesApiVersion } from '../../src/types/stages.ts';
import { asInstalled } from '../actors.ts';
import { isWrite } from '../faults/faults.ts';
import { FaultProxy } from '../faults/proxy.ts';
import { sharedPlayground } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { caught, eventually } from './objects.ts';

const start = Date.parse('2026-03-01T12:00:00.250Z');
const kind = { apiVersion: stagesApiVersion, kind: 'StageLedger' };

/** A StageSet with one action that is done once. */
const spec = {
  stages: [
    {
      name: 'data',
      sourceRef: { name: 'data' },
      actions: {
        pre: [{ name: 'seed', scope: 'Lifetime', wait: { duration: '1s' } } as const],
      },
    },
  ],
};

describe('the store of ledgers', () => {
  let shop: TestNamespace;
  let client: KubernetesClient;
  let close: () => Promise<void>;
  let store: LedgerStore;
  let call: CallOptions;
  let stageSet: StageSet;
  let ledgerObject: KubernetesObject;

  before('log in with the roles of the installation', async () => {
    ({ client, close } = await asInstalled(await sharedPlayground()));
  });

  after(async () => {
    await close();
  });

  beforeEach(async () => {
    shop = await TestNamespace.create(await sharedPlayground());
    call = shop.call;
    store = new LedgerStore(client, () => instant(start));
    const metadata = { name: 'shop', namespace: shop.name, uid: 'uid-of-the-stageset' };
    stageSet = { apiVersion: stagesApiVersion, kind: 'StageSet', metadata, spec };
    ledgerObject = { ...kind, metadata: { name: 'shop', namespace: shop.name } };
  });

  async function stored(): Promise<KubernetesObject> {
    const object = await shop.find(ledgerObject);
    if (object === undefined) throw new Error('there is no ledger');
    return object;
  }

  /** Writes the ledger as a person with kubectl does. */
  async function edit(body: unknown, subresource?: 'status'): Promise<void> {
    const reference = { ...kind, namespace: shop.name, name: 'shop' };
    const where = subresource === undefined ? {} : { subresource };
    await shop.client.patch(reference, { type: 'Merge', body, ...where }, call);
  }

  it('creates an empty ledger of the same name, which nobody owns', async () => {
    const ledger = await store.open(stageSet, call);
    const { metadata, spec: baseline, status } = await stored();
    expect(metadata.ownerReferences).to.equal(undefined);
    expect(metadata.finalizers).to.equal(undefined);
    expect(baseline).to.equal(undefined);
    expect(status).to.equal(undefined);
    expect(ledger.metadata.uid).to.equal(metadata.uid);
  });

  it('loads the ledger that is there, with what it has', async () => {
    await shop.create({ ...ledgerObject, spec: { baseline: [{ stage: 'data', action: 'seed' }] } });
    const ledger = await store.open(stageSet, call);
    expect(ledger.spec).to.deep.equal({ baseline: [{ stage: 'data', action: 'seed' }] });
  });

  it('is one ledger for all who open it at once', async () => {
    const opened = await Promise.all(
      Array.from({ length: 4 }, async () => await store.open(stageSet, call)),
    );
    expect(new Set(opened.map(({ metadata }) => metadata.uid)).size).to.equal(1);
  });

  it('puts a start on record, and then the completion with its witness', async () => {
    const empty = await store.open(stageSet, call);
    const started = await store.start(empty, 'data', 'seed', call);
    expect((await stored())['status']).to.deep.equal({
      startedActions: [{ stage: 'data', action: 'seed', startedAt: '2026-03-01T12:00:00.250Z' }],
    });
    const anchor = { apiVersion: 'v1', kind: 'ConfigMap', name: 'seeded', uid: 'uid-1' };
    const completed = await store.complete(
      started,
      { stage: 'data', action: 'seed', anchor },
      call,
    );
    const { status } = await stored();
    expect(status).to.deep.equal({
      startedActions: [],
      completedActions: [
        {
          stage: 'data',
          action: 'seed',
          origin: 'Executed',
          anchor,
          completedAt: '2026-03-01T12:00:00Z',
        },
      ],
    });
    expect(completed.status).to.deep.equal(status);
  });

  it('forgets the start of an action that failed', async () => {
    const started = await store.start(await store.open(stageSet, call), 'data', 'seed', call);
    await store.abandon(started, 'data', 'seed', call);
    expect((await stored())['status']).to.deep.equal({ startedActions: [] });
  });

  it('writes nothing when an action goes on that was started before', async () => {
    const started = await store.start(await store.open(stageSet, call), 'data', 'seed', call);
    const again = await store.start(started, 'data', 'seed', call);
    expect(again).to.equal(started);
  });

  it('does not start what another process has started since the ledger was read', async () => {
    const empty = await store.open(stageSet, call);
    const other = new LedgerStore(client, () => instant(start + 1));
    await other.start(empty, 'data', 'seed', call);
    const error = await caught(store.start(empty, 'data', 'seed', call));
    expect(error).to.be.instanceOf(RetryableError);
    expect(String(error)).to.contain('was started by somebody else just now');
  });

  it('does not forget what another process has started since the ledger was read', async () => {
    const empty = await store.open(stageSet, call);
    const started = await store.start(empty, 'data', 'seed', call);
    const freed = await store.abandon(started, 'data', 'seed', call);
    const other = new LedgerStore(client, () => instant(start + 1));
    const theirs = await other.start(freed, 'data', 'seed', call);
    await store.abandon(empty, 'data', 'seed', call);
    await store.abandon(started, 'data', 'seed', call);
    expect((await stored())['status']).to.deep.equal(theirs.status);
  });

  it('does not start what was completed since the ledger was read', async () => {
    const empty = await store.open(stageSet, call);
    await store.complete(empty, { stage: 'data', action: 'seed' }, call);
    const error = await caught(store.start(empty, 'data', 'seed', call));
    expect(String(error)).to.contain('was completed by somebody else just now');
  });

  it('records a completion beside an edit of the baseline at the same moment', async () => {
    const started = await store.start(await store.open(stageSet, call), 'data', 'seed', call);
    await edit({ spec: { baseline: [{ stage: 'data', action: 'more' }] } });
    const completed = await store.complete(started, { stage: 'data', action: 'seed' }, call);
    expect(completed.spec).to.deep.equal({ baseline: [{ stage: 'data', action: 'more' }] });
    expect((await stored())['spec']).to.deep.equal(completed.spec);
    expect(completed.status?.completedActions?.map(({ action }) => action)).to.deep.equal(['seed']);
  });

  it('does not bring back a completion that a person removed at the same moment', async () => {
    const empty = await store.open(stageSet, call);
    const done = await store.complete(empty, { stage: 'data', action: 'old' }, call);
    await edit({ status: { completedActions: null } }, 'status');
    const completed = await store.complete(done, { stage: 'data', action: 'seed' }, call);
    expect(completed.status?.completedActions?.map(({ action }) => action)).to.deep.equal(['seed']);
  });

  it('records a completion in a new ledger when somebody deleted the old one', async () => {
    const started = await store.start(await store.open(stageSet, call), 'data', 'seed', call);
    await shop.delete(ledgerObject);
    const completed = await store.complete(started, { stage: 'data', action: 'seed' }, call);
    expect(completed.metadata.uid).not.to.equal(started.metadata.uid);
    expect((await stored())['status']).to.deep.equal(completed.status);
  });

  it('records a completion beside the baseline of a ledger that took the place of the old one', async () => {
    const started = await store.start(await store.open(stageSet, call), 'data', 'seed', call);
    await shop.delete(ledgerObject);
    await shop.create({ ...ledgerObject, spec: { baseline: [{ stage: 'data', action: 'more' }] } });
    const completed = await store.complete(started, { stage: 'data', action: 'seed' }, call);
    expect(completed.spec).to.deep.equal({ baseline: [{ stage: 'data', action: 'more' }] });
    expect(completed.status?.completedActions?.map(({ action }) => action)).to.deep.equal(['seed']);
  });

  it('settles by one write, and by none when nothing has changed', async () => {
    await shop.create({ ...ledgerObject, spec: { baseline: [{ stage: 'data', action: 'seed' }] } });
    const ledger = await store.open(stageSet, call);
    const settled = await settle(ledger);
    const { status, metadata } = await stored();
    expect(status).to.deep.equal({
      completedActions: [
        {
          stage: 'data',
          action: 'seed',
          origin: 'Baselined',
          completedAt: '2026-03-01T12:00:00Z',
        },
      ],
      conditions: [
        {
          type: 'BaselineValid',
          status: 'True',
          reason: 'AllResolved',
          message: 'Every entry of spec.baseline names an action of scope Lifetime',
          lastTransitionTime: '2026-03-01T12:00:00Z',
          observedGeneration: 1,
        },
      ],
    });
    expect(await settle(settled)).to.equal(settled);
    expect((await stored()).metadata.resourceVersion).to.equal(metadata.resourceVersion);
  });

  it('does not promote what a person takes out of the baseline at the same moment', async () => {
    await shop.create({ ...ledgerObject, spec: { baseline: [{ stage: 'data', action: 'seed' }] } });
    const ledger = await store.open(stageSet, call);
    await edit({ spec: { baseline: [] } });
    const settled = await settle(ledger);
    expect(settled.status?.completedActions).to.equal(undefined);
  });

  async function settle(ledger: StageLedger): Promise<StageLedger> {
    const { settlement } = settleLedger(spec, ledger, new Map(), instant(start));
    return await store.settle(ledger, settlement, call);
  }

  describe('behind a network that loses answers', () => {
    let proxy: FaultProxy;
    let connection: Connection;
    let late: LedgerStore;

    beforeEach(async () => {
      const { identities } = await sharedPlayground();
      proxy = await FaultProxy.start(identities.installed);
      connection = await Connection.open({ kind: 'Text', text: proxy.kubeconfig });
      const behind = KubernetesClient.connect(connection, { userAgent: 'behind' });
      late = new LedgerStore(behind, () => instant(start));
    });

    afterEach(async () => {
      await connection.close();
      await proxy.stop();
    });

    it('takes a start for its own whose answer was lost once', async () => {
      const empty = await late.open(stageSet, call);
      proxy.inject({ match: isWrite, times: 1, fault: { kind: 'ResetAfter' } });
      const started = await late.start(empty, 'data', 'seed', call);
      expect((await stored())['status']).to.deep.equal(started.status);
    });

    /** The ledger before a start whose answer never came, although it was stored. */
    async function unanswered(): Promise<StageLedger> {
      const empty = await late.open(stageSet, call);
      const recover = proxy.inject({ match: isWrite, fault: { kind: 'ResetAfter' } });
      const limits = { ...call, timeout: milliseconds(1500) };
      const error = await caught(late.start(empty, 'data', 'seed', limits));
      expect(error).to.be.instanceOf(RetryableError);
      recover();
      expect((await stored())['status'])
        .to.have.property('startedActions')
        .that.has.length(1);
      return empty;
    }

    it('goes on with a start whose answer never came', async () => {
      const empty = await unanswered();
      const started = await late.start(empty, 'data', 'seed', call);
      expect((await stored())['status']).to.deep.equal(started.status);
    });

    it('forgets a start whose answer never came when the ledger is opened again', async () => {
      await unanswered();
      const ledger = await late.open(stageSet, call);
      expect(ledger.status?.startedActions).to.deep.equal([]);
      expect((await store.open(stageSet, call)).status).to.deep.equal(ledger.status);
    });

    it('leaves a start alone that another process did not get to finish', async () => {
      await unanswered();
      const ledger = await store.open(stageSet, call);
      expect(ledger.status?.startedActions).to.have.length(1);
    });
  });

  describe('with a watch', () => {
    let watch: LedgerWatch;
    let woken: string[];

    beforeEach(() => {
      woken = [];
      watch = new LedgerWatch(client, {
        namespaces: [shop.name],
        onChange: (key) => woken.push(key),
        onTrouble: () => undefined,
      });
      store = new LedgerStore(
        client,
        () => instant(start),
        async (ledger, write) => await watch.whileWriting(ledger, write),
      );
    });

    afterEach(async () => {
      await Promise.all(watch.reflectors.map(async (reflector) => await reflector.stop()));
    });

    async function watching(): Promise<void> {
      for (const reflector of watch.reflectors) reflector.start();
      await Promise.all(watch.reflectors.map(async (each) => await each.synced(call.signal)));
    }

    /** Waits until the watch has told of everything up to now. */
    async function caughtUp(): Promise<void> {
      const { resourceVersion } = await shop
        .create({
          ...kind,
          metadata: { name: `marker-${Math.random().toString(36).slice(2)}` },
        })
        .then(({ metadata }) => metadata);
      await eventually(() =>
        watch.reflectors.some(({ store: seen }) =>
          [...seen.values()].some(({ metadata }) => metadata.resourceVersion === resourceVersion),
        ),
      );
      woken = woken.filter((key) => !key.includes('/marker-'));
    }

    it('wakes the StageSet when a person edits the baseline, restores a ledger or deletes it', async () => {
      await watching();
      await shop.create(ledgerObject);
      await edit({ spec: { baseline: [{ stage: 'data', action: 'seed' }] } });
      await edit({ status: { completedActions: [] } }, 'status');
      await shop.delete(ledgerObject);
      await caughtUp();
      expect(woken).to.deep.equal(Array.from({ length: 4 }, () => `${shop.name}/shop`));
    });

    it('wakes nobody for what was there at the start, nor for what the store writes', async () => {
      await shop.create({ ...ledgerObject, metadata: { name: 'site' } });
      await watching();
      const empty = await store.open(stageSet, call);
      const started = await store.start(empty, 'data', 'seed', call);
      await store.complete(started, { stage: 'data', action: 'seed' }, call);
      await caughtUp();
      expect(woken).to.deep.equal([]);
    });
  });
});
