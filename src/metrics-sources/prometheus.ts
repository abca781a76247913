import { prometheusValue } from '../core/gates/metric-value.ts';
import type { MetricSource } from '../types/stages.ts';
import type { MetricQuestion } from './metric-source.ts';

type Prometheus = NonNullable<MetricSource['prometheus']>;

/** An instant query of Prometheus's HTTP API at the path of the address (part B 4.5). */
export function prometheusQuestion({ address, query, secretRef }: Prometheus): MetricQuestion {
  return { url: queryUrl(address, query), secret: secretRef?.name, read: prometheusValue };
}

/** An address that is no URL stays as it is, for whoever checks it to say so. */
function queryUrl(address: string, query: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/query`;
  url.searchParams.set('query', query);
  url.hash = '';
  return url.href;
}
