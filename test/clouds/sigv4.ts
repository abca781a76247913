import { createHash, createHmac } from 'node:crypto';

/** A request as it is signed by AWS's Signature Version 4. */
export interface SignedRequest {
  readonly method: string;
  /** Decoded parts are encoded here again, as the algorithm wants them. */
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly signedHeaders: readonly string[];
  readonly body: string;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The signature, computed from AWS's description of the algorithm and not by its SDK. */
export function signatureOf(request: SignedRequest, secretKey: string): string {
  const { method, path, query, headers, signedHeaders, body, date, region, service } = request;
  const canonicalQuery = query
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');
  const canonical = [
    method,
    path.split('/').map(encode).join('/'),
    canonicalQuery,
    ...signedHeaders.map((name) => `${name}:${(headers[name] ?? '').trim()}`),
    '',
    signedHeaders.join(';'),
    hash(body),
  ].join('\n');
  const day = date.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer | string>(
    (before, part) => createHmac('sha256', before).update(part).digest(),
    `AWS4${secretKey}`,
  );
  return createHmac('sha256', key).update(toSign).digest('hex');
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
