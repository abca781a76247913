import { type Answer, type Ask, askKey } from '../core/gates/asks.ts';
import type { VersionAsk } from '../core/version/version-asks.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import { BackgroundWork } from './background-work.ts';
import { BuildPermits } from './build-permits.ts';
import { type FindingOptions, type FoundOut, findOut, isVersionAsk } from './found-out.ts';
import type { StageSetMemory } from './memory.ts';

/** StageSets for which something is found out at a time. */
const mostAsking = 32;

/** Milliseconds within which most requests are answered. */
const quickAnswer = 50;

/** Answers that are kept for one StageSet: more than the gates of one stage ask for (see validation). */
const mostAnswers = 256;

/** A version and a ladder, which may be large. */
const mostVersions = 2;

interface GateAsksOptions extends FindingOptions {
  /** Told of a StageSet whose gates are answered. */
  readonly onNews: (key: string) => void;
  /** Told of each answer once. */
  readonly onAnswer: (stageSet: StageSet, ask: Ask, answer: Answer) => void;
}

/** Finds out what gates must know while no worker waits for it, shared by namespace. */
export class GateAsks {
  readonly #permits = new BuildPermits(mostAsking);
  readonly #options: GateAsksOptions;

  constructor(options: GateAsksOptions) {
    this.#options = options;
  }

  /** Begins to find out, or takes what was found out; the memory has it then. */
  async take(
    asks: readonly (Ask | VersionAsk)[],
    stageSet: StageSet,
    memory: StageSetMemory,
    call: CallOptions,
  ): Promise<void> {
    const started = memory.asking === undefined;
    const work = (memory.asking ??= new BackgroundWork<FoundOut>(
      async (signal, permit) => {
        await permit();
        const found = await findOut(asks, stageSet, this.#options, { signal });
        signal.throwIfAborted();
        for (const ask of asks) {
          const answer = isVersionAsk(ask) ? undefined : found.gates.get(askKey(ask));
          if (answer !== undefined && !isVersionAsk(ask))
            this.#options.onAnswer(stageSet, ask, answer);
        }
        return found;
      },
      this.#permits.of(stageSet),
      call.signal,
    ));
    if (started) await work.wait(quickAnswer);
    if (!work.ended) {
      const { namespace, name } = stageSet.metadata;
      work.onEnd(() => this.#options.onNews(storeKey(namespace, name)));
      return;
    }
    memory.asking = undefined;
    const found = work.take();
    if (found === undefined) return;
    takeOver(found.gates, memory.answers, mostAnswers);
    takeOver(found.versions, memory.versions, mostVersions);
  }
}

/** The newest answers stay; so many that no spec runs out of them. */
function takeOver<Answer>(
  found: ReadonlyMap<string, Answer>,
  known: Map<string, Answer>,
  most: number,
): void {
  for (const [ask, answer] of found) {
    known.delete(ask);
    known.set(ask, answer);
  }
  for (const [oldest] of known) {
    if (known.size <= most) break;
    known.delete(oldest);
  }
}
