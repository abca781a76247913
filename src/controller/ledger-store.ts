import { fieldManager } from '../apply/field-manager.ts';
import {
  isCompleted,
  type LedgerSettlement,
  lifetimeKey,
  settledStatus,
  startOf,
  withCompletion,
  withoutStart,
  withStart,
} from '../core/actions/lifetime.ts';
import { RetryableError, TerminalError } from '../core/errors.ts';
import { describeObject, referenceTo } from '../core/objects/identity.ts';
import { type Clock, toRfc3339 } from '../core/time.ts';
import { parseStageLedger } from '../core/validate/schema.ts';
import { isAlreadyExists, isConflict, isNotFound } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject, ObjectReference } from '../types/kubernetes.ts';
import {
  type CompletedAction,
  type StageLedger,
  type StageLedgerStatus,
  type StageSet,
  stagesApiVersion,
} from '../types/stages.ts';
import type { LedgerWatch } from './ledger-watch.ts';
import { mergePatch } from './merge-patch.ts';

/** An action that was done, with the witness that was seen when it was. */
export type Completion = Pick<CompletedAction, 'stage' | 'action' | 'anchor'>;

/** How often a ledger that somebody keeps changing is read again before the next pass must do. */
const mostReads = 5;

const mostUnanswered = 1000;

/**
 * Reads and writes StageLedgers, always as the controller. Only the status is written, and only of
 * the state that was read: when anybody changed the ledger in between, it is read again and the
 * change is made to what is there now, so that no edit of anybody is lost. A ledger that was deleted
 * in between is made anew. It has no owner, and nothing here deletes one.
 */
export class LedgerStore {
  readonly #client: KubernetesClient;
  readonly #clock: Clock;
  readonly #whileWriting: LedgerWatch['whileWriting'];
  /** Times of starts that may be on record or not, since nobody answered; those actions did not begin. */
  readonly #unanswered = new Map<string, string>();

  /** @param whileWriting carries out a write, and knows by that whose it was. */
  constructor(
    client: KubernetesClient,
    clock: Clock,
    whileWriting: LedgerWatch['whileWriting'] = async (_, write) => await write(),
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#whileWriting = whileWriting;
  }

  /** The ledger of a StageSet; one without anything when there is none. */
  async find({ metadata }: StageSet, call: CallOptions): Promise<StageLedger> {
    const reference = referenceTo({ apiVersion: stagesApiVersion, kind: 'StageLedger', metadata });
    const found = await this.#client.find(reference, call);
    if (found !== undefined) return parsed(found);
    const { name, namespace } = reference;
    const named = namespace === undefined ? { name } : { name, namespace };
    return { apiVersion: stagesApiVersion, kind: 'StageLedger', metadata: named };
  }

