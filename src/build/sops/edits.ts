import type { Range } from './tree.ts';

/** A stretch of a text that gets other content. */
export interface Edit extends Range {
  readonly text: string | Uint8Array;
}

/**
 * The text with edits made. All else stays as it is: what SOPS has written then is what it would
 * write, and what people have written keeps their style. Of edits that overlap, the first one counts.
 */
export function edited(text: string, edits: readonly Edit[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const edit of [...edits].sort((one, other) => one.start - other.start)) {
    if (edit.start < at) continue;
    parts.push(Buffer.from(text.slice(at, edit.start), 'utf8'));
    parts.push(typeof edit.text === 'string' ? Buffer.from(edit.text, 'utf8') : edit.text);
    at = edit.end;
  }
  parts.push(Buffer.from(text.slice(at), 'utf8'));
  return Buffer.concat(parts);
}
