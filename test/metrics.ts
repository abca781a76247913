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

/** The value of one series, summed over all its label sets; 0 where there is none. */
export async function metricSum(metricsUrl: string, name: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const samples = text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)`, 'gm'));
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0);
}
