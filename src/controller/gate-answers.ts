import { DeniedError } from '../core/errors.ts';
import { type Answer, type Answers, type Ask, askKey } from '../core/gates/asks.ts';
import { redact } from '../core/redact.ts';
import type { Clock } from '../core/time.ts';
import { treatmentOf } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { type MetricContext } from '../metrics-sources/metric-reader.ts';
import type { EventCheck, MetricSource, RestartCheck, StageSet } from '../types/stages.ts';
import type { Targets } from './targets.ts';
import type { Tenants } from './tenants.ts';

/** The longest that one thing takes to be found out, with all its requests (part B 4.5). */
const longestRead = 35_000;

/** What is found out for one StageSet at a time. */
const mostAtOnce = 4;

export interface GateReaders {
  readonly metric: (
    source: MetricSource,
    context: MetricContext,
    call: CallOptions,
  ) => Promise<number>;
  readonly restarts: PodReader<RestartCheck>;
  readonly events: PodReader<EventCheck>;
}

type PodReader<Check> = (
  client: KubernetesClient,
  namespace: string,
  check: Check,
  call: CallOptions,
) => Promise<number>;

export interface GateAnswersOptions {
  readonly readers: GateReaders;
  readonly tenants: Tenants;
  readonly targets: Targets;
  readonly clock: Clock;
  /** Milliseconds in place of the usual bound: whoever asks for a plan waits for it. */
  readonly longestRead?: number;
}

/**
 * Finds out what gates ask, as the tenant (part B 3.3, 3.4, 4.5). What cannot be read is an answer,
 * too; only the end of `call` is thrown.
 */
export async function answersTo(
  asks: readonly Ask[],
  stageSet: StageSet,
  options: GateAnswersOptions,
  call: CallOptions,
): Promise<Answers> {
  const answers = new Map<string, Answer>();
  const queue = asks.values();
  const lane = async (): Promise<void> => {
    for (const ask of queue) answers.set(askKey(ask), await answerTo(ask, stageSet, options, call));
  };
  await Promise.all(Array.from({ length: mostAtOnce }, lane));
  return answers;
}

async function answerTo(
  ask: Ask,
  stageSet: StageSet,
  options: GateAnswersOptions,
  call: CallOptions,
): Promise<Answer> {
  const secrets = new Set<string>();
  try {
    const signal = AbortSignal.any([
      call.signal,
      AbortSignal.timeout(options.longestRead ?? longestRead),
    ]);
    const value = await read(ask, stageSet, secrets, options, { signal });
    return { kind: 'Value', value, at: options.clock() };
  } catch (error) {
    call.signal.throwIfAborted();
    const treated = treatmentOf(error);
    const message = redact(treated instanceof Error ? treated.message : String(treated), secrets);
    const kind = treated instanceof DeniedError ? 'Denied' : 'Unreadable';
    return { kind, message, at: options.clock() };
  }
}

async function read(
  ask: Ask,
  stageSet: StageSet,
  secrets: Set<string>,
  { readers, tenants, targets }: GateAnswersOptions,
  call: CallOptions,
): Promise<number> {
  const { namespace = '' } = stageSet.metadata;
  switch (ask.kind) {
    case 'Metric': {
      const { client } = tenants.tenantOf(stageSet);
      const onSecretValue = (value: string): void => void secrets.add(value);
      return await readers.metric(ask.source, { client, namespace, onSecretValue }, call);
    }
    case 'Restarts': {
      const { client } = await targets.targetOf(stageSet, ask.stage, call);
      return await readers.restarts(client, namespace, ask.check, call);
    }
    case 'Events': {
      const { client } = await targets.targetOf(stageSet, ask.stage, call);
      return await readers.events(client, namespace, ask.check, call);
    }
  }
}
