import type { ClientAssertionCredentialOptions } from '@azure/identity';
import type { Answer } from '../kubernetes/exchange.ts';
import type { Send } from './transport.ts';

/** What sends the requests of an Azure client. */
export type AzureHttpClient = NonNullable<ClientAssertionCredentialOptions['httpClient']>;

/**
 * An Azure SDK's requests over our transport. Variables may turn the SDK to a regional host, or have it
 * ask the metadata server for a region: whatever it asks, it asks this origin.
 */
export function clientOver(send: Send, origin: URL, signal: AbortSignal): AzureHttpClient {
  return {
    sendRequest: async (request) => {
      const { pathname, search } = new URL(request.url);
      const { status, headers, body } = await send(
        {
          method: request.method,
          // For another host the SDK writes paths with a slash behind them.
          url: new URL(`${pathname.replace(/\/+$/, '')}${search}`, origin),
          headers: request.headers.toJSON(),
          ...(typeof request.body === 'string' ? { body: request.body } : {}),
        },
        signal,
      );
      return { request, status, headers: headersOf(headers), bodyAsText: body };
    },
  };
}

type AzureHeaders = Awaited<ReturnType<AzureHttpClient['sendRequest']>>['headers'];

function headersOf(received: Answer['headers']): AzureHeaders {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(received)) {
    if (value !== undefined) values.set(name.toLowerCase(), [value].flat().join(', '));
  }
  return {
    get: (name) => values.get(name.toLowerCase()),
    has: (name) => values.has(name.toLowerCase()),
    set: (name, value) => values.set(name.toLowerCase(), String(value)),
    delete: (name) => values.delete(name.toLowerCase()),
    toJSON: () => Object.fromEntries(values),
    [Symbol.iterator]: () => values[Symbol.iterator](),
  };
}
