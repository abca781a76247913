import { type Playground, startPlayground } from '../dev/playground.ts';
import { progressOnStderr } from '../dev/progress.ts';

/** Measures on a playground of its own, and prints one line of JSON. */
export async function printMeasurement(
  measure: (playground: Playground) => Promise<object>,
): Promise<void> {
  const playground = await startPlayground({ name: 'bench', progress: progressOnStderr });
  try {
    process.stdout.write(`${JSON.stringify(await measure(playground))}\n`);
  } finally {
    await playground.stop();
  }
}

/** With two digits after the point. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
