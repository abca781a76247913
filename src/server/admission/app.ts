import type { Express, NextFunction, Request, Response } from 'express';
import type { NamespaceAnnotations } from '../../core/admission/default-stage-set.ts';
import { nameOf } from '../../core/admission/request.ts';
import type { AdmissionSettings } from '../../core/admission/settings.ts';
import { tooLate } from '../../core/admission/verdict.ts';
import { groupOf } from '../../core/objects/identity.ts';
import { after, between, type Clock, type Duration, milliseconds } from '../../core/time.ts';
import { untilAborted } from '../../kubernetes/wait.ts';
import type {
  AdmissionRequest,
  AnsweredReview,
} from '../../types/generated/admission.k8s.io.v1.ts';
import type { Logger } from '../../types/log.ts';
import { stagesApiVersion } from '../../types/stages.ts';
import { sendFailure } from '../aggregated/answers.ts';
import { InFlight } from '../aggregated/in-flight.ts';
import { timeoutOf } from '../aggregated/query-options.ts';
import { StatusError } from '../aggregated/status-error.ts';
import { plainTextApp, sendText } from '../plain-text.ts';
import { answerMutation, answerVerdict, prepareReviews, readReview } from './review.ts';
import { type MutatingWebhook, type Webhook, webhooks } from './webhooks.ts';

export interface AdmissionOptions {
  readonly settings: AdmissionSettings;
  /**
   * Annotations of a namespace, for its default ServiceAccount; cached and bounded by whoever gives
   * it. It must give up when the signal fires.
   */
  readonly namespaceAnnotations: (
    namespace: string,
    signal: AbortSignal,
  ) => Promise<Readonly<Record<string, string>>>;
  /** Wall clock. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told of each review that was answered. */
  readonly observe?: (review: {
    readonly webhook: 'mutate' | 'validate';
    readonly kind: string;
    readonly allowed: boolean;
    readonly milliseconds: number;
  }) => void;
}

/** As the webhook configurations say; kube-apiserver tells it with every request. */
const usualTimeout = milliseconds(5_000);
/** Of reviews, each with a body of its own in memory. A kube-apiserver asks again, or refuses the write. */
const mostUnderWay = 100;
/** What is left of a timeout for the answer to arrive in. */
const share = 0.9;

/**
 * The admission webhooks as an app for a TLS server. Nothing tells who calls, and nothing needs to:
 * an answer follows from the review and the settings alone, but for the default ServiceAccount of a
 * namespace. Nothing is written, and no stored object is read.
 */
export function admissionApp(options: AdmissionOptions): Express {
  prepareReviews();
  const reviews = new Reviews(options);
  const app = plainTextApp();
  for (const path of ['/healthz', '/readyz']) {
    app.all(path, (request: Request, response: Response) => {
      demandMethod(request, response, 'GET', 'HEAD');
      sendText(response, 200, 'ok');
    });
  }
  for (const webhook of webhooks) {
    app.all(webhook.path, async (request: Request, response: Response) => {
      demandMethod(request, response, 'POST');
      await reviews.serve(webhook, request, response);
    });
  }
  app.use(() => {
    throw StatusError.noSuchPath();
  });
  // Express knows an error handler by its four parameters.
  app.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else reviews.fail(error, request, response);
  });
  return app;
}

function demandMethod(request: Request, response: Response, ...methods: readonly string[]): void {
  if (methods.includes(request.method)) return;
  response.setHeader('Allow', methods.join(', '));
  throw StatusError.methodNotAllowed();
}

class Reviews {
  readonly #options: AdmissionOptions;
  readonly #inFlight = new InFlight({ most: mostUnderWay, mostOfOneUser: mostUnderWay });

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  async serve(webhook: Webhook, request: Request, response: Response): Promise<void> {
    const leave = this.#inFlight.enter('');
    try {
      await this.#serve(webhook, request, response);
    } finally {
      leave();
    }
  }

