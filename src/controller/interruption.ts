import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import { isInterruption } from './failure.ts';
import type { StageSetMemory } from './memory.ts';
import { serverAnswers } from './outage.ts';

/** So many requests in a row that get no answer, of a server that answers others, are a failure. */
const patience = 5;

/** @throws the error again, to end the pass, while it is that of an outage, or may be. */
export async function throwInterruption(
  error: unknown,
  memory: Pick<StageSetMemory, 'interruptions'>,
  client: KubernetesClient,
  { signal }: CallOptions,
): Promise<void> {
  if (!isInterruption(error)) return;
  const isOutage = !(await serverAnswers(client, signal));
  memory.interruptions = isOutage ? 0 : memory.interruptions + 1;
  if (memory.interruptions < patience) throw error;
  memory.interruptions = 0;
}
