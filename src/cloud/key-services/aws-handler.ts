import type { BoundedAnswer, BoundedHttp } from './bounded-http.ts';

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
export function awsHandler(http: BoundedHttp): { readonly handle: Handle } {
  return {
    handle: async (request, options) => {
      const answer = await send(http, request, options?.abortSignal);
      return {
        response: { statusCode: answer.status, headers: answer.headers, body: answer.body },
      };
    },
  };
}

async function send(
  http: BoundedHttp,
  request: AwsRequest,
  signal: unknown,
): Promise<BoundedAnswer> {
  const { protocol, hostname, port, path, query = {}, method, headers, body } = request;
  const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`);
  for (const [name, value] of Object.entries(query)) {
    for (const each of [value].flat()) url.searchParams.append(name, each ?? '');
  }
  // undici sets them itself.
  const { host, 'content-length': length, ...others } = headers;
  void host;
  void length;
  const sent = typeof body === 'string' || body instanceof Uint8Array ? body : undefined;
  return await http.send(
    { url, method, headers: others, body: sent },
    signal instanceof AbortSignal ? signal : new AbortController().signal,
  );
}
