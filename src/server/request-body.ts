import type { IncomingMessage } from 'node:http';
import { decodeText } from '../core/objects/yaml.ts';
import { StatusError } from './aggregated/status-error.ts';

/**
 * Reads all of a body within a bound.
 * @param limit in bytes
 * @param advice is added to the refusal of a longer one
 * @throws StatusError 413 for a longer one, 415 for a compressed one, 504 when the signal fires first
 */
export async function readBytes(
  request: IncomingMessage,
  limit: number,
  signal: AbortSignal,
  advice = '',
): Promise<Buffer> {
  refuseEncoding(request);
  return await collect(request, limit, signal, advice);
}

/**
 * The text of a body.
 * @throws StatusError 400 for what is no UTF-8
 */
export function textOf(bytes: Buffer): string {
  try {
    return decodeText(bytes, 'body');
  } catch {
    throw StatusError.badRequest('the body is not UTF-8 text');
  }
}

function refuseEncoding(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw StatusError.unsupportedMediaType(['a body without Content-Encoding']);
  }
}

async function collect(
  request: IncomingMessage,
  limit: number,
  signal: AbortSignal,
  advice: string,
): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit, advice);
  const chunks: Buffer[] = [];
  let size = 0;
  // Not `for await`: that would destroy the connection on the way out, and the answer with it.
  return await new Promise<Buffer>((resolve, reject) => {
    const settle = (act: () => void): void => {
      request.off('data', take).off('end', end).off('error', fail).off('close', gone);
      signal.removeEventListener('abort', abort);
      request.pause();
      act();
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) settle(() => reject(tooLarge(limit, advice)));
      else chunks.push(chunk);
    };
    const end = (): void => settle(() => resolve(Buffer.concat(chunks)));
    const fail = (error: Error): void => settle(() => reject(error));
    const gone = (): void => fail(new Error('the caller went away while sending the body'));
    const abort = (): void => fail(StatusError.timeout('the body did not arrive in time'));
    request.on('data', take).on('end', end).on('error', fail).on('close', gone);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}

function tooLarge(limit: number, advice: string): StatusError {
  return StatusError.requestEntityTooLarge(`the body is larger than ${limit / 1024} KiB${advice}`);
}
