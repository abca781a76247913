import type { InFlightLimit } from './in-flight-limit.ts';
import type { Session } from './pools.ts';
import type { ServerDoubt } from './server-doubt.ts';

/** A way to one API server that a transport sends requests on. */
export interface ApiConnection {
  readonly limit: InFlightLimit;
  /** `https://host:port` of the server. */
  readonly origin: string;
  /** The namespace of the kubeconfig's context, or of the pod. */
  readonly namespace: string | undefined;
  /** Judges what becomes of requests; without one they are all sent. */
  readonly circuit?: Circuit;
  /** Judges what the server says while it may not be ready; without one, all of it counts. */
  readonly doubt?: ServerDoubt;
  /** Values that the server knows from us and that none of its errors may quote. */
  readonly secrets?: ReadonlySet<string>;
  /** A plain value on the hot path, a promise when something has to be looked at first. */
  session(): Session | Promise<Session>;
  /** Looks for newer credentials, since the server refused the present ones. */
  reload(): Promise<Session>;
}

/** Keeps requests from a server that does not answer. */
export interface Circuit {
  /** @throws while the server is not to be asked. */
  admit(): void;
  /** A request was answered well. */
  answered(): void;
  /** A request came to this end, after all repeats; returns the error to throw in its place. */
  failed(error: unknown): unknown;
}
