import type { ActionWatches } from '../actions/action-watches.ts';
import { AppliedMemory } from '../apply/applied-memory.ts';
import { ExpressionEvaluator } from '../apply/expression-evaluator.ts';
import { RetryableError } from '../core/errors.ts';
import { between, type Duration, milliseconds, seconds } from '../core/time.ts';
import { parseStageSet } from '../core/validate/schema.ts';
import { isConflict } from '../kubernetes/api-error.ts';
import { EventRecorder } from '../kubernetes/events.ts';
import type { Reflector, ReflectorTrouble } from '../kubernetes/reflector.ts';
import { TokenStore } from '../kubernetes/tokens.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { pause } from '../kubernetes/wait.ts';
import { WorkQueue } from '../kubernetes/work-queue.ts';
import { runWorkers, type WorkResult } from '../kubernetes/workers.ts';
import type { ReconcileResult } from '../types/metrics.ts';
import type { StageSet } from '../types/stages.ts';
import { AccountWatch } from './account-watch.ts';
import { AwaitedKinds } from './awaited-kinds.ts';
import { Clusters } from './clusters.ts';
import type { ControllerOptions } from './controller-options.ts';
import { DefaultAccounts } from './default-accounts.ts';
import { DriftWatch } from './drift-watch.ts';
import { isInterruption } from './failure.ts';
import { InventoryWatch } from './inventory-watch.ts';
import { LedgerWatch } from './ledger-watch.ts';
import { Outage, serverAnswers } from './outage.ts';
import type { NextPass, Reconciler } from './reconciler.ts';
import { Sources } from './sources.ts';
import { StageRuns } from './stage-runs.ts';
import { StageSets } from './stage-sets.ts';
import { ownIdentity, Tenants } from './tenants.ts';
import { wireReconciler } from './wire-reconciler.ts';

/** Reconciles at once; waits hold none of them (part A 2.1). */
const workers = 4;

/** How long events may take to be told when the process ends. */
const farewell = seconds(5);

