import type { IncomingMessage } from 'node:http';
import type { Mutation } from '../../core/admission/json-patch.ts';
import type { Refusal, Verdict } from '../../core/admission/verdict.ts';
import { bounded } from '../../core/admission/warnings.ts';
import { contract as document } from '../../types/generated/admission.k8s.io.v1.document.ts';
import type {
  AdmissionRequest,
  AdmissionResponse,
  AdmissionReview,
  AnsweredReview,
} from '../../types/generated/admission.k8s.io.v1.ts';
import { parseJson } from '../aggregated/json-text.ts';
import { StatusError } from '../aggregated/status-error.ts';
import { OpenApiContract } from '../open-api-contract.ts';
import { readBytes, textOf } from '../request-body.ts';

/** As kube-apiserver bounds what it takes itself. */
const mostBytes = 3 * 1024 * 1024;
/** An update has all of a StageInventory twice, with two fields for each of its entries. */
const mostFields = 150_000;
const mostShown = 5;

const contract = new OpenApiContract(document);

/**
 * Reads the review that a request brings.
 * @throws StatusError 400 for what is no AdmissionReview of admission.k8s.io/v1, 413, 415, and 504
 *   when the signal fires before all of it is there
 */
export async function readReview(
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<AdmissionRequest> {
  demandJson(request.headers['content-type']);
  const bytes = await readBytes(request, mostBytes, signal);
  const value = parseJson(textOf(bytes), mostFields);
  if (isReview(value)) return value.request;
  const { causes } = contract.validateRequest('AdmissionReview', value);
  const lines = causes
    .slice(0, mostShown)
    .map(({ field = '', message }) => (field === '' ? message : `${field}: ${message}`));
  throw StatusError.badRequest(
    `the body is no AdmissionReview of admission.k8s.io/v1: ${lines.join(', ')}`,
  );
}

/**
 * Compiles the schema of reviews, which takes longer than many answers: the first caller of a process
 * must not have to wait for it.
 */
export function prepareReviews(): void {
  isReview({});
}

function isReview(value: unknown): value is AdmissionReview {
  return contract.validateRequest('AdmissionReview', value).causes.length === 0;
}

const json = /^application\/json *(; *charset="?utf-8"? *)?$/i;

function demandJson(contentType: string | undefined): void {
  if (contentType === undefined || !json.test(contentType.trim())) {
    throw StatusError.unsupportedMediaType(['application/json']);
  }
}

/** What a mutating webhook answers: it never refuses. */
export function answerMutation(
  { uid }: AdmissionRequest,
  { patch, warnings }: Mutation,
): AnsweredReview {
  if (patch.length === 0) return answered({ uid, allowed: true }, warnings);
  const text = Buffer.from(JSON.stringify(patch), 'utf8').toString('base64');
  return answered({ uid, allowed: true, patchType: 'JSONPatch', patch: text }, warnings);
}

/** What a validating webhook answers. */
export function answerVerdict({ uid }: AdmissionRequest, verdict: Verdict): AnsweredReview {
  return verdict.kind === 'Allowed'
    ? answered({ uid, allowed: true }, verdict.warnings)
    : answered({ uid, allowed: false, status: statusOf(verdict.refusal) }, verdict.warnings);
}

function answered(response: AdmissionResponse, warnings: readonly string[]): AnsweredReview {
  const told = bounded(warnings);
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: told.length === 0 ? response : { ...response, warnings: told },
  };
}

function statusOf({ code, reason, message, details }: Refusal): AdmissionResponse['status'] {
  const { causes, ...subject } = details;
  return {
    apiVersion: 'v1',
    kind: 'Status',
    metadata: {},
    status: 'Failure',
    code,
    reason,
    message,
    details: causes === undefined ? subject : { ...subject, causes: [...causes] },
  };
}
