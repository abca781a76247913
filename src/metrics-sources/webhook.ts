import { webhookValue } from '../core/gates/metric-value.ts';
import type { MetricSource } from '../types/stages.ts';
import type { MetricQuestion } from './metric-source.ts';

type Webhook = NonNullable<MetricSource['webhook']>;

/** A JSON document that has the number at a JSONPath (part B 4.5). */
export function webhookQuestion({ url, jsonPath, secretRef }: Webhook): MetricQuestion {
  return { url, secret: secretRef?.name, read: (body) => webhookValue(body, jsonPath) };
}
