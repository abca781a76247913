import type { Answer } from '../../kubernetes/exchange.ts';
import { type Asking, senderTo } from './asking.ts';
import { flatHeaders } from './flat-headers.ts';

/** A request as the SDK of AWS makes it. */
interface AwsRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface AwsResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** `never`, since the SDK's own types stand in a package that is not ours to import. */
type Handle = (
  request: never,
  options?: { abortSignal?: unknown },
) => Promise<{ response: AwsResponse }>;

/** Lets the SDK of AWS send its requests this way. */
export function awsHandler(asking: Asking): { readonly handle: Handle } {
  return {
    handle: async (request, options) => {
      const answer = await send(asking, request, options?.abortSignal);
      return {
        response: {
          statusCode: answer.status,
          headers: flatHeaders(answer.headers),
          body: Buffer.from(answer.body),
        },
      };
    },
  };
}

async function send(asking: Asking, request: AwsRequest, signal: unknown): Promise<Answer> {
  const { protocol, hostname, port, path, query = {}, method, headers, body } = request;
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`);
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) url.searchParams.append(name, each ?? '');
  }
  // The SDK makes the host of the region, which is checked, or takes the operator's.
  return await senderTo(url, asking)(
    { url, method, headers, body: textOf(body) },
    signal instanceof AbortSignal ? signal : asking.signal,
  );
}

/** All that KMS and STS are sent is text. */
function textOf(body: unknown): string | undefined {
  if (body === undefined || typeof body === 'string') return body;
  return body instanceof Uint8Array ? new TextDecoder().decode(body) : undefined;
}
