import type { Attempt } from '../core/actions/attempt.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { AllowedHost, Resolve } from '../network/guard.ts';
import { discard, GuardedHttp, requestBound, unwantedStatus } from '../network/guarded-http.ts';
import type { HttpAction } from '../types/stages.ts';
import type { ActionContext } from './action-context.ts';
import { prepareRequest } from './http-request.ts';

export interface HttpActionsOptions {
  /** Globs of `--allowed-action-hosts`; empty allows every host that the guard does. */
  readonly allowedHosts: readonly string[];
  /** Exempt from the guard. For development only. */
  readonly exempt?: readonly AllowedHost[];
  readonly resolve?: Resolve;
}

/** Makes the requests of `http` actions (part A 7.3). Of an answer only its status is ever told. */
export class HttpActions {
  readonly #http: GuardedHttp;

  constructor(options: HttpActionsOptions) {
    const purpose = { refusal: 'http actions do not call', advice: 'Call a server' };
    this.#http = new GuardedHttp({ ...options, purpose });
  }

  /**
   * One request with its redirects.
   *
   * @throws TerminalError for what trying again cannot change: a forbidden place, an answer 4xx but 408
   *   and 429, an entry of a Secret that is missing; RetryableError for the rest.
   */
  async call(context: ActionContext, http: HttpAction, call: CallOptions): Promise<Attempt> {
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(requestBound)]);
    const first = this.#http.check(http.url);
    const request = await prepareRequest(context, http, { ...call, signal });
    const isFinal = (status: number): boolean => isExpected(http, status);
    const answer = await this.#http.send(first, request, { signal, isFinal });
    await discard(answer.response, signal);
    if (isFinal(answer.response.statusCode)) return { kind: 'Done' };
    const { expectedStatus = [] } = http;
    throw unwantedStatus(answer, expectedStatus.length > 0 ? expectedStatus.join(', ') : '2xx');
  }

  async stop(): Promise<void> {
    await this.#http.stop();
  }
}

function isExpected({ expectedStatus = [] }: HttpAction, status: number): boolean {
  if (expectedStatus.length > 0) return expectedStatus.includes(status);
  return status >= 200 && status < 300;
}