  /**
   * Loads the ledger of a StageSet; creates it, empty, when there is none. A start in it whose answer
   * this process never got is forgotten, since the action has not begun.
   */
  async open({ metadata }: StageSet, call: CallOptions): Promise<StageLedger> {
    const identity = { apiVersion: stagesApiVersion, kind: 'StageLedger' };
    let ledger = await this.#open(referenceTo({ ...identity, metadata }), call);
    for (const { stage, action, startedAt } of ledger.status?.startedActions ?? []) {
      const name = nameOf(ledger, stage, action);
      if (this.#unanswered.get(name) !== startedAt) continue;
      ledger = await this.abandon(ledger, stage, action, call);
      this.#unanswered.delete(name);
    }
    return ledger;
  }

  /**
   * Puts on record that a Lifetime action is about to start, before it does. An action that `ledger`
   * has as started already is one that goes on.
   * @throws RetryableError when somebody else has started or completed it since `ledger` was read: it
   *   must not start then.
   */
  async start(
    ledger: StageLedger,
    stage: string,
    action: string,
    call: CallOptions,
  ): Promise<StageLedger> {
    if (startOf(ledger, { stage, action }) !== undefined) return ledger;
    const name = nameOf(ledger, stage, action);
    // Whole seconds could be somebody else's as well.
    const startedAt = this.#unanswered.get(name) ?? new Date(this.#clock()).toISOString();
    this.#remember(name, startedAt);
    const stored = await this.#change(ledger, call, (current) => {
      const started = startOf(current, { stage, action });
      const others = started !== undefined && started.startedAt !== startedAt;
      if (others || isCompleted(current, { stage, action })) {
        const what = others ? 'started' : 'completed';
        this.#unanswered.delete(name);
        throw new RetryableError(
          `${describeObject(current)}: action ${action} of stage ${stage} was ${what} by somebody else just now`,
          { object: referenceTo(current) },
        );
      }
      return withStart(current, { stage, action, startedAt });
    });
    this.#unanswered.delete(name);
    return stored;
  }

  /** Records that an action was done here, and forgets that it was started. */
  async complete(
    ledger: StageLedger,
    completion: Completion,
    call: CallOptions,
  ): Promise<StageLedger> {
    const completedAt = toRfc3339(this.#clock());
    const completed: CompletedAction = { ...completion, origin: 'Executed', completedAt };
    return await this.#change(ledger, call, (current) => withCompletion(current, completed));
  }

  /**
   * Forgets a start: the action failed and was not done, or a person asks for another try. Only the
   * start that `ledger` has is meant, and not what somebody else has started since.
   */
  async abandon(
    ledger: StageLedger,
    stage: string,
    action: string,
    call: CallOptions,
  ): Promise<StageLedger> {
    const started = startOf(ledger, { stage, action });
    if (started === undefined) return ledger;
    return await this.#change(ledger, call, (current) => {
      const same = startOf(current, started)?.startedAt === started.startedAt;
      return same ? withoutStart(current, started) : { ...current.status };
    });
  }

  /** Carries out what `settleLedger` found, by one write; none when nothing changes. */
  async settle(
    ledger: StageLedger,
    settlement: LedgerSettlement,
    call: CallOptions,
  ): Promise<StageLedger> {
    return await this.#change(ledger, call, (current) => settledStatus(current, settlement));
  }

  #remember(name: string, startedAt: string): void {
    this.#unanswered.set(name, startedAt);
    const [oldest] = this.#unanswered.keys();
    if (this.#unanswered.size > mostUnanswered && oldest !== undefined) {
      this.#unanswered.delete(oldest);
    }
  }

  async #open(reference: ObjectReference, call: CallOptions): Promise<StageLedger> {
    const found = await this.#client.find(reference, call);
    if (found !== undefined) return parsed(found);
    const { apiVersion, kind, name, namespace } = reference;
    const metadata = namespace === undefined ? { name } : { name, namespace };
    const empty = { apiVersion, kind, metadata };
    try {
      return parsed(
        await this.#whileWriting(
          empty,
          async () => await this.#client.create(empty, { fieldManager }, call),
        ),
      );
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      return parsed(await this.#client.get(reference, call));
    }
  }

  /** The ledger as stored after `change`, which may be asked several times. */
  async #change(
    ledger: StageLedger,
    call: CallOptions,
    change: (current: StageLedger) => StageLedgerStatus,
  ): Promise<StageLedger> {
    let current = ledger;
    for (let reads = 0; ; reads += 1) {
      const patch = mergePatch({ ...current.status }, { ...change(current) });
      if (patch === undefined) return current;
      const { uid, resourceVersion } = current.metadata;
      const body = { metadata: { uid, resourceVersion }, status: patch };
      const options = { type: 'Merge', body, fieldManager, subresource: 'status' } as const;
      try {
        const reference = referenceTo(current);
        const write = async (): Promise<KubernetesObject> =>
          await this.#client.patch(reference, options, call);
        return parsed(await this.#whileWriting(current, write));
      } catch (error) {
        if (reads >= mostReads || !(isConflict(error) || isNotFound(error))) throw error;
        current = await this.#open(referenceTo(current), call);
      }
    }
  }
}

/** An action, among those of all StageSets. */
function nameOf({ metadata }: StageLedger, stage: string, action: string): string {
  return `${storeKey(metadata.namespace, metadata.name)} ${lifetimeKey({ stage, action })}`;
}

function parsed(object: KubernetesObject): StageLedger {
  const ledger = parseStageLedger(object);
  if (ledger.ok) return ledger.value;
  const [problem] = ledger.problems;
  const said = problem === undefined ? '' : `: ${problem.path}: ${problem.message}`;
  throw new TerminalError(`${describeObject(object)} is not valid, repair it${said}`, {
    object: referenceTo(object),
  });
}
