import { type MetricContext, MetricReader } from '../../src/metrics-sources/metric-reader.ts';
import type { MetricSource } from '../../src/types/stages.ts';
import type { FileServer } from './file-server.ts';

type Options = ConstructorParameters<typeof MetricReader>[0];

/** What the tenant's Secret has, whatever it is called. */
export const bearerToken = 'canary-of-a-metric-source';

const context: MetricContext = {
  client: {
    find: async () =>
      await Promise.resolve({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'token' },
        data: { token: Buffer.from(bearerToken).toString('base64') },
      }),
  },
  namespace: 'team',
  onSecretValue: () => undefined,
};

/** The value of a metric, or what is thrown instead. */
export async function outcomeOf(
  source: MetricSource,
  options: Partial<Options>,
  limit = 60_000,
): Promise<unknown> {
  const reader = new MetricReader({ allowedHosts: [], ...options });
  try {
    return await reader.read(source, context, { signal: AbortSignal.timeout(limit) });
  } catch (error) {
    return error;
  } finally {
    await reader.stop();
  }
}

export function prometheusAt(address: string, secret?: 'token'): MetricSource {
  const secretRef = secret === undefined ? {} : { secretRef: { name: secret } };
  return { prometheus: { address, query: 'budget', ...secretRef } };
}

export function webhookAt(url: string, jsonPath: string): MetricSource {
  return { webhook: { url, jsonPath } };
}

export function exemptOf(...servers: readonly FileServer[]): Options['exempt'] {
  return servers.map(({ port }) => ({ host: '127.0.0.1', port }));
}

/** A good answer of Prometheus. */
export const scalar = JSON.stringify({
  status: 'success',
  data: { resultType: 'scalar', result: [1, '0.5'] },
});
