import type { STSClientConfig } from '@aws-sdk/client-sts';
import type { AwsCredentials } from './identity.ts';
import type { Send } from './transport.ts';

/** Tries of one request, the first included. */
const mostAttempts = 3;

/**
 * What an AWS client is made with so that neither variables nor files of the process decide anything:
 * each setting that the SDK would look up elsewhere is given.
 */
export function closedConfig(
  region: string,
  endpoint: URL,
  credentials: AwsCredentials | undefined,
  send: Send,
  signal: AbortSignal,
): ClosedConfig {
  return {
    region,
    endpoint: endpoint.href,
    credentials: credentials ?? noCredentials,
    requestHandler: handlerOf(send, signal),
    maxAttempts: mostAttempts,
    retryMode: 'standard',
    defaultsMode: 'standard',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    authSchemePreference: [],
    userAgentAppId: async () => await Promise.resolve(undefined),
  };
}

/** What the clients of all AWS services take. */
export type ClosedConfig = Pick<
  STSClientConfig,
  | 'region'
  | 'endpoint'
  | 'credentials'
  | 'requestHandler'
  | 'maxAttempts'
  | 'retryMode'
  | 'defaultsMode'
  | 'useDualstackEndpoint'
  | 'useFipsEndpoint'
  | 'authSchemePreference'
  | 'userAgentAppId'
>;

/** Without any, the SDK would look for some around the process. */
async function noCredentials(): Promise<AwsCredentials> {
  return await Promise.reject(new Error('this request must not be signed'));
}

type Handler = NonNullable<STSClientConfig['requestHandler']>;

/** The SDK's requests over our transport. */
function handlerOf(send: Send, signal: AbortSignal): Handler {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async (request: HandledRequest) => {
      const { protocol, hostname, port, path, query, method, headers, body } = request;
      const authority = port === undefined ? hostname : `${hostname}:${port}`;
      const url = new URL(`${protocol}//${authority}${path}`);
      for (const [name, value] of Object.entries(query ?? {})) {
        for (const each of [value ?? ''].flat()) url.searchParams.append(name, each);
      }
      const text = body === undefined ? {} : { body: textOf(body) };
      const answer = await send({ method, url, headers, ...text }, signal);
      return {
        response: {
          statusCode: answer.status,
          headers: flat(answer.headers),
          body: new Uint8Array(Buffer.from(answer.body)),
        },
      };
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  };
}

interface HandledRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | string[] | null>>;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  throw new Error('the SDK streams a body, which no login does');
}

function flat(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, [value].flat().join(', ')] as const],
  );
  return Object.fromEntries(entries);
}
