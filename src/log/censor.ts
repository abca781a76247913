import { DeniedError, RetryableError, TerminalError } from '../core/errors.ts';

const censored = '[redacted]';

/** Names whose value is a credential, whatever it looks like; compared without case, `-` and `_`. */
const secretNames: ReadonlySet<string> = new Set([
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'token',
  'accesstoken',
  'refreshtoken',
  'idtoken',
  'bearertoken',
  'sessiontoken',
  'password',
  'passphrase',
  'apikey',
  'accesskey',
  'secretkey',
  'secretaccesskey',
  'privatekey',
  'clientkey',
  'clientkeydata',
  'tokendata',
  // What a Secret holds. ConfigMaps share two of the names and lose nothing by it.
  'data',
  'stringdata',
  'binarydata',
]);

/** Credentials inside of a text: an Authorization header's value, a JSON web token, a URL's user. */
const secretForms: readonly [RegExp, string][] = [
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${censored}`],
  [/\beyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*/g, censored],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^/\s@]{1,300}@/gi, `$1${censored}@`],
];

const longestText = 8192;
const deepest = 6;
const mostEntries = 100;

/**
 * The value as it may be written: credentials replaced, errors as their messages, texts, lists and
 * depth cut, since what is logged may come from a hostile artifact.
 */
export function censor(value: unknown): unknown {
  return censorAt(value, 0);
}

/** The text with credentials replaced, at most 8192 characters of it. */
export function censorText(text: string): string {
  // Cut first: it bounds what the patterns look at.
  const cut = text.length > longestText ? `${text.slice(0, longestText)}... (cut)` : text;
  return secretForms.reduce((left, [form, replacement]) => left.replace(form, replacement), cut);
}

/** The messages of an error and of its causes, each said once. */
function describeError(error: Error): string {
  const said: string[] = [];
  let next: unknown = error;
  for (let depth = 0; depth < deepest && next instanceof Error; depth += 1) {
    const message = next.message === '' ? next.name : next.message;
    if (!said.some((earlier) => earlier.includes(message))) said.push(message);
    next = next.cause;
  }
  return said.join(': ');
}

/** The stack of an error that nobody expected, which is one of no treatment of its own. */
export function unexpectedStack(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const expected = [TerminalError, RetryableError, DeniedError].some(
    (kind) => error instanceof kind,
  );
  return expected ? undefined : error.stack;
}

function censorAt(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return censorText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'function' || typeof value === 'symbol') return undefined;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return censorText(describeError(value));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (depth === deepest) return '(deeper)';
  if (Array.isArray(value)) {
    return value.slice(0, mostEntries).map((item: unknown) => censorAt(item, depth + 1));
  }
  const entries = Object.entries(value).slice(0, mostEntries);
  return Object.fromEntries(
    entries.map(([name, item]) => [
      name,
      item !== undefined && isSecretName(name) ? censored : censorAt(item, depth + 1),
    ]),
  );
}

function isSecretName(name: string): boolean {
  return secretNames.has(name.toLowerCase().replaceAll(/[-_]/g, ''));
}
