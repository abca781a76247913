import { badEntry } from './failures.ts';

/** Most bytes that a service seals a data key in: AWS takes 6144. */
const mostBytes = 6144;

/** @throws TerminalError for what is not base64, of either alphabet. */
export function bytesOf(service: string, sealed: string): Buffer {
  const text = sealed.replace(/\s+/g, '');
  const isBase64 = /^(?:[A-Za-z0-9+/]+|[A-Za-z0-9_-]+)={0,2}$/.test(text);
  if (!isBase64 || text.length > (mostBytes * 4) / 3 + 4) {
    throw badEntry(service, 'enc of the entry is no base64');
  }
  // Node reads both alphabets.
  return Buffer.from(text, 'base64');
}
