/**
 * The custom resources of this project under convenient names. The shapes are generated from crds/;
 * here they get their identity (`apiVersion`, `kind`, `metadata`) and their parts a name each.
 */
import type {
  FleetRollout as FleetRolloutShape,
  ImageVerificationPolicy as ImageVerificationPolicyShape,
  StageInventory as StageInventoryShape,
  StageLedger as StageLedgerShape,
  StageRun as StageRunShape,
  StageSet as StageSetShape,
} from './generated/crds.ts';
import type { ObjectMeta } from './kubernetes.ts';

/** Group and version of all custom resources of this project. */
export const stagesApiVersion = 'stages.metio.wtf/v1';

/**
 * A generated shape with its identity. A type alias, not an interface, so that it is assignable to
 * `KubernetesObject`; the way back is a parser of core/validate/schema.ts.
 */
type Resource<Kind extends string, Shape extends { spec?: unknown; status?: unknown }> = {
  apiVersion: typeof stagesApiVersion;
  kind: Kind;
  metadata: ObjectMeta;
  spec?: NonNullable<Shape['spec']>;
  status?: NonNullable<Shape['status']>;
};

export type StageSet = Resource<'StageSet', StageSetShape>;
export type StageInventory = Resource<'StageInventory', StageInventoryShape>;
export type StageLedger = Resource<'StageLedger', StageLedgerShape>;
export type StageRun = Resource<'StageRun', StageRunShape>;
export type FleetRollout = Resource<'FleetRollout', FleetRolloutShape>;
export type ImageVerificationPolicy = Resource<
  'ImageVerificationPolicy',
  ImageVerificationPolicyShape
>;

type Item<List> = NonNullable<List> extends readonly (infer Element)[] ? Element : never;

export type StageSetSpec = NonNullable<StageSet['spec']>;
export type Stage = Item<StageSetSpec['stages']>;
export type SourceReference = Stage['sourceRef'];
export type Dependency = Item<StageSetSpec['dependsOn']>;
export type KubeConfigReference = NonNullable<StageSetSpec['kubeConfig']>;
export type Decryption = NonNullable<StageSetSpec['decryption']>;
export type UpdateWindow = Item<StageSetSpec['updateWindows']>;
export type WindowScope = NonNullable<StageSetSpec['windowScope']>;
export type OnTimeout = NonNullable<StageSetSpec['onTimeout']>;
export type ErrorBudget = NonNullable<StageSetSpec['errorBudget']>;
export type MetricSource = ErrorBudget['source'];
export type VersionSource = NonNullable<StageSetSpec['version']>;
export type Migration = Item<StageSetSpec['migrations']>;
export type MigrationsSourceReference = NonNullable<StageSetSpec['migrationsSourceRef']>;

export type ConflictPolicy = NonNullable<Stage['conflictPolicy']>;
export type ConflictRule = Item<ConflictPolicy['rules']>;
export type ConflictAction = ConflictRule['action'];
export type StagePatch = Item<Stage['patches']>;
export type PostBuild = NonNullable<Stage['postBuild']>;
export type SubstituteReference = Item<PostBuild['substituteFrom']>;
export type ReadyChecks = NonNullable<Stage['readyChecks']>;
export type ReadyCheck = Item<ReadyChecks['checks']>;
export type ReadyExpression = Item<ReadyChecks['exprs']>;

export type StageActions = NonNullable<Stage['actions']>;
export type Action = Item<StageActions['pre']>;
export type ActionScope = NonNullable<Action['scope']>;
export type CompletionAnchor = NonNullable<Action['completionAnchor']>;
export type PatchAction = NonNullable<Action['patch']>;
export type HttpAction = NonNullable<Action['http']>;
export type WaitAction = NonNullable<Action['wait']>;
export type JobAction = NonNullable<Action['job']>;
export type DeleteAction = NonNullable<Action['delete']>;
export type ApplyAction = NonNullable<Action['apply']>;

export type Promotion = NonNullable<Stage['promotion']>;
export type Analysis = NonNullable<Promotion['analysis']>;
export type AnalysisCheck = Item<Analysis['checks']>;
export type Threshold = AnalysisCheck['threshold'];
export type FastTrack = NonNullable<Promotion['fastTrack']>;
export type RestartGate = NonNullable<Promotion['restartGate']>;
export type RestartCheck = Item<RestartGate['checks']>;
export type EventGate = NonNullable<Promotion['eventGate']>;
export type EventCheck = Item<EventGate['checks']>;
export type LabelSelector = RestartCheck['selector'];

export type StageSetStatus = NonNullable<StageSet['status']>;
export type StageStatus = Item<StageSetStatus['stages']>;
export type StagePhase = NonNullable<StageStatus['phase']>;
export type PromotionState = NonNullable<StageStatus['promotionState']>;
export type PromotionPhase = NonNullable<PromotionState['phase']>;
export type BudgetFreeze = NonNullable<StageSetStatus['budgetFreeze']>;
export type PendingUpdate = NonNullable<StageSetStatus['pendingUpdate']>;
/** An override by annotation that is in effect for one set of revisions. */
export type BoundOverride = NonNullable<StageSetStatus['updateOverride']>;
export type PendingMigration = Item<StageSetStatus['pendingMigrations']>;
export type SnapshotEntry = Item<StageSetStatus['lastAppliedSnapshot']>;

export type StageInventorySpec = NonNullable<StageInventory['spec']>;
export type InventoryEntry = Item<StageInventorySpec['entries']>;

export type StageLedgerSpec = NonNullable<StageLedger['spec']>;
export type StageLedgerStatus = NonNullable<StageLedger['status']>;
export type BaselineEntry = Item<StageLedgerSpec['baseline']>;
export type CompletedAction = Item<StageLedgerStatus['completedActions']>;
export type StartedAction = Item<StageLedgerStatus['startedActions']>;
export type RunningAction = NonNullable<StageStatus['runningAction']>;

export type StageRunSpec = NonNullable<StageRun['spec']>;
export type StageRunStatus = NonNullable<StageRun['status']>;
export type RunTrigger = StageRunSpec['trigger'];
export type RunPhase = NonNullable<StageRunStatus['phase']>;
export type PinnedStage = Item<StageRunSpec['snapshot']>;
export type RecordedStage = Item<StageRunStatus['stages']>;
export type RecordedChange = Item<RecordedStage['changes']>;
export type RecordedAction = Item<RecordedStage['actions']>;
export type RecordedHold = Item<RecordedStage['gates']>;
/** A gate that somebody passed by hand, as a StageRun keeps it. */
export type Advance = Item<StageRunStatus['advances']>;

export type FleetRolloutSpec = NonNullable<FleetRollout['spec']>;
export type FleetRolloutStatus = NonNullable<FleetRollout['status']>;
export type Wave = Item<FleetRolloutSpec['waves']>;
export type WaveStatus = Item<FleetRolloutStatus['waves']>;

export type ImageVerificationPolicySpec = NonNullable<ImageVerificationPolicy['spec']>;
export type Authority = Item<ImageVerificationPolicySpec['authorities']>;
