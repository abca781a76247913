import { type Answer, type Answers, type Ask, askKey } from '../core/gates/asks.ts';
import {
  type VersionAnswer,
  type VersionAnswers,
  type VersionAsk,
  versionAskKey,
} from '../core/version/version-asks.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import { BackgroundWork } from './background-work.ts';
import { BuildPermits } from './build-permits.ts';
import { answersTo, type GateAnswersOptions } from './gate-answers.ts';
import type { StageSetMemory } from './memory.ts';

/** StageSets for which something is found out at a time. */
const mostAsking = 32;

/** Milliseconds within which most requests are answered. */
const quickAnswer = 50;

/** Answers that are kept for one StageSet; a spec with more gates asks again. */
const mostAnswers = 256;

/** Answers to what was asked. */
export interface FoundOut {
  readonly gates: Answers;
  readonly versions: VersionAnswers;
}

/** Finds out a version, or the migrations to one; only the end of the call is thrown. */
export type VersionReader = (
  ask: VersionAsk,
  stageSet: StageSet,
  call: CallOptions,
) => Promise<VersionAnswer>;

export interface FindingOptions extends GateAnswersOptions {
  readonly version: VersionReader;
}

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
    takeOver(found.gates, memory.answers);
    takeOver(found.versions, memory.versions);
  }
}

/** Finds out all that is asked, whether for gates or for versions; what cannot be read is an answer. */
export async function findOut(
  asks: readonly (Ask | VersionAsk)[],
  stageSet: StageSet,
  options: FindingOptions,
  call: CallOptions,
): Promise<FoundOut> {
  const ofGates = asks.filter((ask): ask is Ask => !isVersionAsk(ask));
  const ofVersions = asks.filter(isVersionAsk).map(async (ask) => {
    return [versionAskKey(ask), await options.version(ask, stageSet, call)] as const;
  });
  const gates = answersTo(ofGates, stageSet, options, call);
  return { gates: await gates, versions: new Map(await Promise.all(ofVersions)) };
}

function isVersionAsk(ask: Ask | VersionAsk): ask is VersionAsk {
  return ask.kind === 'Version' || ask.kind === 'Ladder';
}

/** The newest answers stay; so many that no spec runs out of them. */
function takeOver<Answer>(found: ReadonlyMap<string, Answer>, known: Map<string, Answer>): void {
  for (const [ask, answer] of found) {
    known.delete(ask);
    known.set(ask, answer);
  }
  for (const [oldest] of known) {
    if (known.size <= mostAnswers) break;
    known.delete(oldest);
  }
}
