import { UsageError } from './usage-error.ts';
import { asBoolean, asDuration, type GivenValue, readBoolean } from './values.ts';

/** A flag of the specification whose feature is not part of this build. */
export interface LaterFlag {
  readonly name: string;
  readonly kind: 'Boolean' | 'Text' | 'Texts' | 'Number' | 'Duration';
  readonly defaultText: string;
  /** A value that switches off what this build does not have, and is as good as the default. */
  readonly offText?: string;
}

/** Part B 8.1, the rest of its table. A list that is repeatable has no default to give. */
export const laterFlags: readonly LaterFlag[] = [
  off('require-image-verification'),
  text('image-verification-trusted-root', ''),
  texts('image-verification-insecure-registry'),
  text('rollback-store-path', ''),
  text('rollback-store-s3-endpoint', ''),
  text('rollback-store-s3-bucket', ''),
  text('rollback-store-s3-prefix', ''),
  text('rollback-store-s3-region', ''),
  text('rollback-store-s3-access-key', ''),
  text('rollback-store-s3-secret-key', ''),
  text('rollback-store-s3-session-token', ''),
  { name: 'rollback-store-s3-use-ssl', kind: 'Boolean', defaultText: 'true' },
  off('rollback-store-s3-anonymous'),
  text('rollback-store-s3-sse', 's3'),
  text('rollback-store-s3-sse-kms-key', ''),
  text('tracing-endpoint', ''),
  off('tracing-insecure'),
  { name: 'tracing-sample-ratio', kind: 'Number', defaultText: '1.0' },
  off('enable-mcp'),
  text('mcp-bind-address', ':8084'),
  off('mcp-allow-mutations'),
];

/**
 * Takes the default of a later flag, so that manifests which spell defaults out work, and refuses
 * anything else: to ignore it would promise what this build does not do.
 * @throws UsageError; it never quotes the value, which may be a credential.
 */
export function refuseLaterFlag(flag: LaterFlag, given: GivenValue): void {
  if (flag.kind === 'Boolean') readBoolean(given);
  if (sameValue(flag, given.text)) return;
  const way =
    flag.defaultText === ''
      ? 'leave the flag out'
      : `leave the flag out or give ${flag.defaultText}`;
  throw new UsageError(`${given.origin}: this build does not have the feature yet; ${way}`);
}

function sameValue({ kind, defaultText, offText }: LaterFlag, given: string): boolean {
  switch (kind) {
    case 'Boolean':
      return [defaultText, offText ?? defaultText].some(
        (text) => asBoolean(text) === asBoolean(given),
      );
    case 'Number':
      return /^\d+(\.\d+)?$/.test(given) && Number(given) === Number(defaultText);
    case 'Duration':
      return asDuration(given) === asDuration(defaultText);
    case 'Text':
    case 'Texts':
      return given === defaultText;
  }
}

function off(name: string): LaterFlag {
  return { name, kind: 'Boolean', defaultText: 'false' };
}

function text(name: string, defaultText: string): LaterFlag {
  return { name, kind: 'Text', defaultText };
}

function texts(name: string): LaterFlag {
  return { name, kind: 'Texts', defaultText: '' };
}
