import { RetryableError, TerminalError } from '../core/errors.ts';
import { describeObject } from '../core/objects/identity.ts';
import { seconds } from '../core/time.ts';
import { isJsonObject } from '../kubernetes/shapes.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { HttpAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';
import { objectError } from './object-error.ts';

/** A request that is ready to be sent. */
export interface PreparedRequest {
  readonly method: string;
  /** In lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer | undefined;
  /** Whether anything of it comes from a Secret, which must not reach another host. */
  readonly secret: boolean;
}

type SecretEntry = NonNullable<HttpAction['bodyFrom']>;

/** A server that hangs must not keep the action for long. */
const readBound = seconds(10);

const longestHeader = 16 * 1024;

/** They belong to the connection, not to whoever writes a request. */
const ownHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The request of an `http` action. The name of a header is the key of its Secret, and one line break
 * at the end of its value is no part of it (part A 7.3).
 *
 * @throws TerminalError for an entry that is missing or can be no header; what the API server answers.
 */
export async function prepareRequest(
  context: ActionContext,
  { method = 'POST', body, bodyFrom, headersFrom = [] }: HttpAction,
  call: CallOptions,
): Promise<PreparedRequest> {
  const headers: Record<string, string> = { 'user-agent': 'stageset-controller' };
  headers['idempotency-key'] = context.idempotencyKey;
  for (const [index, entry] of headersFrom.entries()) {
    const at = `headersFrom[${index}]`;
    const value = (await readEntry(context, at, entry, call)).toString('utf8');
    const name = (entry.key ?? '').toLowerCase();
    headers[name] = headerValue(at, entry, value.replace(/\r?\n$/, ''));
    context.onSecretValue(headers[name]);
  }
  const secret = bodyFrom !== undefined || headersFrom.length > 0;
  if (bodyFrom === undefined) return { method, headers, body, secret };
  const content = await readEntry(context, 'bodyFrom', bodyFrom, call);
  return { method, headers, body: content, secret };
}

async function readEntry(
  { client, stageSet, action, onSecretValue }: ActionContext,
  at: string,
  { name, key }: SecretEntry,
  call: CallOptions,
): Promise<Buffer> {
  const { namespace } = stageSet;
  const reference = { apiVersion: 'v1', kind: 'Secret', namespace, name };
  const refused = (problem: string): TerminalError =>
    new TerminalError(
      `action ${action.name}: http.${at} names ${describeObject(reference)}, ${problem}`,
      { object: reference },
    );
  if (key === undefined || key === '') throw refused('but no key of it; set key');
  const found = await client
    .find(reference, { ...call, timeout: readBound })
    .catch((error: unknown) => {
      // It is not the called server that gave no answer.
      throw error instanceof RetryableError ? objectError('get', reference, error) : error;
    });
  if (found === undefined) throw refused('which is not there; create it');
  const data = found['data'];
  const encoded = isJsonObject(data) ? data[key] : undefined;
  if (typeof encoded !== 'string') throw refused(`which has no key ${key}; add it`);
  const content = Buffer.from(encoded, 'base64');
  onSecretValue(content.toString('utf8'));
  return content;
}

function headerValue(at: string, { key = '', name }: SecretEntry, value: string): string {
  const problem = headerProblem(key, value);
  if (problem === undefined) return value;
  throw new TerminalError(`http.${at}: key ${key} of Secret ${name} ${problem}`);
}

/** RFC 9110, section 5: a name is a token, a value has no control characters. */
function headerProblem(name: string, value: string): string | undefined {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(name)) return 'is no name of a header';
  if (ownHeaders.has(name.toLowerCase())) return 'is a header that belongs to the connection';
  if (value.length > longestHeader) return `has more than ${longestHeader} characters`;
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
    ? undefined
    : 'has a value that no header can have';
}
