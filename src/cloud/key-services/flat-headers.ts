import type { IncomingHttpHeaders } from 'node:http';

/** Headers of an answer as SDKs take them, one text each; names in lower case. */
export function flatHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, [value].flat().join(', ')] as const],
    ),
  );
}
