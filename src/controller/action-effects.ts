import type { ActionContext, ActionTools } from '../actions/action-context.ts';
import type { ActionWatches } from '../actions/action-watches.ts';
import type { LeftAction } from '../actions/left-behind.ts';
import { runsOnce, scopeIn } from '../core/actions/action.ts';
import { isJob } from '../core/actions/action-marks.ts';
import type { ActionLook, Attempt, Awaited, MadeObject } from '../core/actions/attempt.ts';
import {
  actionAt,
  attempted,
  cleanedUp,
  deadlineOf,
  failedAction,
  isOver,
  lookedAtAction,
  operationOfHook,
  timedOut,
} from '../core/actions/attempts.ts';
import { epochOf } from '../core/actions/epoch.ts';
import { leftBehind } from '../core/actions/ledger.ts';
import { startOf } from '../core/actions/lifetime.ts';
import { concluded } from '../core/actions/settle-actions.ts';
import type { ActionEffect } from '../core/actions/steps.ts';
import type { Failure } from '../core/failure.ts';
import { sha256Hex } from '../core/hash.ts';
import { type RunProgress, withStage } from '../core/run.ts';
import { between, type Clock, type Instant, seconds, toRfc3339 } from '../core/time.ts';
import { noAnswer, SERVER_NOT_READY } from '../kubernetes/api-error.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import { madeMeanwhile } from './abandoned-attempt.ts';
import { actionFailure, isHopeless, isOfCalledServer, isUnanswered } from './action-failure.ts';
import type { ActionRuns } from './action-runs.ts';
import { isInterruption, redactedFailure } from './failure.ts';
import type { LifetimeActions } from './lifetime-actions.ts';
import type { StageSetMemory } from './memory.ts';
import { ownerOf } from './owner.ts';
import type { Reporter } from './reporter.ts';
import type { StageAt } from './stage-at.ts';
import type { Targets } from './targets.ts';

/** What carries a single action out. */
interface Verbs {
  readonly attempt: (context: ActionContext, call: CallOptions) => Promise<Attempt>;
  readonly look: (
    context: ActionContext,
    awaited: Awaited,
    call: CallOptions,
  ) => Promise<ActionLook>;
  readonly removeLeftBehind: (left: LeftAction, call: CallOptions) => Promise<void>;
  readonly cleanUp: (context: ActionContext, made: readonly MadeObject[]) => Promise<void>;
}

export interface ActionEffectsOptions {
  readonly verbs: Verbs;
  readonly tools: (at: StageAt) => ActionTools;
  readonly targets: Targets;
  readonly lifetime: LifetimeActions;
  readonly runs: ActionRuns;
  readonly reporter: Reporter;
  readonly watches: ActionWatches;
  /** StageSets whose actions wait for something that has changed. */
  readonly news: Set<string>;
  readonly clock: Clock;
}

/** Carries out what was decided for the actions of a stage; each returns the run as it stands then. */
export class ActionEffects {
  readonly #options: ActionEffectsOptions;

  constructor(options: ActionEffectsOptions) {
    this.#options = options;
  }

  /** Whether something that an action waits for has changed. */
  hasNews(key: string): boolean {
    return this.#options.news.has(key);
  }

  /** Ends what is watched for a StageSet. */
  release(key: string): void {
    this.#options.watches.release(key);
    this.#options.news.delete(key);
  }

  async carryOut(
    kind: Exclude<ActionEffect['kind'], 'SaveLedgers'>,
    at: StageAt,
    call: CallOptions,
  ): Promise<RunProgress> {
    switch (kind) {
      case 'EnterStage':
        return await this.#enter(at, call);
      case 'RunAction':
        return await this.#run(at, call);
      case 'LookAtAction':
        return await this.#look(at, call);
      case 'RecordAction':
        return await this.#record(at, call);
      case 'CleanUpAction':
        return await this.#cleanUp(at, call);
    }
  }

  /**
   * Ends the Jobs of actions that a StageSet will not come to the end of any more. An attempt that was
   * under way is waited for: it may be about to create one.
   */
  async removeUnfinished(
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<void> {
    const made = await madeMeanwhile(memory.abandoned, call.signal);
    for (const { name: stage, runningAction } of stageSet.status?.stages ?? []) {
      if (runningAction === undefined) continue;
      await this.#removeLeftBehind(stageSet, stage, runningAction.name, call, made);
    }
    memory.abandoned = undefined;
  }

  /** What was left behind goes first: nothing but the status knows of it. */
  async #enter(at: StageAt, call: CallOptions): Promise<RunProgress> {
    const { stageSet, stage, index } = at;
    const run = await this.#options.lifetime.enter(at, call);
    const ledger = run.stages[index]?.ledger;
    const name = ledger === undefined ? undefined : leftBehind(stage, ledger);
    if (ledger === undefined || name === undefined) return run;
    await this.#removeLeftBehind(stageSet, stage.name, name, call);
    return withStage(run, index, (progress) => ({
      ...progress,
      ledger: { ...ledger, resumed: undefined },
    }));
  }