  async #serve(webhook: Webhook, request: Request, response: Response): Promise<void> {
    const { clock, observe } = this.#options;
    const began = clock();
    const limit = limitOf(request);
    const ending = new AbortController();
    const late = setTimeout(() => ending.abort(new Error('the time for an answer is over')), limit);
    const gone = (): void => ending.abort(new Error('the caller went away'));
    response.once('close', gone);
    try {
      const review = await readReview(request, ending.signal);
      demandSubject(review, webhook);
      // Timers are late themselves when the process is busy, which is when it matters.
      if (clock() >= after(began, limit)) ending.abort(new Error('the time for an answer is over'));
      const answer = await this.#answer(webhook, review, ending.signal);
      if (response.destroyed) return;
      send(response, answer);
      const { allowed } = answer.response;
      const { kind } = webhook;
      if (!allowed) this.#logRefusal(webhook, review, answer);
      const spent = between(began, clock());
      observe?.({ webhook: webhook.webhook, kind, allowed, milliseconds: spent });
    } finally {
      clearTimeout(late);
      response.off('close', gone);
    }
  }

  async #answer(
    webhook: Webhook,
    review: AdmissionRequest,
    signal: AbortSignal,
  ): Promise<AnsweredReview> {
    const { settings } = this.#options;
    if (webhook.webhook === 'validate') {
      if (!signal.aborted) return answerVerdict(review, webhook.decide(review, settings));
      const subject = {
        group: groupOf(stagesApiVersion),
        kind: webhook.kind,
        name: nameOf(review),
      };
      return answerVerdict(review, { kind: 'Refused', refusal: tooLate(subject), warnings: [] });
    }
    if (signal.aborted) {
      const warning = `the defaults of this ${webhook.kind} could not be filled in in time`;
      return answerMutation(review, { patch: [], warnings: [warning] });
    }
    const namespace = await this.#namespaceOf(webhook, review, signal);
    return answerMutation(review, webhook.decide(review, settings, namespace));
  }

  /** Without the namespace, all else is still filled in: who asks for something must not get lost. */
  async #namespaceOf(
    webhook: MutatingWebhook,
    review: AdmissionRequest,
    signal: AbortSignal,
  ): Promise<NamespaceAnnotations> {
    const { namespace = '' } = review;
    if (!webhook.needsNamespace(review)) return { kind: 'Read', annotations: {} };
    try {
      const asked = this.#options.namespaceAnnotations(namespace, signal);
      return { kind: 'Read', annotations: await untilAborted(asked, signal) };
    } catch (error) {
      this.#options.logger.warn('annotations of a namespace could not be read', {
        error,
        namespace,
      });
      return { kind: 'Unreadable' };
    }
  }

  #logRefusal({ kind }: Webhook, review: AdmissionRequest, { response }: AnsweredReview): void {
    const { namespace, operation, userInfo } = review;
    this.#options.logger.info('request refused', {
      kind,
      namespace,
      name: nameOf(review),
      operation,
      user: userInfo.username,
      reason: response.status?.reason,
    });
  }

  /** Answers what is no review, and what went wrong; the details of that only the log gets to know. */
  fail(error: unknown, request: Request, response: Response): void {
    if (response.destroyed) return;
    const fields = { error, method: request.method, path: request.path };
    const known = knownFailure(error);
    if (known === undefined) this.#options.logger.error('review failed', fields);
    else this.#options.logger.debug('request is no review', fields);
    // The rest of a body would be taken for the next request.
    if (!request.complete) response.setHeader('Connection', 'close');
    const failure =
      known ?? StatusError.internalError('the webhook failed to answer; its log says why');
    sendFailure(response, failure, undefined, false);
  }
}

/** Express throws errors with a status for paths that cannot be decoded. */
function knownFailure(error: unknown): StatusError | undefined {
  if (error instanceof StatusError) return error;
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return status === 400 ? StatusError.badRequest('the path cannot be decoded') : undefined;
}

function limitOf(request: Request): Duration {
  const start = request.originalUrl.indexOf('?');
  const query = new URLSearchParams(start === -1 ? '' : request.originalUrl.slice(start + 1));
  const asked = (query.get('timeout') ?? '') === '' ? usualTimeout : timeoutOf(query);
  return milliseconds(asked * share);
}

/** A configuration that sends other objects here must not have them judged as ours. */
function demandSubject({ kind, resource }: AdmissionRequest, webhook: Webhook): void {
  const group = groupOf(stagesApiVersion);
  const ours =
    resource.group === group && resource.resource === webhook.resource && kind.group === group;
  if (ours && kind.kind === webhook.kind) return;
  throw StatusError.badRequest(`reviews of ${webhook.resource}.${group} alone are answered here`);
}

function send(response: Response, answer: AnsweredReview): void {
  const body = Buffer.from(JSON.stringify(answer), 'utf8');
  response.status(200).setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', body.length);
  response.end(body);
}
