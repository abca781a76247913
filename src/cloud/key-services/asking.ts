import { RetryableError } from '../../core/errors.ts';
import type { CloudEndpoints } from '../identity.ts';
import type { Send, transportTo } from '../transport.ts';
import type { CloudCredentials } from './credentials.ts';
import { isTreated } from './failures.ts';

/** As whom a key service is asked, where, and for how long. */
export interface Asking {
  readonly credentials: CloudCredentials;
  readonly endpoints: CloudEndpoints;
  readonly transport: typeof transportTo;
  readonly signal: AbortSignal;
}

/** Requests to one server. A server that is not there may be there the next time. */
export function senderTo(
  origin: URL,
  { endpoints, transport }: Pick<Asking, 'endpoints' | 'transport'>,
): Send {
  const send = transport([origin], endpoints);
  return async (request, signal) => {
    try {
      return await send(request, signal);
    } catch (error) {
      if (signal.aborted || isTreated(error)) throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new RetryableError(`${request.url.host} could not be reached: ${why}`);
    }
  };
}