/** Wires the reflectors to the queue and the queue to the reconciler. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #queue: WorkQueue;
  readonly #stageSets: StageSets;
  readonly #awaitedKinds: AwaitedKinds;
  readonly #sources: Sources;
  readonly #inventories: InventoryWatch;
  readonly #ledgers: LedgerWatch;
  readonly #runs: StageRuns;
  readonly #defaultAccounts: DefaultAccounts;
  readonly #accounts: AccountWatch;
  readonly #tokens: TokenStore;
  readonly #applied = new AppliedMemory();
  readonly #drift: DriftWatch;
  readonly #events: EventRecorder;
  readonly #expressions = new ExpressionEvaluator();
  readonly #clusters: Clusters;
  readonly #reconciler: Reconciler;
  readonly #actionWatches: ActionWatches;
  readonly #outage: Outage;

  constructor(options: ControllerOptions) {
    this.#options = options;
    const { client, watchNamespaces, metrics } = options;
    this.#queue = new WorkQueue({
      observer: metrics.queue,
      groupOf: namespaceOf,
      mostPerGroup: workers - 1,
    });
    this.#awaitedKinds = new AwaitedKinds({
      client,
      clock: options.clock,
      onServed: (kind) => this.#sources.served(kind),
      onTrouble: (trouble) => this.#trouble('CustomResourceDefinition', trouble),
    });
    this.#sources = new Sources({
      client,
      awaitedKinds: this.#awaitedKinds,
      watchNamespaces,
      crossNamespaceReferences: options.crossNamespaceReferences,
      onNews: (sourceKeys) => this.#wakeNaming(sourceKeys),
      onTrouble: (gvk, trouble) => this.#sourceTrouble(gvk, trouble),
    });
    this.#stageSets = new StageSets(client, {
      namespaces: watchNamespaces,
      sourceKeysOf: (stageSet) => this.#sources.keysOf(stageSet),
      onNews: (key) => this.#queue.add(key),
      onDelivery: (key) => this.#wakeDependents(key),
      onTrouble: (trouble) => this.#trouble('StageSet', trouble),
    });
    this.#inventories = new InventoryWatch(client, {
      namespaces: watchNamespaces,
      onLost: (key) => this.#reassert(key),
      onTrouble: (trouble) => this.#trouble('StageInventory', trouble),
    });
    this.#ledgers = new LedgerWatch(client, {
      namespaces: watchNamespaces,
      onChange: (key) => this.#reassert(key),
      onTrouble: (trouble) => this.#trouble('StageLedger', trouble),
    });
    this.#runs = new StageRuns(client, {
      namespaces: watchNamespaces,
      onAdvance: (key) => this.#queue.add(key),
      onTrouble: (trouble) => this.#trouble('StageRun', trouble),
    });
    this.#tokens = new TokenStore(client);
    this.#defaultAccounts = new DefaultAccounts(client, {
      flag: options.defaultServiceAccount,
      namespaces: watchNamespaces,
      onChange: (namespace) => this.#reassertAll(this.#stageSets.actingByDefault(namespace)),
      onTrouble: (trouble) => this.#trouble('Namespace', trouble),
    });
    this.#accounts = new AccountWatch(client, {
      namespaces: watchNamespaces,
      onGone: (namespace, name) => {
        this.#tokens.evict(namespace, name);
        this.#clusters.evict(namespace, name);
      },
      onCreated: (namespace, name) => this.#accountCreated(namespace, name),
      onTrouble: (trouble) => this.#trouble('ServiceAccount', trouble),
    });
    this.#events = new EventRecorder(client, {
      controller: 'stageset-controller',
      instance: options.instance,
    });
    this.#clusters = new Clusters({ client, tokens: this.#tokens, ...options.remote });
    this.#drift = this.#wireDriftWatch();
    const { reconciler, actionWatches } = wireReconciler({
      ...options,
      queue: this.#queue,
      stageSets: this.#stageSets,
      sources: this.#sources,
      inventories: this.#inventories,
      ledgers: this.#ledgers,
      runs: this.#runs,
      tenants: new Tenants(client, this.#tokens, this.#defaultAccounts),
      clusters: this.#clusters,
      applied: this.#applied,
      drift: this.#drift,
      events: this.#events,
      expressions: this.#expressions,
    });
    this.#reconciler = reconciler;
    this.#actionWatches = actionWatches;
    this.#outage = new Outage({
      answers: async (signal) => await serverAnswers(client, signal),
      onOver: (keys) => this.#takeUpAgain(keys),
    });
  }

  /** Why the controller does not follow the cluster yet; undefined when it does. */
  notReady(): string | undefined {
    const waiting = this.#reflectors().find(({ hasSynced }) => !hasSynced);
    if (waiting === undefined) return undefined;
    const { trouble, query } = waiting;
    const why = trouble === undefined ? 'not listed yet' : wordsFor[trouble.kind];
    return `${query.kind} in ${query.namespace ?? 'all namespaces'}: ${why}`;
  }

  /**
   * A StageSet as it was seen last; undefined when there is none.
   * @throws RetryableError where its namespace is not followed, or not yet
   */
  stageSet(namespace: string, name: string): StageSet | undefined {
    if (!this.#stageSets.knows(namespace)) {
      throw new RetryableError(`StageSets in namespace ${namespace} are not watched, or not yet`);
    }
    return this.#stageSets.get(`${namespace}/${name}`)?.value;
  }

  /** Follows the cluster; only `lead` changes anything in it. */
  start(): void {
    // Compiles the validator, which takes a moment that the first StageSet should not wait for.
    parseStageSet(undefined);
    for (const reflector of this.#reflectors()) reflector.start();
    for (const reflector of this.#accounts.reflectors) reflector.start();
  }

  /**
   * Reconciles until `stop` fires. A pass under way then ends at its next step, or in the middle of
   * one when that takes longer than `grace`: wherever it stops, the next start finds its way on.
   */
  async lead(stop: AbortSignal, grace: Duration): Promise<void> {
    const { logger, metrics } = this.#options;
    // Nobody's account is known before, and those without one would fail.
    await this.#defaultAccounts.settled(stop).catch(() => undefined);
    metrics.setWorkers(workers);
    const hurry = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const closed = new Promise<void>((resolve) => {
      const close = (): void => {
        timer = setTimeout(() => hurry.abort(stop.reason), grace);
        resolve(this.#queue.close());
      };
      if (stop.aborted) close();
      else stop.addEventListener('abort', close, { once: true });
    });
    const pass = async (key: string): Promise<WorkResult> =>
      await this.#pass(key, stop, { signal: hurry.signal });
    await runWorkers(this.#queue, workers, pass, (key, error) => {
      if (stop.aborted || isConflict(error)) logger.debug('pass ended early', { key, error });
      else if (isInterruption(error)) this.#interrupted(key, error);
      else logger.error('reconcile failed', { key, error });
    });
    await closed;
    await this.#reconciler.settled();
    this.#outage.stop();
    clearTimeout(timer);
  }

  #interrupted(key: string, error: unknown): void {
    this.#options.logger.warn('no answer of the API server', { key, error });
    this.#outage.interrupted(key);
  }

  async #pass(key: string, stop: AbortSignal, call: CallOptions): Promise<WorkResult> {
    const { metrics, clock } = this.#options;
    const started = clock();
    metrics.reconcileStarted();
    let result: ReconcileResult = 'error';
    try {
      await this.#defaultAccounts.seen(namespaceOf(key), call);
      const next = await this.#reconciler.reconcile(key, stop, call);
      this.#outage.answered(key);
      result = resultOf(next);
      if (next === undefined) return { kind: 'Done' };
      if (next === 'Backoff') return { kind: 'Backoff' };
      return { kind: 'After', delay: milliseconds(Math.max(0, between(clock(), next))) };
    } finally {
      metrics.reconcileFinished(result, between(started, clock()) / 1000);
    }
  }

  /** Stops following the cluster, and lets what is to be told be told. */
  async stop(): Promise<void> {
    await this.#queue.close();
    // The API server may be gone: what is still to be told must not keep the process.
    const bound = new AbortController();
    const timeUp = pause(farewell, bound.signal).catch(() => undefined);
    await Promise.race([this.#events.flush(), timeUp]);
    bound.abort();
    this.#events.stop();
    await Promise.all([
      ...[...this.#reflectors(), ...this.#accounts.reflectors].map(
        async (reflector) => await reflector.stop(),
      ),
      this.#awaitedKinds.stop(),
      this.#sources.stop(),
      this.#expressions.close(),
      this.#drift.stop(),
      this.#actionWatches.stop(),
    ]);
    await this.#clusters.stop();
  }

  #reflectors(): Reflector[] {
    const { reflectors: ledgers } = this.#ledgers;
    const followed = [this.#stageSets, this.#inventories, this.#runs, this.#defaultAccounts];
    return [...followed.flatMap(({ reflectors }) => [...reflectors]), ...ledgers];
  }

  #wireDriftWatch(): DriftWatch {
    const { driftWatch, watchNamespaces, metrics, logger } = this.#options;
    return new DriftWatch({
      mode: driftWatch,
      applied: this.#applied,
      stageSetOf: (key) => this.#stageSets.get(key)?.value,
      runOf: (key) => this.#reconciler.runOf(key),
      onNews: (key) => this.#queue.add(key),
      watches: {
        // A tenant may have rights in a few namespaces only, and so may a scoped controller.
        spansNamespaces: (identity) => identity === ownIdentity && watchNamespaces.length === 0,
        onUnwatched: ({ apiVersion, kind, namespace }, identity, why) => {
          const what = { apiVersion, kind, in: namespace ?? 'all namespaces', identity };
          logger.info('objects are not watched, drift is corrected at intervals', { ...what, why });
        },
        onCount: (watches) => metrics.setOwnedWatches(watches),
      },
    });
  }

  #wakeNaming(sourceKeys: readonly string[]): void {
    for (const key of this.#stageSets.namingSource(sourceKeys)) this.#queue.add(key);
  }

  #takeUpAgain(keys: readonly string[]): void {
    this.#options.logger.info('the API server answers again', { interrupted: keys.length });
    for (const key of keys) {
      this.#queue.cancelDelay(key);
      this.#queue.add(key);
    }
  }

  #wakeDependents(key: string): void {
    for (const dependent of this.#stageSets.dependingOn(key)) this.#queue.add(dependent);
  }

  /** Whoever could not act as the account may now. */
  #accountCreated(namespace: string, name: string): void {
    this.#reassertAll(this.#stageSets.actingAs(`${namespace}/${name}`));
    if (this.#defaultAccounts.isDefault(namespace, name)) {
      this.#reassertAll(this.#stageSets.actingByDefault(namespace));
    }
  }

  #reassertAll(keys: ReadonlySet<string>): void {
    for (const key of keys) this.#reassert(key);
  }

  #reassert(key: string): void {
    this.#reconciler.requestReassertion(key);
    this.#queue.add(key);
  }

  #sourceTrouble(gvk: string, trouble: ReflectorTrouble | undefined): void {
    if (trouble !== undefined) this.#options.metrics.watchFailed(gvk);
    this.#trouble(gvk, trouble);
  }

  #trouble(kind: string, trouble: ReflectorTrouble | undefined): void {
    const { logger } = this.#options;
    if (trouble === undefined) logger.info('watching again', { kind });
    // A watch that breaks once is everyday life; only what lasts is worth a line.
    else if (trouble.failures % 5 === 1 && (trouble.kind !== 'Other' || trouble.failures > 1)) {
      const { error, failures } = trouble;
      const said = error instanceof Error ? error.message : String(error);
      logger.warn('cannot watch', { kind, why: wordsFor[trouble.kind], failures, said });
    }
  }
}

function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

function resultOf(next: NextPass): ReconcileResult {
  if (next === undefined) return 'success';
  return next === 'Backoff' ? 'requeue' : 'requeue_after';
}

const wordsFor = {
  MissingKind: 'its CustomResourceDefinition is not installed',
  Forbidden: 'the controller may not list or watch it',
  Unauthorized: 'the credentials were not accepted',
  TooLarge: 'there are too many of them',
  Other: 'the API server does not answer',
} as const;
