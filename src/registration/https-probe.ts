import { request } from 'node:https';
import { type Duration, seconds } from '../core/time.ts';

/** Asks whether an API replica serves: undefined when one does, else why not. It never rejects. */
export type Probe = (caBundle: string, signal: AbortSignal) => Promise<string | undefined>;

export interface ProbeTarget {
  /** `<service>.<namespace>.svc`: what the certificate must be for. */
  host: string;
  port: number;
  /** Where to connect instead of `host`, as a Service of type ExternalName leads elsewhere. */
  connectTo?: string;
  /** Of the whole exchange. Default 2 s. */
  deadline?: Duration;
}

/**
 * Probes `GET https://<host>:<port>/readyz`, verified as the aggregator does, and never through a
 * proxy. Each probe has a connection of its own, so that it may reach any replica of the Service.
 */
export function httpsProbe(target: ProbeTarget): Probe {
  return async (caBundle, signal) => {
    const deadline = target.deadline ?? seconds(2);
    const timeout = AbortSignal.timeout(deadline);
    try {
      const status = await get(target, caBundle, AbortSignal.any([signal, timeout]));
      return status === 200 ? undefined : `/readyz answered ${status}`;
    } catch (error) {
      if (timeout.aborted) return `no answer within ${deadline} ms`;
      return error instanceof Error ? error.message : 'the cause is unknown';
    }
  };
}

/** The status, once the answer is complete: a replica that hangs half way does not serve. */
async function get(
  { host, port, connectTo = host }: ProbeTarget,
  caBundle: string,
  signal: AbortSignal,
): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sent = request(
      {
        host: connectTo,
        servername: host,
        port,
        path: '/readyz',
        headers: { Host: `${host}:${port}`, 'User-Agent': 'stageset-controller' },
        agent: false,
        signal,
        ...(caBundle === '' ? {} : { ca: caBundle }),
      },
      (response) => {
        response.once('error', reject);
        response.once('end', () => resolve(response.statusCode ?? 0));
        response.resume();
      },
    );
    sent.once('error', reject);
    sent.end();
  });
}
