import type { ActionEffect } from '../../../src/core/actions/steps.ts';
import { type Decision, decide, type Effect } from '../../../src/core/decide.ts';
import { finalizer } from '../../../src/core/finalizer.ts';
import { lookedAgain, withDeletions } from '../../../src/core/recreation.ts';
import type { Rest } from '../../../src/core/rest.ts';
import type { Applying, RunProgress, StageStep, Wait } from '../../../src/core/run.ts';
import { withStep } from '../../../src/core/run.ts';
import { backoff, nextLook } from '../../../src/core/schedule.ts';
import type { Snapshot } from '../../../src/core/snapshot.ts';
import type {
  TeardownEffect,
  TeardownProgress,
  TeardownStage,
} from '../../../src/core/teardown-progress.ts';
import { type TeardownTrouble, withFailure } from '../../../src/core/teardown-trouble.ts';
import { after, type Instant, milliseconds, minutes } from '../../../src/core/time.ts';
import { runAfterAction } from './action-world.ts';
import { failureOf, health } from './snapshot-builder.ts';

/**
 * How the cluster takes an effect: it works, it needs more time, it is refused, or it takes the
 * replacement of an object.
 */
export type Fate = 'Well' | 'Slow' | 'Refused' | 'Immutable';

/** A moment of a simulated StageSet: what was seen and what was decided about it. */
export interface Moment {
  readonly snapshot: Snapshot;
  readonly decision: Decision;
}

/** What happens to a StageSet: effects meet their fate, and in between the world changes. */
export type Happening = Fate | ((snapshot: Snapshot) => Snapshot);

/**
 * The moments of a StageSet in a world that takes its effects as the happenings say, in turn, and all
 * of them well when there are no more. It ends with the first Rest after the last happening that an
 * ended run has, with the release of the finalizer, or after so many moments.
 */
export function live(
  start: Snapshot,
  happenings: readonly Happening[] = [],
  mostMoments = 400,
): Moment[] {
  const moments: Moment[] = [];
  let snapshot = start;
  for (let turn = 0; moments.length < mostMoments; turn += 1) {
    const happening = happenings[turn] ?? 'Well';
    if (typeof happening === 'function') {
      snapshot = happening(snapshot);
      continue;
    }
    const decision = decide(snapshot);
    moments.push({ snapshot, decision });
    if (turn >= happenings.length && isOver(decision)) break;
    snapshot = afterwards(snapshot, decision, happening);
  }
  return moments;
}

function isOver({ run, next }: Decision): boolean {
  if (next.kind === 'ReleaseFinalizer') return true;
  return next.kind === 'Rest' && (run?.outcome?.kind === 'Succeeded' || next.wakeAt === undefined);
}

/** The kinds of effects in turn, with the stage of those that have one: `PrepareStage 0`. */
export function effectsOf(moments: readonly Moment[]): string[] {
  return moments.map(({ decision: { next } }) => {
    if (next.kind === 'Rest') return `Rest ${next.ready?.reason ?? 'in silence'}`;
    return 'stage' in next ? `${next.kind} ${next.stage}` : next.kind;
  });
}

function afterwards(snapshot: Snapshot, { run, teardown, next }: Decision, fate: Fate): Snapshot {
  const isNew = run !== undefined && run.startedAt !== snapshot.run?.startedAt;
  const adopted: Snapshot = {
    ...snapshot,
    run,
    teardown: teardown ?? snapshot.teardown,
    reassert: snapshot.reassert && !isNew,
  };
  if (next.kind === 'Rest') return { ...adopted, now: wakeUp(snapshot.now, next) };
  // Everything takes a moment.
  const later: Snapshot = { ...adopted, now: after(snapshot.now, milliseconds(20)) };
  if (isTeardown(next)) return { ...later, teardown: teardownAfter(next, later, fate) };
  if (next.kind === 'AddFinalizer') return withFinalizer(later);
  if (run === undefined || next.kind === 'Ask') return later;
  if (isActionEffect(next)) {
    return { ...later, run: runAfterAction(next, run, later.now, fate === 'Refused') };
  }
  return { ...later, run: runAfter(next, run, later.now, fate) };
}

function wakeUp(now: Instant, { wakeAt }: Rest): Instant {
  return wakeAt ?? after(now, minutes(60));
}

function withFinalizer(snapshot: Snapshot): Snapshot {
  const { metadata } = snapshot.stageSet;
  const finalizers = [...(metadata.finalizers ?? []), finalizer];
  const stageSet = { ...snapshot.stageSet, metadata: { ...metadata, finalizers } };
  return { ...snapshot, stageSet };
}

export function isActionEffect(effect: Effect): effect is ActionEffect {
  return actionEffects.has(effect.kind);
}

const actionEffects: ReadonlySet<string> = new Set<ActionEffect['kind']>([
  'EnterStage',
  'SaveLedgers',
  'RunAction',
  'LookAtAction',
  'RecordAction',
  'CleanUpAction',
]);

export type RunEffect = Exclude<
  Effect,
  Rest | TeardownEffect | ActionEffect | { kind: 'AddFinalizer' } | { kind: 'Ask' }
>;

