import type { X509Certificate } from 'node:crypto';
import { sha256 } from '../../core/hash.ts';
import type { Clock } from '../../core/time.ts';
import { isJsonObject } from '../../core/validate/json-object.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import type {
  AuthenticationConfig,
  AuthenticationConfigSource,
  RequestHeaderConfig,
} from './authentication-config.ts';
import { isClientOf, subjectOf } from './client-certificate.ts';
import { InFlight } from './in-flight.ts';
import { callerFromHeaders, type IdentityHeaders } from './request-header.ts';
import type { Caller } from './resource.ts';
import type { Reviewer } from './reviews.ts';
import { StatusError } from './status-error.ts';
import { VerdictCache, type VerdictCacheOptions } from './verdict-cache.ts';

/** All that a request says about who sends it. */
export interface Credentials {
  /** What the TLS peer presented and proved to have the key of; the leaf first. Not verified yet. */
  readonly certificates: readonly X509Certificate[];
  /** What a front proxy would say; believed only with its certificate. */
  readonly headers: IdentityHeaders;
  readonly authorization: string | undefined;
}

const authenticated = 'system:authenticated';
const unauthenticated = 'system:unauthenticated';
const anonymous = 'system:anonymous';
const longestToken = 16 * 1024;
/** Nobody is known yet who could have a share: what strangers can make us ask has one bound. */
const mostTokenReviews = 64;

export interface AuthenticatorOptions {
  readonly config: AuthenticationConfigSource;
  readonly review: Reviewer;
  /** Wall clock, for the validity of certificates. */
  readonly clock: Clock;
  readonly cache?: VerdictCacheOptions;
}

/** Finds out who asks: by a front proxy, by a client certificate, by a bearer token, in this order. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #tokens: VerdictCache<Caller | undefined>;
  readonly #reviews = new InFlight({ most: mostTokenReviews, mostOfOneUser: mostTokenReviews });

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#tokens = new VerdictCache(options.cache);
  }

  /** Whether certificates can be judged by now. */
  get knowsWhomToTrust(): boolean {
    return this.#options.config.current() !== undefined;
  }

  /**
   * @returns undefined for somebody without credentials that count
   * @throws StatusError 503 when it cannot be told, 429 when too many ask; the signal's reason
   */
  async authenticate(credentials: Credentials, signal: AbortSignal): Promise<Caller | undefined> {
    const config = this.#options.config.current();
    if (config === undefined && credentials.certificates.length > 0) {
      throw StatusError.serviceUnavailable(
        'the server has not yet read whom this cluster trusts; try again later',
      );
    }
    const byCertificate =
      config === undefined ? undefined : this.#byCertificate(credentials, config);
    if (byCertificate !== undefined) return byCertificate;
    const token = bearerTokenOf(credentials.authorization);
    return token === undefined ? undefined : await this.#byToken(token, signal);
  }

  #byCertificate(credentials: Credentials, config: AuthenticationConfig): Caller | undefined {
    const [leaf, ...intermediates] = credentials.certificates;
    if (leaf === undefined) return undefined;
    const now = this.#options.clock();
    const { requestHeader, clientAuthorities } = config;
    if (
      requestHeader !== undefined &&
      isClientOf(requestHeader.authorities, leaf, intermediates, now) &&
      isAllowedName(leaf, requestHeader)
    ) {
      const proxied = callerFromHeaders(credentials.headers, requestHeader.names);
      if (proxied !== undefined) return withGroup(proxied);
    }
    if (!isClientOf(clientAuthorities, leaf, intermediates, now)) return undefined;
    const subject = subjectOf(leaf);
    if (subject === undefined) return undefined;
    return withGroup({ user: subject.commonName, groups: subject.organizations, extra: {} });
  }

  async #byToken(token: string, signal: AbortSignal): Promise<Caller | undefined> {
    // The token itself is not kept in memory for longer than the request.
    return await this.#tokens.verdict(
      sha256(token, 'base64url'),
      async (bounded) => {
        const leave = this.#reviews.enter('');
        try {
          return callerOfReview(await this.#options.review('TokenReview', { token }, bounded));
        } finally {
          leave();
        }
      },
      signal,
    );
  }
}

function isAllowedName(leaf: X509Certificate, { allowedNames }: RequestHeaderConfig): boolean {
  if (allowedNames.length === 0) return true;
  const name = subjectOf(leaf)?.commonName;
  return name !== undefined && allowedNames.includes(name);
}

function bearerTokenOf(authorization: string | undefined): string | undefined {
  const [, token] = /^bearer +(\S+) *$/i.exec(authorization ?? '') ?? [];
  return token === undefined || token.length > longestToken ? undefined : token;
}

/** The user of a TokenReview's status; undefined for a token that is not valid. */
function callerOfReview(status: JsonObject): Caller | undefined {
  const { authenticated: valid, user } = status;
  if (valid !== true || !isJsonObject(user)) return undefined;
  const { username, uid, groups, extra } = user;
  if (typeof username !== 'string' || username === '') return undefined;
  return withGroup({
    user: username,
    ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
    groups: texts(groups),
    extra: Object.fromEntries(
      Object.entries(isJsonObject(extra) ? extra : {}).map(([key, values]) => [key, texts(values)]),
    ),
  });
}

function texts(values: unknown): string[] {
  return Array.isArray(values)
    ? (values as unknown[]).filter((value) => typeof value === 'string')
    : [];
}

/** Everybody who is known is in `system:authenticated`. */
function withGroup(caller: Caller): Caller {
  const { user, groups } = caller;
  const isPlaced = groups.includes(authenticated) || groups.includes(unauthenticated);
  return user === anonymous || isPlaced
    ? caller
    : { ...caller, groups: [...groups, authenticated] };
}
