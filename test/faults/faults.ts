import type { IncomingHttpHeaders } from 'node:http';

export type Fault =
  /** The connection is reset before the request gets to the API server. */
  | { kind: 'Reset' }
  /** The API server carries the request out, and the connection is reset instead of an answer. */
  | { kind: 'ResetAfter' }
  /** No answer, and the connection stays open. */
  | { kind: 'Silence' }
  /** This answer instead of the API server's. */
  | { kind: 'Answer'; status: number; headers?: Record<string, string>; body?: unknown }
  /** The request goes on after a while, whether or not somebody still waits for its answer. */
  | { kind: 'Delay'; milliseconds: number }
  /** Each line of a watch becomes these lines: drop, repeat or change events. */
  | { kind: 'Lines'; change: (line: string) => string[] };

export interface FaultRule {
  match: (seen: SeenRequest) => boolean;
  fault: Fault;
  /** Matching requests that are let through first. Default none. */
  skip?: number;
  /** Matching requests that get the fault after that. Default all. */
  times?: number;
}

/** A request that came to the proxy. */
export interface SeenRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
  /** `performance.now()` of its arrival. */
  at: number;
  /** Of the API server's answer, when there was one. */
  status?: number | undefined;
}

export function isWatch(seen: SeenRequest): boolean {
  return /[?&]watch=(true|1)(&|$)/.test(seen.url);
}

export function isWrite(seen: SeenRequest): boolean {
  return seen.method !== 'GET' && seen.method !== 'HEAD';
}

/** Whether the request is a list or a watch of this plural resource. */
export function isFor(resource: string): (seen: SeenRequest) => boolean {
  return (seen) => new RegExp(`/${resource}(/|\\?|$)`).test(seen.url);
}

/** An answer that is a `metav1.Status`, as an API server would give it. */
export function statusAnswer(
  code: number,
  reason: string,
  headers: Record<string, string> = {},
): Fault {
  return {
    kind: 'Answer',
    status: code,
    headers,
    body: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `fault: ${reason}`,
      reason,
      code,
    },
  };
}
