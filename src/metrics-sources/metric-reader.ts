import { RetryableError, TerminalError } from '../core/errors.ts';
import { describeObject } from '../core/objects/identity.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { FairLimit } from '../kubernetes/fair-limit.ts';
import { readSecretEntry } from '../kubernetes/secret-entry.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { AllowedHost, Resolve } from '../network/guard.ts';
import {
  discard,
  type FinalAnswer,
  GuardedHttp,
  noAnswer,
  requestBound,
  unwantedStatus,
} from '../network/guarded-http.ts';
import { headerValueProblem } from '../network/header-value.ts';
import type { MetricSource } from '../types/stages.ts';
import type { MetricQuestion } from './metric-source.ts';
import { prometheusQuestion } from './prometheus.ts';
import { webhookQuestion } from './webhook.ts';

export interface MetricReaderOptions {
  /** Globs of `--allowed-action-hosts`; empty allows every host that the guard does. */
  readonly allowedHosts: readonly string[];
  /** Exempt from the guard. For development only. */
  readonly exempt?: readonly AllowedHost[];
  readonly resolve?: Resolve;
}

/** For whom a metric is read. */
export interface MetricContext {
  /** Acts as `spec.serviceAccountName` in the namespace of the StageSet; Secrets are read by it. */
  readonly client: Pick<KubernetesClient, 'find'>;
  readonly namespace: string;
  /** Told each value of a Secret that was read, so that no message quotes it. */
  readonly onSecretValue: (value: string) => void;
}

/** Bytes of an answer (part B 4.5). */
const mostBytes = 1024 * 1024;

/** Metrics that are read at a time, for all tenants. */
const mostReads = 16;

/** The key of the bearer token in its Secret. */
const tokenKey = 'token';

/**
 * Reads the metrics that gates look at (part B 4.5). Where a request goes is guarded as that of an
 * http action is; what a server answers is never quoted, only what is wrong with its shape.
 */
export class MetricReader {
  readonly #http: GuardedHttp;
  /** Shared by namespace: whoever asks for much must not make others wait for an answer in vain. */
  readonly #places = new FairLimit(mostReads, 'ForNewcomers');

  constructor(options: MetricReaderOptions) {
    const purpose = { refusal: 'metrics are not read from', advice: 'Serve the metric' };
    this.#http = new GuardedHttp({ ...options, purpose });
  }

  /**
   * The value of a metric, a finite number.
   *
   * @throws TerminalError for what trying again cannot change: a forbidden place, an answer 4xx but 408
   *   and 429, a token that is missing; DeniedError where the account may not read the Secret;
   *   RetryableError for the rest, such as an answer without a number.
   */
  async read(source: MetricSource, context: MetricContext, call: CallOptions): Promise<number> {
    const slots = this.#places.slotsOf(context.namespace);
    await slots.enter(call.signal);
    try {
      return await this.#read(source, context, call);
    } finally {
      slots.leave();
    }
  }

  async #read(source: MetricSource, context: MetricContext, call: CallOptions): Promise<number> {
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(requestBound)]);
    const question = questionOf(source);
    const url = this.#http.check(question.url);
    const token = await readToken(question, context, { ...call, signal });
    const headers: Record<string, string> = {
      accept: 'application/json',
      'user-agent': 'stageset-controller',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const secret = token !== undefined;
    const answer = await this.#http.send(url, { method: 'GET', headers, secret }, { signal });
    const { statusCode } = answer.response;
    if (statusCode < 200 || statusCode > 299) {
      await discard(answer.response, signal);
      throw unwantedStatus(answer, '2xx');
    }
    const read = question.read(await textOf(answer, signal));
    if (read.kind === 'Value') return read.value;
    throw new RetryableError(`the answer of ${answer.url.host} ${read.problem}`);
  }

  async stop(): Promise<void> {
    await this.#http.stop();
  }
}

function questionOf({ prometheus, webhook }: MetricSource): MetricQuestion {
  if (prometheus !== undefined && webhook === undefined) return prometheusQuestion(prometheus);
  if (webhook !== undefined && prometheus === undefined) return webhookQuestion(webhook);
  throw new TerminalError('a metric source needs exactly one of prometheus and webhook', {
    reason: 'InvalidSpec',
  });
}

async function readToken(
  { secret: name }: MetricQuestion,
  { client, namespace, onSecretValue }: MetricContext,
  call: CallOptions,
): Promise<string | undefined> {
  if (name === undefined) return undefined;
  const reference = { apiVersion: 'v1', kind: 'Secret', namespace, name };
  const refused = (problem: string): TerminalError =>
    new TerminalError(`secretRef names ${describeObject(reference)}, ${problem}`, {
      object: reference,
    });
  const entry = await readSecretEntry(client, { namespace, name, key: tokenKey }, call);
  if (entry.kind === 'Missing') throw refused(entry.problem);
  const content = entry.content.toString('utf8');
  if (content !== '') onSecretValue(content);
  // A line break at the end comes from an editor.
  const token = content.replace(/\r?\n$/, '');
  if (token.trim() === '') throw refused(`whose key ${tokenKey} is empty; put the token there`);
  onSecretValue(token);
  const unusable = headerValueProblem(token);
  if (unusable !== undefined) throw refused(`whose key ${tokenKey} ${unusable}`);
  return token;
}

/** The body, as far as it may be; the rest of a longer one is not read. */
async function textOf({ url, response }: FinalAnswer, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response.body) {
      const part = Buffer.from(chunk as Uint8Array);
      bytes += part.byteLength;
      if (bytes > mostBytes) break;
      chunks.push(part);
    }
  } catch (error) {
    throw noAnswer(url, error, signal);
  }
  if (bytes > mostBytes) {
    throw new RetryableError(`the answer of ${url.host} is longer than ${mostBytes} bytes`);
  }
  return Buffer.concat(chunks).toString('utf8');
}
