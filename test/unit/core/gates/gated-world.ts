import { expect } from 'chai';
import { decide, type Effect } from '../../../../src/core/decide.ts';
import { type Answer, askKey } from '../../../../src/core/gates/asks.ts';
import type { RunProgress } from '../../../../src/core/run.ts';
import type { Snapshot } from '../../../../src/core/snapshot.ts';
import { nextStatus } from '../../../../src/core/status.ts';
import { after, type Instant, instant, milliseconds, minutes } from '../../../../src/core/time.ts';
import type { Migration, StageSet, StageSetSpec } from '../../../../src/types/stages.ts';
import { runAfterAction } from '../action-world.ts';
import { noon, ready, snapshotOf, specOf, stageSetOf } from '../snapshot-builder.ts';
import { isActionEffect, runAfter } from '../world.ts';

/** What may happen to a StageSet with every kind of gate. */
export type GateEvent =
  | { readonly kind: 'Wake' }
  | { readonly kind: 'Wait'; readonly minutes: number }
  | { readonly kind: 'Clock'; readonly minutes: number }
  | { readonly kind: 'Release'; readonly stage: number }
  | { readonly kind: 'Windows'; readonly closed: boolean }
  | { readonly kind: 'Budget'; readonly value: number | undefined }
  | { readonly kind: 'Version'; readonly major: number }
  | { readonly kind: 'Approve' }
  | { readonly kind: 'Promote' }
  | { readonly kind: 'Edit' }
  | { readonly kind: 'Fail' }
  | { readonly kind: 'Retry' }
  | { readonly kind: 'Restart' };

const names = ['dev', 'prod', 'edge'] as const;

/** The first stage waits for a person, the second has a budget of its own. */
function specAt(major: number, closed: boolean, edits: number): StageSetSpec {
  const spec = specOf(names, { interval: `${10 + edits}m`, retryInterval: '5m' });
  const source = { prometheus: { address: 'http://metrics.example.com', query: 'budget' } };
  const errorBudget = { source, freezeThreshold: '0.5', onSourceError: 'Hold' as const };
  const [dev, prod, edge] = spec.stages;
  if (dev === undefined || prod === undefined || edge === undefined)
    throw new Error('three stages');
  return {
    ...spec,
    stages: [
      { ...dev, promotion: { soak: '30m', requireManualPromotion: true } },
      { ...prod, errorBudget },
      edge,
    ],
    errorBudget,
    version: { value: `${major}.0.0`, approvalMode: 'Always', allowDowngrade: true },
    migrations: [2, 3, 4].map((to): Migration => {
      const action = { name: 'call', http: { url: `http://hooks.example.com/${to}` } };
      const stage = to % 2 === 0 ? 'prod' : 'edge';
      return { name: `to-${to}`, to: `${to}.0.0`, stage, actions: [action], down: [action] };
    }),
    ...(closed
      ? {
          updateWindows: [
            { type: 'Deny', from: '2020-01-01T00:00:00Z', to: '2040-01-01T00:00:00Z' },
          ],
        }
      : {}),
  };
}

/**
 * A StageSet in a world of one's own making. Each decision is checked against what gates are for: no
 * stage begins that one of them keeps back, and whatever rests is told when, or by whom, it is woken.
 */
export class GatedWorld {
  #now: Instant = noon;
  #stageSet: StageSet;
  #run: RunProgress | undefined;
  #answers = new Map<string, Answer>();
  #revisions = [1, 1, 1];
  #closed = false;
  #budget: number | undefined = 1;
  #major = 1;
  #edits = 0;
  #tokens = 0;
  #failNext = false;
  #wakeAt: Instant | undefined;
  /** Revisions of the first stage that somebody promoted. */
  readonly #promoted = new Set<string>();
  /** How often each migration was carried out for each change of the version. */
  readonly calls: string[] = [];

