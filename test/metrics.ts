/** Requests that a controller has sent to the API server, by its own metric. */
export interface SentRequests {
  /** GET: reads, lists, and watches that ended. */
  readonly reads: number;
  readonly writes: number;
}

export async function sentRequests(metricsUrl: string): Promise<SentRequests> {
  const text = await (await fetch(metricsUrl)).text();
  const sent = { reads: 0, writes: 0 };
  for (const [, labels = '', count = '0'] of text.matchAll(
    /^rest_client_requests_total\{([^}]*)\} (\d+)/gm,
  )) {
    if (/method="(GET|HEAD)"/.test(labels)) sent.reads += Number(count);
    else sent.writes += Number(count);
  }
  return sent;
}

/** The value of a metric, summed over its series, or over those of one namespace; 0 for none. */
export async function metricSum(
  metricsUrl: string,
  name: string,
  namespace?: string,
): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const labels = namespace === undefined ? '' : `[^}]*namespace="${namespace}"`;
  const samples = text.matchAll(new RegExp(`^${name}(?:\\{${labels}[^}]*\\})? ([0-9.e+]+)`, 'gm'));
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}
