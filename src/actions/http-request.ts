import { TerminalError } from '../core/errors.ts';
import { describeObject } from '../core/objects/identity.ts';
import { readSecretEntry } from '../kubernetes/secret-entry.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { OutgoingRequest } from '../network/guarded-http.ts';
import { headerValueProblem } from '../network/header-value.ts';
import type { HttpAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';

type EntryReference = NonNullable<HttpAction['bodyFrom']>;

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
): Promise<OutgoingRequest> {
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
  { name, key }: EntryReference,
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
  const entry = await readSecretEntry(client, { namespace, name, key }, call);
  if (entry.kind === 'Missing') throw refused(entry.problem);
  onSecretValue(entry.content.toString('utf8'));
  return entry.content;
}

function headerValue(at: string, { key = '', name }: EntryReference, value: string): string {
  const problem = headerProblem(key, value);
  if (problem === undefined) return value;
  throw new TerminalError(`http.${at}: key ${key} of Secret ${name} ${problem}`);
}

/** RFC 9110, section 5: a name is a token, a value has no control characters. */
function headerProblem(name: string, value: string): string | undefined {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(name)) return 'is no name of a header';
  if (ownHeaders.has(name.toLowerCase())) return 'is a header that belongs to the connection';
  return headerValueProblem(value);
}
