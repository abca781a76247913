import type { GateReaders } from './controller/gate-answers.ts';
import type { MetricReader } from './metrics-sources/metric-reader.ts';
import { countEvents } from './metrics-sources/pod-events.ts';
import { countRestarts } from './metrics-sources/pod-restarts.ts';

/** Reads what gates must know: metrics by the given reader, pods and their events. */
export function gateReaders(metrics: MetricReader): GateReaders {
  return {
    metric: async (source, context, call) => await metrics.read(source, context, call),
    restarts: countRestarts,
    events: countEvents,
  };
}
