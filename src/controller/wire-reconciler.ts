import type { ActionWatches } from '../actions/action-watches.ts';
import type { AppliedMemory } from '../apply/applied-memory.ts';
import type { ExpressionEvaluator } from '../apply/expression-evaluator.ts';
import type { StageSetExists } from '../core/objects/foreign-owner.ts';
import type { EventRecorder } from '../kubernetes/events.ts';
import type { WorkQueue } from '../kubernetes/work-queue.ts';
import type { Clusters } from './clusters.ts';
import type { ControllerOptions } from './controller-options.ts';
import { Dependencies } from './dependencies.ts';
import type { DriftWatch } from './drift-watch.ts';
import { GateAsks } from './gate-asks.ts';
import { InventoryStore } from './inventory-store.ts';
import type { InventoryWatch } from './inventory-watch.ts';
import { LedgerStore } from './ledger-store.ts';
import type { LedgerWatch } from './ledger-watch.ts';
import { Reconciler } from './reconciler.ts';
import { Reporter } from './reporter.ts';
import { RunRecorder } from './run-recorder.ts';
import type { Sources } from './sources.ts';
import { StageEffects } from './stage-effects.ts';
import type { StageRuns } from './stage-runs.ts';
import type { StageSets } from './stage-sets.ts';
import { StatusPublisher } from './status-publisher.ts';
import { StatusWriter } from './status-writer.ts';
import { Targets } from './targets.ts';
import { TeardownEffects } from './teardown-effects.ts';
import type { Tenants } from './tenants.ts';
import { versionAnswerTo } from './version-answers.ts';
import { wireActions } from './wire-actions.ts';

/** What follows the cluster, and what the reconciler has in common with it. */
interface Parts extends ControllerOptions {
  readonly queue: WorkQueue;
  readonly stageSets: StageSets;
  readonly sources: Sources;
  readonly inventories: InventoryWatch;
  readonly ledgers: LedgerWatch;
  readonly runs: StageRuns;
  readonly tenants: Tenants;
  readonly clusters: Clusters;
  readonly applied: AppliedMemory;
  readonly drift: DriftWatch;
  readonly events: EventRecorder;
  readonly expressions: ExpressionEvaluator;
}

/** Puts the reconciler together with all that carries its effects out. */
export function wireReconciler(parts: Parts): {
  readonly reconciler: Reconciler;
  readonly actionWatches: ActionWatches;
} {
  const { client, builder, clock, logger, metrics, settings, runbookBase, stageSets } = parts;
  const { tenants, drift, runs, sources, queue, crossNamespaceReferences, http, readers } = parts;
  const targets = new Targets(tenants, parts.clusters);
  const reporter = new Reporter(parts.events, metrics, logger);
  const stageSetExists: StageSetExists = (namespace, name) => stageSets.exists(namespace, name);
  const onNews = (key: string): void => queue.add(key);
  const inventories = inventoryStore(parts);
  const common = { builder, tenants, targets, stageSetExists, clock, reporter };
  const stages = new StageEffects({ ...parts, ...common, inventories });
  const ledgers = new LedgerStore(client, clock, async (ledger, write) =>
    parts.ledgers.whileWriting(ledger, write),
  );
  const { expressions } = parts;
  const actions = wireActions({
    ...common,
    http,
    crossNamespaceReferences,
    expressions,
    ledgers,
    onNews,
  });
  const reconciler = new Reconciler({
    client,
    stageSets,
    dependencies: new Dependencies({ client, stageSets, crossNamespaceReferences }),
    sources,
    stages,
    actions: actions.effects,
    asks: new GateAsks({
      version: async (ask, stageSet, call) =>
        await versionAnswerTo(ask, stageSet, { builder, tenants, clock, ...parts.ladders }, call),

      readers,
      tenants,
      targets,
      clock,
      onNews,
      onAnswer: (stageSet, ask, answer) => reporter.gates.answered(stageSet, ask, answer),
    }),
    teardown: new TeardownEffects(client, { targets, inventories, reporter, clock }),
    tenants,
    targets,
    inventories,
    drift,
    publisher: new StatusPublisher({
      statuses: new StatusWriter(client),
      reporter,
      runbookBase,
      clock,
    }),
    recorder: new RunRecorder({ client, runs, reporter, clock }),
    reporter,
    settings,
    clock,
    onNews,
  });
  return { reconciler, actionWatches: actions.watches };
}

function inventoryStore({
  client,
  inventories,
  inventoryShardCap,
  logger,
  metrics,
}: Parts): InventoryStore {
  return new InventoryStore(client, inventoryShardCap, {
    onMalformed: ({ metadata }, stage, ids) => {
      const owner = { namespace: metadata.namespace ?? '', name: metadata.name };
      metrics.inventoryEntriesSkipped(owner, stage, ids.length);
      logger.warn('malformed inventory entries were passed over', { ...owner, stage, ids });
    },
    hasNone: (stageSet) => inventories.knowsOfNone(stageSet),
    whileWriting: async (shard, write) => await inventories.whileWriting(shard, write),
  });
}
