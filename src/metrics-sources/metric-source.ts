import type { MetricValue } from '../core/gates/metric-value.ts';

/** How one kind of metric source is asked, and what its answer comes to. */
export interface MetricQuestion {
  readonly url: string;
  /** Secret with the bearer token in the namespace of the StageSet. */
  readonly secret: string | undefined;
  readonly read: (body: string) => MetricValue;
}
