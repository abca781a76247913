import { isJsonObject } from './shapes.ts';

/** Whom a token is meant for: the `aud` of a JWT; empty when it cannot be read. */
export function audiencesIn(token: string): string[] {
  const [, payload = ''] = token.split('.');
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    const audience = isJsonObject(claims) ? claims['aud'] : undefined;
    const all: unknown[] = Array.isArray(audience) ? audience : [audience];
    return all.filter((each) => typeof each === 'string');
  } catch {
    return [];
  }
}
