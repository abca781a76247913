import { Clusters, type RemoteAccess } from '../controller/clusters.ts';
import { type AccountDefaults, readDefaultAccount } from '../controller/default-accounts.ts';
import { Dependencies } from '../controller/dependencies.ts';
import type { LadderRules } from '../controller/find-ladder.ts';
import type { GateReaders } from '../controller/gate-answers.ts';
import { LedgerStore } from '../controller/ledger-store.ts';
import type { BuildSteps } from '../controller/prepare-stage.ts';
import { SourceReader } from '../controller/source-reader.ts';
import { listRuns } from '../controller/stage-runs.ts';
import { Targets } from '../controller/targets.ts';
import { Tenants } from '../controller/tenants.ts';
import { versionAnswerTo } from '../controller/version-answers.ts';
import { noDrift } from '../core/drift/drifted.ts';
import { TerminalError } from '../core/errors.ts';
import { newestRun, triggerOf } from '../core/history/newest-run.ts';
import { holdBeforeRun } from '../core/plan/holds.ts';
import { type Findings, stagePlan } from '../core/plan/stage-plan.ts';
import { namedAccountOf } from '../core/service-account.ts';
import type { RunSettings } from '../core/settings.ts';
import type { BoundAdvance, Snapshot } from '../core/snapshot.ts';
import { type Clock, instant } from '../core/time.ts';
import { type AdmissionRules, admissionProblems } from '../core/validate/admission.ts';
import { describeProblems, type FieldProblem } from '../core/validate/field-problem.ts';
import { metricSourcesOf } from '../core/validate/metric-sources.ts';
import { parseStageSet } from '../core/validate/schema.ts';
import { stageSetProblems } from '../core/validate/stage-set.ts';
import type { VersionAsk } from '../core/version/version-asks.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { FairLimit } from '../kubernetes/fair-limit.ts';
import { TokenStore } from '../kubernetes/tokens.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type {
  StagePlanSpec,
  StagePlanStatus,
} from '../types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import {
  type StageRun,
  type StageSet,
  type StageSetSpec,
  stagesApiVersion,
} from '../types/stages.ts';
import { beyondStored } from './beyond-stored.ts';
import { type Rehearsal, type RehearsalOptions, rehearse } from './rehearsal.ts';
import { supposed } from './supposition.ts';

export interface PlannerOptions {
  /** Acts as the controller. */
  readonly client: KubernetesClient;
  /** What all plans together may ask of the API server; undefined takes the client's own limit. */
  readonly requests?: FairLimit;
  readonly builder: BuildSteps;
  readonly remote: RemoteAccess;
  readonly readers: GateReaders;
  readonly ladders: LadderRules;
  readonly settings: RunSettings;
  readonly crossNamespaceReferences: 'Allowed' | 'Refused';
  /** What StageSets act as that name no ServiceAccount; undefined: as the controller. */
  readonly defaultServiceAccount: string | undefined;
  readonly clock: Clock;
}

/** What is asked of a plan. */
export interface PlanQuestion {
  /** The stored StageSet, as it was read. */
  readonly object: KubernetesObject;
  /** What if; empty for the world as it is. */
  readonly suppose: StagePlanSpec;
  /** Only these stages are looked at in detail; undefined for all. */
  readonly stages: readonly string[] | undefined;
  /** `None` makes no dry-runs: counts are then what can be told from the live objects. */
  readonly dryRun: 'All' | 'None';
  /** Who asks, for a fair share of the requests. */
  readonly user: string;
}

/**
 * Says what the next run of a StageSet would do: takes the same snapshot as the reconciler, lets the
 * same functions decide, and rehearses each effect instead of carrying it out. Nothing is written,
 * not even a status or an event.
 */
export class Planner {
  readonly #options: PlannerOptions;
  readonly #tokens: TokenStore;
  readonly #clusters: Clusters;

  constructor(options: PlannerOptions) {
    this.#options = options;
    const { client, remote } = options;
    this.#tokens = new TokenStore(client);
    this.#clusters = new Clusters({ client, tokens: this.#tokens, ...remote });
  }

  /** Closes the connections to remote clusters. */
  async stop(): Promise<void> {
    await this.#clusters.stop();
  }

