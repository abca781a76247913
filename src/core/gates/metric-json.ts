/** Levels of brackets and braces; what a number is read out of has few. */
const deepest = 64;

export type ParsedJson =
  | { readonly kind: 'Json'; readonly json: unknown }
  /** A clause about the text, without it. */
  | { readonly kind: 'Problem'; readonly problem: string };

/** A JSON text of a stranger; its depth is counted before anything is made of it. */
export function parseMetricJson(text: string): ParsedJson {
  if (isDeep(text)) {
    return { kind: 'Problem', problem: `is nested deeper than ${deepest} levels` };
  }
  try {
    return { kind: 'Json', json: JSON.parse(text) as unknown };
  } catch {
    return { kind: 'Problem', problem: text.trim() === '' ? 'is empty' : 'is no JSON' };
  }
}

const quote = 0x22;
const backslash = 0x5c;
const opening: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closing: ReadonlySet<number> = new Set([0x5d, 0x7d]);

function isDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === backslash) at += 1;
      else if (code === quote) quoted = false;
    } else if (code === quote) quoted = true;
    else if (opening.has(code)) {
      depth += 1;
      if (depth > deepest) return true;
    } else if (closing.has(code)) depth -= 1;
  }
  return false;
}
