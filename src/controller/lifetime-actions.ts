import type { ActionEnd } from '../core/actions/acting.ts';
import { lifetimeActionsOf } from '../core/actions/action.ts';
import { operationAt } from '../core/actions/attempts.ts';
import { interruptedActions, ledgerAdopted } from '../core/actions/lifetime.ts';
import type { Failure } from '../core/failure.ts';
import { type RunProgress, withStage } from '../core/run.ts';
import type { Clock } from '../core/time.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { Action, StageLedger } from '../types/stages.ts';
import { failureOf, isInterruption } from './failure.ts';
import type { LedgerStore } from './ledger-store.ts';
import { anchorReader, ledgerAt, settlementOf, tokenFor } from './observe-ledger.ts';
import { readWitness, type Witness } from './read-anchors.ts';
import type { Reporter } from './reporter.ts';
import type { StageAt } from './stage-at.ts';
import type { Targets } from './targets.ts';

export interface LifetimeActionsOptions {
  readonly ledgers: LedgerStore;
  readonly targets: Targets;
  readonly reporter: Reporter;
  readonly clock: Clock;
}

/** What a StageSet may do only once in its life: from the StageLedger, and back to it. */
export class LifetimeActions {
  readonly #options: LifetimeActionsOptions;

  constructor(options: LifetimeActionsOptions) {
    this.#options = options;
  }

  /** The run with the ledger of a stage that it comes to. */
  async enter(at: StageAt, call: CallOptions): Promise<RunProgress> {
    const { run, index, stage, memory } = at;
    const token = tokenFor(at);
    const lifetime =
      lifetimeActionsOf(stage).length > 0 ? await this.#settled(at, token, call) : undefined;
    if (lifetime !== undefined) memory.ledger = lifetime;
    const ledger = ledgerAt(at, lifetime);
    return withStage(run, index, (progress) => ({ ...progress, ledger }));
  }

  /** Puts on record that an action begins, before it does. */
  async start(
    { memory, stage, stageSet }: StageAt,
    { name }: Action,
    call: CallOptions,
  ): Promise<void> {
    const { ledgers } = this.#options;
    const ledger = memory.ledger ?? (await ledgers.open(stageSet, call));
    memory.ledger = await ledgers.start(ledger, stage.name, name, call);
  }

  /**
   * Puts on record how an action ended. One that was done counts as failed when the object that shall
   * witness it is not there; of one whose end nobody knows, the start stays on record.
   */
  async record(
    at: StageAt,
    action: Action,
    { failure, unknown }: ActionEnd,
    call: CallOptions,
  ): Promise<Failure | undefined> {
    const { memory, stage, stageSet } = at;
    const { ledgers } = this.#options;
    if (unknown === true) return failure;
    const ledger = memory.ledger ?? (await ledgers.open(stageSet, call));
    const trouble = failure ?? (await this.#complete(at, action, ledger, call));
    if (trouble === undefined) return undefined;
    memory.ledger = await ledgers.abandon(ledger, stage.name, action.name, call);
    return trouble;
  }

  /** Returns what keeps the action from being witnessed. */
  async #complete(
    at: StageAt,
    action: Action,
    ledger: StageLedger,
    call: CallOptions,
  ): Promise<Failure | undefined> {
    const { memory, stage } = at;
    let witness: Witness | undefined;
    try {
      witness = await this.#witness(at, action, call);
    } catch (error) {
      call.signal.throwIfAborted();
      if (isInterruption(error)) throw error;
      return failureOf(operationAt(at.run, at.index), error);
    }
    const anchor = witness === undefined ? {} : { anchor: witness };
    const completion = { stage: stage.name, action: action.name, ...anchor };
    memory.ledger = await this.#options.ledgers.complete(ledger, completion, call);
    return undefined;
  }

  async #witness(
    at: StageAt,
    { completionAnchor }: Action,
    call: CallOptions,
  ): Promise<Witness | undefined> {
    if (completionAnchor === undefined) return undefined;
    return await readWitness(
      completionAnchor,
      await anchorReader(at, this.#options.targets, call),
      call,
    );
  }

  /** The ledger with what its witnesses and its baseline say today. */
  async #settled(at: StageAt, token: string | undefined, call: CallOptions): Promise<StageLedger> {
    const { stageSet, stage } = at;
    const { ledgers, reporter } = this.#options;
    let ledger = await ledgers.open(stageSet, call);
    const adopted = ledgerAdopted(stageSet, ledger);
    const { settlement, events } = await settlementOf(at, ledger, this.#options, call);
    ledger = await ledgers.settle(ledger, settlement, call);
    reporter.ledgerSettled(stageSet, ledger, adopted === undefined ? events : [adopted, ...events]);
    if (token === undefined) return ledger;
    // Who asks for the stage anew has looked at what was interrupted.
    for (const { stage: other, action } of interruptedActions(ledger)) {
      if (other === stage.name) ledger = await ledgers.abandon(ledger, other, action, call);
    }
    return ledger;
  }
}