  constructor() {
    const stageSet = stageSetOf(specAt(1, false, 0));
    const { metadata } = stageSet;
    this.#stageSet = {
      ...stageSet,
      metadata: { ...metadata, generation: 1, finalizers: ['stages.metio.wtf/finalizer'] },
    };
  }

  get stageSet(): StageSet {
    return this.#stageSet;
  }

  happen(event: GateEvent): void {
    switch (event.kind) {
      case 'Wake':
        this.#now = this.#later(this.#wakeAt ?? after(this.#now, minutes(60)));
        break;
      case 'Wait':
        this.#now = after(this.#now, minutes(event.minutes));
        break;
      case 'Clock':
        this.#now = instant(this.#now + event.minutes * 60_000);
        break;
      case 'Release':
        this.#revisions[event.stage] = (this.#revisions[event.stage] ?? 0) + 1;
        break;
      case 'Windows':
        this.#closed = event.closed;
        this.#edit();
        break;
      case 'Budget':
        this.#budget = event.value;
        break;
      case 'Version':
        this.#major = event.major;
        this.#edit();
        break;
      case 'Approve':
        this.#annotate('stages.metio.wtf/approved-version', `${this.#major}.0.0`);
        break;
      case 'Promote': {
        const revision = `v${this.#revisions[0] ?? 0}`;
        this.#promoted.add(revision);
        this.#tokens += 1;
        this.#annotate('stages.metio.wtf/promote', `dev@${this.#tokens}@${revision}`);
        break;
      }
      case 'Edit':
        this.#edits += 1;
        this.#edit();
        break;
      case 'Fail':
        this.#failNext = true;
        break;
      case 'Retry':
        this.#tokens += 1;
        this.#annotate('reconcile.fluxcd.io/requestedAt', String(this.#tokens));
        break;
      case 'Restart':
        this.#run = undefined;
        this.#answers = new Map();
        break;
    }
    this.#settle();
  }

  /** Whether all that is wanted now is delivered. */
  isDelivered(): boolean {
    const { status } = this.#stageSet;
    const wanted = this.#revisions.map((revision) => `v${revision}`);
    return (
      status?.version === `${this.#major}.0.0` &&
      names.every((name, index) => status.lastAppliedRevisions?.[`team/${name}`] === wanted[index])
    );
  }

  #later(at: Instant): Instant {
    return at > this.#now ? at : this.#now;
  }

  #edit(): void {
    const generation = (this.#stageSet.metadata.generation ?? 0) + 1;
    this.#stageSet = {
      ...this.#stageSet,
      metadata: { ...this.#stageSet.metadata, generation },
      spec: specAt(this.#major, this.#closed, this.#edits),
    };
  }

  #annotate(name: string, value: string): void {
    const { metadata } = this.#stageSet;
    const annotations = { ...metadata.annotations, [name]: value };
    this.#stageSet = { ...this.#stageSet, metadata: { ...metadata, annotations } };
  }

  #snapshot(): Snapshot {
    return snapshotOf(this.#stageSet, {
      now: this.#now,
      sources: names.map((name, index) => ready(name, `v${this.#revisions[index] ?? 0}`)),
      run: this.#run,
      answers: this.#answers,
    });
  }

  /** Decides until there is nothing to do now. */
  #settle(): void {
    for (let decisions = 0; decisions < 300; decisions += 1) {
      const { run, next } = decide(this.#snapshot());
      this.#run = run;
      if (next.kind === 'Rest') {
        this.#publish(next.ready);
        this.#checkRest(run, next);
        this.#wakeAt = next.wakeAt;
        return;
      }
      this.#carryOut(next, run);
      this.#now = after(this.#now, milliseconds(20));
    }
    throw new Error('it never comes to rest');
  }

  #carryOut(effect: Exclude<Effect, { kind: 'Rest' }>, run: RunProgress | undefined): void {
    if (effect.kind === 'Ask') {
      for (const ask of effect.asks) {
        if (ask.kind === 'Version' || ask.kind === 'Ladder') continue;
        const at = this.#now;
        const answer: Answer =
          this.#budget === undefined
            ? { kind: 'Unreadable', message: 'it answered 500', at }
            : { kind: 'Value', value: this.#budget, at };
        this.#answers.set(askKey(ask), answer);
      }
      return;
    }
    if (run === undefined) throw new Error(`${effect.kind} without a run`);
    const refused = this.#failNext && (effect.kind === 'ApplyGroup' || effect.kind === 'RunAction');
    if (refused) this.#failNext = false;
    if (isActionEffect(effect)) {
      if (effect.kind === 'SaveLedgers') this.#publish(undefined);
      if (effect.kind === 'RunAction') this.#checkMigration(run, effect.stage, refused);
      const stored = { status: this.#stageSet.status };
      this.#run = runAfterAction(effect, run, this.#now, refused, stored);
      return;
    }
    if (effect.kind === 'PrepareStage') this.#checkBegin(run, effect.stage);
    if (
      effect.kind === 'PrepareStage' ||
      effect.kind === 'ApplyGroup' ||
      effect.kind === 'LookForDeleted' ||
      effect.kind === 'LookAtHealth' ||
      effect.kind === 'Prune'
    ) {
      this.#run = runAfter(effect, run, this.#now, refused ? 'Refused' : 'Well');
    }
  }

  #publish(verdict: Parameters<typeof nextStatus>[0]['verdict']): void {
    const stageSet = this.#stageSet;
    const input = { stageSet, run: this.#run, verdict, inventories: new Map(), runbookBase: '/' };
    this.#stageSet = { ...stageSet, status: nextStatus({ ...input, now: this.#now }) };
  }

  /** A stage that is to get another revision begins. */
  #checkBegin(run: RunProgress, index: number): void {
    if (run.correction !== undefined) return;
    const { status } = this.#stageSet;
    const isNew = (at: number): boolean =>
      status?.stages?.find(({ name }) => name === names[at])?.appliedRevision !==
      run.pinned[at]?.revision;
    const first = run.stages.every(({ step }) => step.kind === 'Pending');
    const news = names.some((_, at) => isNew(at));
    if (isNew(index))
      expect(this.#closed, `${names[index]} begins in a closed window`).to.equal(false);
    if (index === 1 && isNew(1)) this.#expectBudget('prod begins');
    const begun = names.some(
      (name, at) =>
        !isNew(at) && status?.lastAppliedRevisions?.[`team/${name}`] !== run.pinned[at]?.revision,
    );
    if (first && index === 0 && news && !begun) this.#expectBudget('a rollout begins');
    const current = status?.version;
    if (first && current !== undefined && current !== run.desiredVersion) {
      const approved = this.#stageSet.metadata.annotations?.['stages.metio.wtf/approved-version'];
      expect(approved, 'a change of the version begins').to.equal(run.desiredVersion);
    }
    if (index > 0) {
      const revision = run.pinned[0]?.revision ?? '';
      expect(
        this.#promoted.has(revision),
        `${names[index]} begins before ${revision} is promoted`,
      ).to.equal(true);
    }
  }

  /** As it was read last: a read before a change of the budget may still count. */
  #expectBudget(what: string): void {
    for (const answer of this.#answers.values()) {
      const enough = answer.kind === 'Value' && answer.value >= 0.5;
      expect(enough, `${what} although the budget was ${JSON.stringify(answer)}`).to.equal(true);
    }
    expect(this.#answers.size, `${what} without a look at the budget`).to.be.greaterThan(0);
  }

  #checkMigration(run: RunProgress, index: number, refused: boolean): void {
    const step = run.stages[index]?.step;
    if (step?.kind !== 'Acting' || step.hook !== 'migration') return;
    const { status } = this.#stageSet;
    const recorded = status?.executedMigrationActions ?? [];
    expect(recorded, 'a migration is done that is on record').not.to.include(step.action);
    if (!refused) this.calls.push(`${step.action} on the way to ${run.desiredVersion ?? ''}`);
  }

  /** Somebody or something must be named that goes on with it. */
  #checkRest(run: RunProgress | undefined, { wakeAt }: Extract<Effect, { kind: 'Rest' }>): void {
    if (wakeAt !== undefined) return;
    const { outcome } = run ?? {};
    const waits =
      (outcome?.kind === 'Held' &&
        outcome.hold.holds.some(({ releasedBy }) => releasedBy === 'Person')) ||
      (outcome?.kind === 'Failed' && outcome.failure.retry === 'None');
    expect(waits, `rests for ever: ${JSON.stringify(outcome)}`).to.equal(true);
  }
}
