import type { ControllerProcess } from '../dev/controller-process.ts';
import { pause } from '../src/kubernetes/wait.ts';
import { metricSum } from './metrics.ts';

/**
 * Runs `change` and waits until the controller has looked at its StageSets so many times since it
 * began. For what must not happen, of which no event tells.
 */
export async function afterLooks(
  { metricsUrl }: ControllerProcess,
  looks: number,
  change: () => Promise<void>,
): Promise<void> {
  const count = async (): Promise<number> =>
    await metricSum(metricsUrl, 'controller_runtime_reconcile_total');
  const before = await count();
  await change();
  const signal = AbortSignal.timeout(20_000);
  while ((await count()) < before + looks) await pause(50, signal);
}
