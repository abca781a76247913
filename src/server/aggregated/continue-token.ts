import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '../../core/canonical-json.ts';
import { type Clock, type Duration, minutes } from '../../core/time.ts';
import { StatusError } from './status-error.ts';

/** Longer ones are refused before anything is computed over them. */
const longestToken = 8 * 1024;
const defaultMaxAge = minutes(5);

export interface ContinueTokensOptions {
  /**
   * At least 32 secret bytes, the same in every replica; asked at each use, so that it may change.
   * A token of an earlier key is refused as a forged one.
   */
  readonly key: () => Uint8Array;
  readonly clock: Clock;
  /** Default 5 minutes, as long as etcd keeps what an API server's tokens point at. */
  readonly maxAge?: Duration;
}

/**
 * Opaque tokens for `continue`: they say where a list goes on, and are signed together with what
 * was asked, so that one cannot be made up or carried over to another namespace, object or filter.
 * They are not encrypted: put nothing into `position` that the caller may not see.
 */
export class ContinueTokens {
  readonly #key: () => Uint8Array;
  readonly #clock: Clock;
  readonly #maxAge: Duration;

  constructor({ key, clock, maxAge = defaultMaxAge }: ContinueTokensOptions) {
    this.#key = key;
    this.#clock = clock;
    this.#maxAge = maxAge;
  }

  /**
   * @param scope everything that makes the request what it is: resource, namespace, name, filters.
   * @param position JSON; what `read` gives back.
   */
  issue(scope: readonly unknown[], position: unknown): string {
    const payload = JSON.stringify({ at: this.#clock(), position });
    const encoded = Buffer.from(payload, 'utf8').toString('base64url');
    return `${encoded}.${this.#sign(encoded, scope).toString('base64url')}`;
  }

  /**
   * The position that the token was issued with; undefined where the query has none.
   * @throws StatusError 400 when it is not ours or was issued for another scope, 410 when too old.
   */
  read(scope: readonly unknown[], token: string | null): unknown {
    if (token === null || token === '') return undefined;
    const [encoded, signature, ...rest] = token.length > longestToken ? [] : token.split('.');
    if (encoded === undefined || signature === undefined || rest.length > 0) throw notValid();
    const given = Buffer.from(signature, 'base64url');
    const wanted = this.#sign(encoded, scope);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw notValid();
    // Signed by us, so it has the shape that `issue` gave it.
    const payload: unknown = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
    if (!isPayload(payload)) throw notValid();
    const age = this.#clock() - payload.at;
    if (age > this.#maxAge) {
      throw StatusError.expired(
        'The provided continue parameter is too old; start the list again without it.',
      );
    }
    return payload.position;
  }

  #sign(encoded: string, scope: readonly unknown[]): Buffer {
    return createHmac('sha256', this.#key())
      .update(`${canonicalJson(scope)}\n${encoded}`, 'utf8')
      .digest();
  }
}

function isPayload(value: unknown): value is { at: number; position: unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'at' in value &&
    typeof value.at === 'number' &&
    'position' in value
  );
}

function notValid(): StatusError {
  return StatusError.badRequest(
    'continue key is not valid: take it from metadata.continue of the answer before, with the same parameters',
  );
}
