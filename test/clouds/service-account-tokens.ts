import {
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import type { CloudServiceAccount } from '../../src/cloud/identity.ts';

/** What a cloud knows of whoever shows a token. */
export interface Claims {
  readonly sub: string;
  readonly aud: readonly string[];
  readonly iss: string;
  readonly exp: number;
}

/** Verifies tokens with the public keys of an issuer, as a cloud does that trusts the issuer. */
export class TrustedIssuer {
  readonly issuer: string;
  readonly #keys = new Map<string, KeyObject>();

  constructor(issuer: string, jwks: { readonly keys: readonly JsonWebKey[] }) {
    this.issuer = issuer;
    for (const key of jwks.keys) {
      this.#keys.set(String(key['kid']), createPublicKey({ key, format: 'jwk' }));
    }
  }

  /** @throws Error for a token that is not of this issuer, not for this audience alone, or over. */
  verify(token: string, audience: string): Claims {
    const [head = '', payload = '', signature = ''] = token.split('.');
    const { alg, kid } = parse(head);
    const key = this.#keys.get(String(kid));
    if (alg !== 'RS256' || key === undefined) throw new Error('the token is of another key');
    const signed = Buffer.from(`${head}.${payload}`);
    if (!verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url'))) {
      throw new Error('the signature is wrong');
    }
    const { sub, aud, iss, exp } = parse(payload);
    const audiences = [aud].flat().map(String);
    if (iss !== this.issuer) throw new Error('another issuer');
    if (audiences.length !== 1 || audiences[0] !== audience) throw new Error('another audience');
    if (typeof exp !== 'number' || exp * 1000 < Date.now()) throw new Error('the token is over');
    return { sub: String(sub), aud: audiences, iss: this.issuer, exp };
  }
}

function parse(part: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
}

/** An issuer of our own, for tests that need no API server. */
export class TestIssuer {
  readonly trusted: TrustedIssuer;
  /** Audiences that tokens were asked for, in order. */
  readonly minted: string[][] = [];
  readonly #privateKey: KeyObject;

  constructor(issuer = 'https://issuer.example.com') {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    this.#privateKey = privateKey;
    const key = { ...publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'RS256' };
    this.trusted = new TrustedIssuer(issuer, { keys: [key] });
  }

  token(subject: string, audiences: readonly string[]): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: this.trusted.issuer, sub: subject, aud: audiences, exp: now + 3600 };
    const text = [{ alg: 'RS256', kid: 'test' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('RSA-SHA256', Buffer.from(text), this.#privateKey);
    return `${text}.${signature.toString('base64url')}`;
  }

  account(
    namespace: string,
    name: string,
    annotations: Readonly<Record<string, string>>,
  ): CloudServiceAccount {
    return {
      namespace,
      name,
      annotations,
      mintToken: async (audiences) => {
        this.minted.push([...audiences]);
        const subject = `system:serviceaccount:${namespace}:${name}`;
        return await Promise.resolve(this.token(subject, audiences));
      },
    };
  }
}