  /** An attempt goes on while no worker waits for it; a Lifetime one is on record before it begins. */
  async #run(at: StageAt, call: CallOptions): Promise<RunProgress> {
    const { run, index, memory } = at;
    const here = actionAt(run, index);
    if (here === undefined) return run;
    const { action, step } = here;
    // What cannot be put on record is not begun: nothing of the action has failed then.
    if (memory.attempt === undefined && scopeIn(step.hook, action) === 'Lifetime') {
      await this.#options.lifetime.start(at, action, call);
    }
    try {
      const attempt = await this.#options.runs.take(at, call, async (signal) => {
        const end = deadlineOf(action, step);
        const takesUp = step.phase.kind === 'Due' && step.phase.takesUp === true;
        const least = takesUp ? takingUpBound : 0;
        const limits = { ...call, signal: endingAt(end, signal, this.#now(), least) };
        const context = await this.#contextOf(at, limits);
        await this.#afterTheLast(at, context, signal);
        return await this.#options.verbs.attempt(context, limits);
      });
      if (attempt === undefined) return run;
      const next = attempted(run, index, attempt, this.#now());
      await this.#follow(at, next, call);
      return next;
    } catch (error) {
      call.signal.throwIfAborted();
      return this.#failed(at, error);
    }
  }

  /** Two attempts at a time would not see what the other makes; a Job of the last one is found. */
  async #afterTheLast(
    { memory }: StageAt,
    context: ActionContext,
    signal: AbortSignal,
  ): Promise<void> {
    const made = await madeMeanwhile(memory.abandoned, signal);
    memory.abandoned = undefined;
    if (made.length > 0 && !made.some(isJob)) await this.#options.verbs.cleanUp(context, made);
  }

  async #look(at: StageAt, call: CallOptions): Promise<RunProgress> {
    const { run, index } = at;
    const here = actionAt(run, index);
    if (here?.step.phase.kind !== 'Awaiting') return run;
    const { awaited } = here.step.phase;
    const { verbs, watches } = this.#options;
    const key = keyOf(at);
    try {
      this.#options.news.delete(key);
      at.memory.lookedAt = this.#now();
      const context = await this.#contextOf(at, call);
      const look = await verbs.look(context, awaited, call);
      if (look.kind !== 'Failed') {
        await this.#follow(at, run, call);
        const news = watches.covers(key) ? 'Watched' : 'Polled';
        const how = { now: this.#now(), news, secrets: at.memory.secrets } as const;
        const next = lookedAtAction(run, index, look, how);
        if (look.kind === 'Done') this.release(key);
        return next;
      }
      this.release(key);
      // What it made goes before another attempt, which makes the same.
      if (awaited.kind === 'Jobs') await verbs.cleanUp(context, awaited.made);
      return this.#failed(at, new Error(look.message));
    } catch (error) {
      call.signal.throwIfAborted();
      if (isInterruption(error)) throw error;
      if (isHopeless(error)) return this.#failed(at, error);
      const message = messageOf(error);
      const look = { kind: 'NotYet', message, awaited } as const;
      const how = { now: this.#now(), news: 'Polled', secrets: at.memory.secrets } as const;
      return lookedAtAction(run, index, look, how);
    }
  }

  async #record(at: StageAt, call: CallOptions): Promise<RunProgress> {
    const { run, index } = at;
    const here = actionAt(run, index);
    if (here?.step.phase.kind !== 'Ended') return run;
    const { phase } = here.step;
    const trouble = await this.#options.lifetime.record(at, here.action, phase, call);
    const ended = trouble === undefined ? phase : { ...phase, failure: trouble };
    return concluded(run, index, ended, this.#now());
  }

  async #cleanUp(at: StageAt, call: CallOptions): Promise<RunProgress> {
    const { run, index, stageSet, stage } = at;
    const here = actionAt(run, index);
    if (here?.step.phase.kind !== 'CleaningUp') return run;
    const { made } = here.step.phase;
    await this.#removing(stageSet, stage.name, here.action.name, call, async () => {
      await this.#options.verbs.cleanUp(await this.#contextOf(at, call), made);
    });
    return cleanedUp(run, index);
  }

  async #removeLeftBehind(
    stageSet: StageSet,
    stage: string,
    name: string,
    call: CallOptions,
    made: readonly MadeObject[] = [],
  ): Promise<void> {
    await this.#removing(stageSet, stage, name, call, async () => {
      const { client } = await this.#options.targets.readyTargetOf(stageSet, stage, call);
      const left = { client, stageSet: ownerOf(stageSet), stage, action: { name }, made };
      await this.#options.verbs.removeLeftBehind(left, call);
    });
  }

  /** What cannot be removed is told and fails nothing: the action is over. */
  async #removing(
    stageSet: StageSet,
    stage: string,
    action: string,
    call: CallOptions,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      call.signal.throwIfAborted();
      if (isInterruption(error)) throw error;
      this.#options.reporter.warned(stageSet, stage, [leftNote(action, error)]);
    }
  }

  /** @throws the error again when it says nothing about the action: nobody answered. */
  #failed(at: StageAt, error: unknown): RunProgress {
    const { run, index } = at;
    const here = actionAt(run, index);
    if (here === undefined) return run;
    const { action, step } = here;
    const uncertain = runsOnce(step.hook, action) && noAnswer(error) !== SERVER_NOT_READY;
    if (isInterruption(error) && !uncertain && !isOfCalledServer(action, error)) throw error;
    return this.#failedOf(at, here, error);
  }

  /**
   * The run when an action got no answer again and again of an API server that answers others: it has
   * failed, and counts as any other failure (part A 7.5). Undefined where the stage is at no action.
   */
  unanswered(at: StageAt, error: unknown): RunProgress | undefined {
    const { run, index, memory, stageSet, stage } = at;
    const here = actionAt(run, index);
    if (here === undefined || !isInterruption(error)) return undefined;
    const { action, step } = here;
    const { phase, hook } = step;
    switch (phase.kind) {
      case 'Due':
      case 'Awaiting':
        return this.#failedOf(at, here, error);
      case 'Ended': {
        const failure = actionFailure(operationOfHook(hook), error);
        const said = phase.failure ?? redactedFailure(failure, memory.secrets);
        return concluded(run, index, { ...phase, failure: said }, this.#now());
      }
      case 'CleaningUp':
        this.#options.reporter.warned(stageSet, stage.name, [leftNote(action.name, error)]);
        return cleanedUp(run, index);
    }
  }

  #failedOf(
    at: StageAt,
    { action, step }: NonNullable<ReturnType<typeof actionAt>>,
    error: unknown,
  ): RunProgress {
    const { run, index, memory } = at;
    const once = runsOnce(step.hook, action);
    this.release(keyOf(at));
    const now = this.#now();
    const late = isOver(action, step, now);
    const failure: Failure = late
      ? timedOut(action, { ...step, trouble: messageOf(error) })
      : actionFailure(operationOfHook(step.hook), error);
    const hopeless = isHopeless(error);
    const said = redactedFailure(failure, memory.secrets);
    // Whether the other side did it before the connection broke is anybody's guess.
    const chance =
      once && (late || isUnanswered(error)) ? 'Unknown' : hopeless || late ? 'Final' : 'Again';
    return failedAction(run, index, said, chance, now);
  }

  /** What is awaited tells of its changes, where the tenant may watch it. */
  async #follow(at: StageAt, run: RunProgress, call: CallOptions): Promise<void> {
    const phase = actionAt(run, at.index)?.step.phase;
    if (phase?.kind !== 'Awaiting') return;
    const { awaited } = phase;
    const objects =
      awaited.kind === 'Jobs'
        ? awaited.jobs
        : awaited.kind === 'Expression'
          ? [awaited.target]
          : [];
    if (objects.length === 0) return;
    const { client } = await this.#options.targets.targetOf(at.stageSet, at.stage.name, call);
    this.#options.watches.follow(keyOf(at), client, objects);
  }

  async #contextOf(at: StageAt, call: CallOptions): Promise<ActionContext> {
    const { stageSet, stage, run, index, memory } = at;
    const here = actionAt(run, index);
    if (here === undefined) throw new Error(`stage ${stage.name} is at no action`);
    const { client } = await this.#options.targets.readyTargetOf(stageSet, stage.name, call);
    const { namespace, name } = ownerOf(stageSet);
    const uid = stageSet.metadata.uid ?? '';
    const revision = run.pinned[index]?.revision ?? '';
    const { hook, startedAt, attempt } = here.step;
    const named = { stage: stage.name, action: here.action.name };
    const started = memory.ledger === undefined ? undefined : startOf(memory.ledger, named);
    const epoch = epochOf(hook, here.action, run.stages[index]?.ledger, started);
    const begun = toRfc3339(startedAt);
    return {
      client,
      stageSet: { namespace, name, uid },
      stage: stage.name,
      action: here.action,
      revision,
      idempotencyKey: sha256Hex(
        [uid, stage.name, hook, here.action.name, epoch, begun].join('\n'),
      ).slice(0, 32),
      attempt,
      epoch,
      onSecretValue: (value) => memory.secrets.add(value),
      onTrouble: (message) => this.#options.reporter.warned(stageSet, stage.name, [message]),
      tools: this.#options.tools(at),
    };
  }

  #now(): Instant {
    return this.#options.clock();
  }
}

/** Milliseconds to find what a process before this one has begun, even when the time is over. */
const takingUpBound = seconds(30);

/** @param least milliseconds that are left at least. */
function endingAt(
  end: Instant | undefined,
  signal: AbortSignal,
  now: Instant,
  least: number,
): AbortSignal {
  if (end === undefined) return signal;
  return AbortSignal.any([signal, AbortSignal.timeout(Math.max(least, between(now, end)))]);
}

function leftNote(action: string, error: unknown): string {
  return `what action ${action} has made is left behind: ${messageOf(error)}`;
}

function keyOf({ stageSet }: StageAt): string {
  return storeKey(stageSet.metadata.namespace, stageSet.metadata.name);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