  /** @throws RetryableError and ApiError where the API server does not answer. */
  async plan(question: PlanQuestion, call: CallOptions): Promise<StagePlanStatus> {
    const { stageSet, problems } = read(question, this.#options);
    if (problems.length > 0) return stagePlan(refused(describeProblems(problems)));
    const { builder, clock, ladders, requests } = this.#options;
    const client =
      requests === undefined
        ? this.#options.client
        : this.#options.client.withLimit(requests.slotsOf(question.user));
    const defaults = await this.#defaultsOf(client, stageSet, call);
    if (defaults instanceof TerminalError) return stagePlan(refused(defaults.message));
    const runs = await listRuns(client, stageSet, call);
    const snapshot = await this.#look(client, stageSet, question.suppose, runs, call);
    const tenants = new Tenants(client, this.#tokens, defaults);
    const options = {
      client,
      builder,
      tenants,
      targets: new Targets(tenants, this.#clusters),
      readers: this.#options.readers,
      version: async (ask: VersionAsk, asked: StageSet, limits: CallOptions) =>
        await versionAnswerTo(ask, asked, { builder, tenants, clock, ...ladders }, limits),
      ledgers: new LedgerStore(client, this.#options.clock),
      clock: this.#options.clock,
      stageSetExists: existence(client, call),
    };
    const rehearsal = await rehearse(snapshot, question, options, call);
    return stagePlan(this.#findings(rehearsal, snapshot, newestRun(runs), question.stages));
  }

  /** As whom stages without an account are looked at, or why they are not. */
  async #defaultsOf(
    client: KubernetesClient,
    { metadata, spec }: StageSet,
    call: CallOptions,
  ): Promise<AccountDefaults | TerminalError> {
    const { defaultServiceAccount: flag } = this.#options;
    const { namespace = '' } = metadata;
    const defaults = await readDefaultAccount(client, namespace, flag, call.signal);
    try {
      if (namedAccountOf(spec) === undefined) defaults.of(namespace);
      return defaults;
    } catch (error) {
      if (error instanceof TerminalError) return error;
      throw error;
    }
  }

  /** As the reconciler looks, after a restart: without the memory of a run. */
  async #look(
    client: KubernetesClient,
    stageSet: StageSet,
    suppose: StagePlanSpec,
    runs: readonly StageRun[],
    call: CallOptions,
  ): Promise<Snapshot> {
    const { clock, crossNamespaceReferences, settings } = this.#options;
    const spec: StageSetSpec = stageSet.spec ?? { stages: [] };
    const asked = suppose.at === undefined ? NaN : Date.parse(suppose.at);
    const [graph, observed] = await Promise.all([
      new Dependencies({ client, crossNamespaceReferences }).observe(stageSet, new Map(), call),
      new SourceReader({ client, crossNamespaceReferences }).observe(stageSet, call),
    ]);
    return {
      now: Number.isNaN(asked) ? clock() : instant(asked),
      settings,
      stageSet,
      spec,
      problems: [],
      dependencies: graph,
      sources: supposed(observed, spec, suppose.revisions ?? {}),
      run: undefined,
      reassert: false,
      building: false,
      attempt: 'None',
      answers: new Map(),
      versions: new Map(),
      asking: false,
      drift: noDrift,
      advances: advancesOf(newestRun(runs)),
      teardown: undefined,
    };
  }

  #findings(
    { run, rests, stages }: Rehearsal,
    { stageSet }: Snapshot,
    before: StageRun | undefined,
    shown: readonly string[] | undefined,
  ): Findings {
    const holds = rests.flatMap((ready) => holdBeforeRun(ready, stageSet) ?? []);
    const refusal = rests.find((ready) => holdBeforeRun(ready, stageSet) === undefined);
    const known = before?.spec;
    return {
      runId: run?.id,
      trigger:
        run === undefined || known?.runId === run.id
          ? known?.trigger
          : triggerOf(stageSet, run, known),
      version: run?.version,
      invalid: refusal?.message,
      holds,
      stages,
      shown,
    };
  }
}

/** Asked as the controller, and once for each StageSet. */
function existence(
  client: KubernetesClient,
  call: CallOptions,
): RehearsalOptions['stageSetExists'] {
  const asked = new Map<string, Promise<boolean>>();
  const ask = async (namespace: string, name: string): Promise<boolean> => {
    const reference = { apiVersion: stagesApiVersion, kind: 'StageSet', namespace, name };
    const found = await client.find(reference, call, { as: 'Metadata' });
    return found !== undefined;
  };
  return async (namespace, name) => {
    const key = `${namespace}/${name}`;
    const answer = asked.get(key) ?? ask(namespace, name);
    asked.set(key, answer);
    return await answer;
  };
}

interface Read {
  readonly stageSet: StageSet;
  readonly problems: readonly FieldProblem[];
}

/** The StageSet in question, with what admission would refuse in a new spec, or a run in the stored one. */
function read({ object, suppose }: PlanQuestion, rules: AdmissionRules): Read {
  const proposed = suppose.proposed;
  const revised = proposed === undefined ? object : { ...object, spec: proposed };
  const options =
    proposed === undefined ? {} : ({ defaults: 'Apply', unknownFields: 'Report' } as const);
  const parsed = parseStageSet(revised, options);
  if (!parsed.ok) return { stageSet: bare(object), problems: parsed.problems };
  const stageSet = withVersion(withSources(parsed.value, suppose.revisions ?? {}), suppose.version);
  const strangers = strangeAccounts(stageSet, object);
  if (strangers.length > 0) return { stageSet, problems: strangers };
  if (proposed === undefined) return { stageSet, problems: stageSetProblems(stageSet) };
  const generation = (stageSet.metadata.generation ?? 0) + 1;
  const next = { ...stageSet, metadata: { ...stageSet.metadata, generation } };
  return { stageSet: next, problems: admissionProblems(next, rules) };
}

/**
 * Whoever may ask what if must not see by that what other accounts of the namespace see, or the
 * controller: a proposed spec acts as accounts of the stored one only.
 */
function strangeAccounts({ spec }: StageSet, object: KubernetesObject): FieldProblem[] {
  const parsed = parseStageSet(object);
  const stored = parsed.ok ? parsed.value.spec : undefined;
  const { namespace = '' } = object.metadata;
  const used = accountsOfStages(stored);
  const known = new Set([...used, stored?.serviceAccountName ?? '']);
  const whole = spec?.serviceAccountName ?? '';
  const strange = [
    ...[...accountsOfStages(spec)].filter((name) => !used.has(name)),
    ...(known.has(whole) ? [] : [whole]),
  ];
  const problems = [...new Set(strange)].map((name) => ({
    path: 'spec.serviceAccountName',
    message:
      name === ''
        ? 'a plan of another spec needs the serviceAccountName of the stored one'
        : `${name} is no ServiceAccount of the stored spec, and a plan acts as none other`,
  }));
  return [...problems, ...beyondStored(spec, stored, namespace)];
}

/**
 * The accounts that stages are applied as, and their variables and keys read; empty for the controller's own
 * identity. What leaves the spec is deleted as the account of the whole, which may be another one.
 */
function accountsOfStages(spec: StageSetSpec | undefined): Set<string> {
  const whole = spec?.serviceAccountName ?? '';
  const names = (spec?.stages ?? []).flatMap(({ serviceAccountName = '', postBuild }) => [
    serviceAccountName === '' ? whole : serviceAccountName,
    ...((postBuild?.substituteFrom ?? []).length === 0 ? [] : [whole]),
  ]);
  const readsAsWhole =
    spec?.decryption?.secretRef !== undefined ||
    spec?.version?.fromObject !== undefined ||
    spec?.migrationsSourceRef !== undefined ||
    (spec !== undefined && metricSourcesOf(spec).length > 0);
  return new Set(readsAsWhole ? [...names, whole] : names);
}

function bare({ metadata }: KubernetesObject): StageSet {
  return { apiVersion: stagesApiVersion, kind: 'StageSet', metadata };
}

/** The StageSet with another version, wherever its own comes from. */
function withVersion(stageSet: StageSet, value: string | undefined): StageSet {
  if (value === undefined || stageSet.spec === undefined) return stageSet;
  const version = { ...stageSet.spec.version, value };
  delete version.fromObject;
  delete version.fromArtifact;
  return { ...stageSet, spec: { ...stageSet.spec, version } };
}

/** The StageSet with other sources for the stages that the question gives one. */
function withSources(
  stageSet: StageSet,
  revisions: NonNullable<StagePlanSpec['revisions']>,
): StageSet {
  if (stageSet.spec === undefined) return stageSet;
  const stages = stageSet.spec.stages.map((stage) => {
    const sourceRef = revisions[stage.name]?.sourceRef;
    return sourceRef === undefined ? stage : { ...stage, sourceRef };
  });
  return { ...stageSet, spec: { ...stageSet.spec, stages } };
}

function advancesOf(run: StageRun | undefined): BoundAdvance[] {
  const runId = run?.spec?.runId;
  if (runId === undefined) return [];
  return (run?.status?.advances ?? []).map((advance) => ({ runId, advance }));
}

function refused(invalid: string): Findings {
  return { runId: undefined, trigger: undefined, invalid, holds: [], stages: [], shown: undefined };
}
