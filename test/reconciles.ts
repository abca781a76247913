import type { ControllerProcess } from '../dev/controller-process.ts';
import { pause } from '../src/kubernetes/wait.ts';
import { metricSum } from './metrics.ts';

/**
 * Runs `change` and waits until the controller has looked at its StageSets twice since: the first
 * look may have begun before. For what must not happen, of which no event tells.
 */
export async function afterTwoLooks(
  { metricsUrl }: ControllerProcess,
  change: () => Promise<void>,
): Promise<void> {
  const looks = async (): Promise<number> =>
    await metricSum(metricsUrl, 'controller_runtime_reconcile_total');
  await change();
  const before = await looks();
  const signal = AbortSignal.timeout(20_000);
  while ((await looks()) < before + 2) await pause(50, signal);
}
