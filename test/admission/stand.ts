import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import type { PatchOperation } from '../../src/core/admission/json-patch.ts';
import { instant } from '../../src/core/time.ts';
import { type AdmissionOptions, admissionApp } from '../../src/server/admission/app.ts';
import { type RunningServer, startHttpServer } from '../../src/server/http-server.ts';
import { OpenApiContract } from '../../src/server/open-api-contract.ts';
import { contract as document } from '../../src/types/generated/admission.k8s.io.v1.document.ts';
import type {
  AdmissionRequest,
  AdmissionResponse,
  AnsweredReview,
} from '../../src/types/generated/admission.k8s.io.v1.ts';
import { silentLogger } from '../logger.ts';
import { settings } from './reviews.ts';

export const contract = new OpenApiContract(document);

export const paths = {
  mutateStageSet: '/mutate-stages-metio-wtf-v1-stageset',
  validateStageSet: '/validate-stages-metio-wtf-v1-stageset',
  mutateStageInventory: '/mutate-stages-metio-wtf-v1-stageinventory',
  validateStageInventory: '/validate-stages-metio-wtf-v1-stageinventory',
  validateStageRun: '/validate-stages-metio-wtf-v1-stagerun',
} as const;

export interface Reply {
  readonly status: number | undefined;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** The webhooks on a free port of 127.0.0.1. */
export interface AdmissionStand {
  readonly port: number;
  /** Namespaces whose annotations were asked for. */
  readonly asked: readonly string[];
  readonly observed: readonly object[];
  send(sent: Sent): Promise<Reply>;
  /** Has a request reviewed; the answer has been judged by the contract. */
  review(path: string, review: AdmissionRequest, query?: string): Promise<AdmissionResponse>;
  stop(): Promise<void>;
}

export async function startAdmission(
  options: Partial<AdmissionOptions> = {},
): Promise<AdmissionStand> {
  const asked: string[] = [];
  const observed: object[] = [];
  const app = admissionApp({
    settings,
    clock: () => instant(Date.now()),
    logger: silentLogger,
    observe: (review) => observed.push({ ...review, milliseconds: typeof review.milliseconds }),
    ...options,
    namespaceAnnotations: async (namespace, signal) => {
      asked.push(namespace);
      return (await options.namespaceAnnotations?.(namespace, signal)) ?? {};
    },
  });
  const server = await startHttpServer(
    { name: 'admission', flag: '--webhook-port' },
    { host: '127.0.0.1', port: 0 },
    app,
    (error) => {
      throw error;
    },
  );
  const send = async (sent: Sent): Promise<Reply> => await sendTo(server, sent);
  return {
    port: server.address.port,
    asked,
    observed,
    send,
    review: async (path, review, query = '') =>
      answerOf(await send({ path: path + query, body: bodyOf(review) })),
    stop: async () => await server.stop(0 as Parameters<RunningServer['stop']>[0]),
  };
}

export function bodyOf(review: unknown): string {
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: review,
  });
}

/** The patch that an answer carries. */
export function patchOf({ patch = '' }: AdmissionResponse): PatchOperation[] {
  return JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) as PatchOperation[];
}

function answerOf({ status, body }: Reply): AdmissionResponse {
  if (status !== 200) throw new Error(`the answer is ${status ?? 'none'}: ${body}`);
  const answer: unknown = JSON.parse(body);
  const problems = contract.validateResponse('AnsweredReview', answer);
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return (answer as AnsweredReview).response;
}

async function sendTo(server: RunningServer, sent: Sent): Promise<Reply> {
  const { method = 'POST', path, body } = sent;
  const { port } = server.address;
  const headers = { 'Content-Type': 'application/json', ...sent.headers };
  return await new Promise((resolve, reject) => {
    const call = request(
      { host: '127.0.0.1', port, path, method, headers, agent: false },
      (response) => {
        text(response).then(
          (received) =>
            resolve({ status: response.statusCode, headers: response.headers, body: received }),
          reject,
        );
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}
