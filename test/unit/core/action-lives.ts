import { isResumable, scopeIn } from '../../../src/core/actions/action.ts';
import { actionAt } from '../../../src/core/actions/attempts.ts';
import {
  lifetimeKey,
  withCompletion,
  withoutStart,
  withStart,
} from '../../../src/core/actions/lifetime.ts';
import { decide } from '../../../src/core/decide.ts';
import { finalizer } from '../../../src/core/finalizer.ts';
import type { RunProgress } from '../../../src/core/run.ts';
import { nextStatus } from '../../../src/core/status.ts';
import { after, type Instant, milliseconds, minutes, toRfc3339 } from '../../../src/core/time.ts';
import type {
  Action,
  StageActions,
  StageLedger,
  StageSet,
  StageSetSpec,
  StageSetStatus,
} from '../../../src/types/stages.ts';
import { runAfterAction } from './action-world.ts';
import { noon, snapshotOf, specOf, stageSetOf } from './snapshot-builder.ts';
import { isActionEffect, runAfter } from './world.ts';

/** What came of a StageSet's life in which processes are killed. */
export interface Life {
  /** How often each action was begun, by name. */
  readonly begun: ReadonlyMap<string, number>;
  /** Those that were begun although they were on record as done. */
  readonly repeated: readonly string[];
  readonly status: StageSetStatus;
  readonly ledger: StageLedger;
  /** Effects in turn. */
  readonly effects: readonly string[];
  readonly verdict: string | undefined;
}

export interface LifeOptions {
  readonly actions: StageActions;
  /** Effects, by their number in the life, before or after which the process is killed. */
  readonly kills?: ReadonlyMap<number, 'Before' | 'Halfway'>;
  /** Actions that fail, by name. */
  readonly failing?: ReadonlySet<string>;
  readonly annotations?: Record<string, string>;
  readonly status?: StageSetStatus;
  readonly ledger?: StageLedger;
  readonly mostEffects?: number;
}

const emptyLedger: StageLedger = {
  apiVersion: 'stages.metio.wtf/v1',
  kind: 'StageLedger',
  metadata: { name: 'shop', namespace: 'team' },
};

/**
 * Lets a StageSet live until it rests with an ended run. `Halfway` kills after the side effect of an
 * action and before anybody knows of it; elsewhere after the write.
 */
export function liveWithKills(options: LifeOptions): Life {
  const { kills = new Map<number, 'Before' | 'Halfway'>(), failing = new Set() } = options;
  const stageSet = stageSetFor(options);
  let status: StageSetStatus = options.status ?? {};
  let ledger = options.ledger ?? emptyLedger;
  let run: RunProgress | undefined;
  let now: Instant = noon;
  const begun = new Map<string, number>();
  const repeated: string[] = [];
  const effects: string[] = [];
  let verdict: string | undefined;
  for (let number = 0; number < (options.mostEffects ?? 200); number += 1) {
    const world: StageSet = { ...stageSet, status };
    const decision = decide(snapshotOf(world, { run, now }));
    run = decision.run;
    const { next } = decision;
    effects.push(next.kind);
    const kill = kills.get(number);
    if (kill === 'Before') {
      run = undefined;
      continue;
    }
    now = after(now, milliseconds(20));
    if (next.kind === 'Rest') {
      status = saved(world, run, next.ready, now);
      verdict = next.ready?.reason ?? verdict;
      if (run?.outcome !== undefined && next.wakeAt === undefined) break;
      if (run?.outcome?.kind === 'Succeeded') break;
      if (run?.outcome?.kind === 'Failed' && failing.size > 0) break;
      now = next.wakeAt ?? after(now, minutes(1));
      continue;
    }
    if (run === undefined) continue;
    if (!isActionEffect(next)) {
      if (next.kind === 'AddFinalizer' || !('stage' in next || next.kind === 'Prune')) continue;
      run = runAfter(next as Parameters<typeof runAfter>[0], run, now, 'Well');
    } else {
      const at = 'stage' in next ? actionAt(run, next.stage) : undefined;
      const key = at && { stage: 'dev', action: at.action.name };
      const once = at !== undefined && scopeIn(at.step.hook, at.action) === 'Lifetime';
      if (next.kind === 'RunAction' && at !== undefined && key !== undefined) {
        if (once)
          ledger = { ...ledger, status: withStart(ledger, { ...key, startedAt: toRfc3339(now) }) };
        const { name } = at.action;
        if (isOnRecord(name, status, ledger)) repeated.push(name);
        if (!(isResumable(at.action) && begun.has(name)))
          begun.set(name, (begun.get(name) ?? 0) + 1);
      }
      if (kill === 'Halfway') {
        run = undefined;
        continue;
      }
      if (next.kind === 'RecordAction' && key !== undefined) {
        const phase = at?.step.phase;
        const failed = phase?.kind === 'Ended' && phase.failure !== undefined;
        const completion = { ...key, origin: 'Executed', completedAt: toRfc3339(now) } as const;
        const next = failed ? withoutStart(ledger, key) : withCompletion(ledger, completion);
        ledger = { ...ledger, status: next };
      }
      const refused = at !== undefined && failing.has(at.action.name);
      run = runAfterAction(next, run, now, refused, { status, ledger });
      if (next.kind === 'SaveLedgers') status = saved(world, run, undefined, now);
    }
    if (kill === 'Halfway') run = undefined;
  }
  return { begun, repeated, status, ledger, effects, verdict };
}

function stageSetFor({ actions, annotations }: LifeOptions): StageSet {
  const base = specOf(['dev']);
  const spec: StageSetSpec = {
    ...base,
    stages: base.stages.map((stage) => ({ ...stage, actions })),
  };
  const stageSet = stageSetOf(spec);
  const metadata = {
    ...stageSet.metadata,
    finalizers: [finalizer],
    ...(annotations === undefined ? {} : { annotations }),
  };
  return { ...stageSet, metadata };
}

function saved(
  stageSet: StageSet,
  run: RunProgress | undefined,
  verdict: Parameters<typeof nextStatus>[0]['verdict'],
  now: Instant,
): StageSetStatus {
  const inventories = new Map();
  return nextStatus({ stageSet, run, verdict, inventories, runbookBase: 'https://x/', now });
}

function isOnRecord(name: string, status: StageSetStatus, ledger: StageLedger): boolean {
  const key = lifetimeKey({ stage: 'dev', action: name });
  const done = (ledger.status?.completedActions ?? []).some((entry) => lifetimeKey(entry) === key);
  return done || (status.stages?.[0]?.executedActions ?? []).includes(name);
}

export function http(name: string, rest: Partial<Action> = {}): Action {
  return { name, http: { url: 'https://hooks.example/' }, ...rest };
}