export function runAfter(
  effect: RunEffect,
  run: RunProgress,
  now: Instant,
  fate: Fate,
): RunProgress {
  if (effect.kind === 'Prune') {
    const failure = failureOf({ operation: 'prune' });
    if (fate === 'Refused') return { ...run, outcome: { kind: 'Failed', at: now, failure } };
    return { ...run, prune: 'Done' };
  }
  const step = run.stages[effect.stage]?.step;
  if (step === undefined) return run;
  return withStep(run, effect.stage, stepAfter(effect, step, now, fate));
}

function stepAfter(
  effect: Exclude<RunEffect, { kind: 'Prune' }>,
  step: StageStep,
  now: Instant,
  fate: Fate,
): StageStep {
  if (effect.kind === 'LookAtHealth') return lookedAt(step, now, fate);
  if (effect.kind === 'LookForDeleted') return lookedForDeleted(step, now, fate);
  if (fate === 'Refused') return { kind: 'Failed', failure: failureOf() };
  if (effect.kind === 'PrepareStage') {
    return { kind: 'Applying', group: 0, groups: 2, health: [] };
  }
  if (step.kind !== 'Applying') return step;
  if (fate === 'Slow') {
    return { ...step, unserved: { since: now, nextTry: after(now, milliseconds(250)) } };
  }
  if (fate === 'Immutable') return replacing(step, now);
  const awaited = [health(`object-${effect.group}`, 'InProgress')];
  const wait: Wait = {
    since: now,
    bound: minutes(1),
    looks: 0,
    nextLook: nextLook(now, 0),
    health: awaited,
  };
  const { groups } = step;
  return effect.group + 1 < groups
    ? { kind: 'Establishing', group: effect.group + 1, groups, ...wait }
    : { kind: 'Verifying', ...wait };
}

function replacing(
  { group, groups, health: established, recreation }: Applying,
  now: Instant,
): StageStep {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'team', name: 'web' };
  const due = nextLook(now, 0);
  return {
    kind: 'Recreating',
    group,
    groups,
    established,
    recreation: withDeletions(recreation, [object], now, minutes(1)),
    remaining: [{ object, uid: 'uid-of-web' }],
    looks: 0,
    nextLook: due,
  };
}

function lookedForDeleted(step: StageStep, now: Instant, fate: Fate): StageStep {
  if (step.kind !== 'Recreating') return step;
  if (fate === 'Refused') return { kind: 'Failed', failure: failureOf() };
  return { ...step, ...lookedAgain(step, fate === 'Slow' ? step.remaining : [], now) };
}

function lookedAt(step: StageStep, now: Instant, fate: Fate): StageStep {
  if (step.kind !== 'Establishing' && step.kind !== 'Verifying') return step;
  const looks = step.looks + 1;
  const status = {
    Well: 'Current',
    Slow: 'InProgress',
    Refused: 'Failed',
    Immutable: 'Current',
  } as const;
  const seen = step.health.map(({ object }) => health(object.name, status[fate]));
  return { ...step, looks, nextLook: nextLook(now, looks), health: seen };
}

function isTeardown(effect: Effect): effect is TeardownEffect {
  return ['LoadTeardown', 'DeleteStage', 'LookForGone', 'ReleaseFinalizer'].includes(effect.kind);
}

function teardownAfter(
  effect: TeardownEffect,
  { stageSet, teardown, now }: Snapshot,
  fate: Fate,
): TeardownProgress | undefined {
  if (effect.kind === 'ReleaseFinalizer') return teardown;
  if (effect.kind === 'LoadTeardown') {
    const stages = [...(stageSet.spec?.stages ?? [])].reverse();
    if (fate === 'Refused') {
      return { ...(teardown ?? nothingLoaded), trouble: refused(teardown?.trouble, now) };
    }
    return {
      loaded: true,
      stages: stages.map(({ name }) => ({ stage: name, entries: [], step: { kind: 'Pending' } })),
      trouble: undefined,
    };
  }
  if (teardown === undefined) return undefined;
  const stages = teardown.stages.map((stage, index) =>
    index === effect.stage ? deletedStage(stage, now, fate) : stage,
  );
  return { ...teardown, stages };
}

const nothingLoaded: TeardownProgress = {
  loaded: false,
  stages: [],
  trouble: undefined,
};

function refused(before: TeardownTrouble | undefined, at: Instant): TeardownTrouble {
  return withFailure(before, failureOf({ operation: 'teardown' }), undefined, at);
}

function deletedStage(
  { trouble, ...stage }: TeardownStage,
  now: Instant,
  fate: Fate,
): TeardownStage {
  if (fate === 'Refused') return { ...stage, trouble: refused(trouble, now) };
  if (fate === 'Well') return { ...stage, step: { kind: 'Gone' } };
  const looks = stage.step.kind === 'Deleting' ? stage.step.looks + 1 : 0;
  const remaining = [{ id: 'team_web__ConfigMap', v: 'v1' }];
  const due = nextLook(now, looks);
  return { ...stage, step: { kind: 'Deleting', remaining, since: now, looks, nextLook: due } };
}

/** The time after which this part of a teardown is tried again if it failed. */
export function retriedAt({
  trouble,
}: {
  readonly trouble?: TeardownTrouble | undefined;
}): Instant | undefined {
  return trouble === undefined ? undefined : after(trouble.failure.at, backoff(trouble.failures));
}
