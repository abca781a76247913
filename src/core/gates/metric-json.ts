/** Levels of brackets and braces; what a number is read out of has few. */
const deepest = 64;

/** Items and fields: the time that a search takes grows with them. */
const mostValues = 20_000;

export type ParsedJson =
  | { readonly kind: 'Json'; readonly json: unknown }
  /** A clause about the text, without it. */
  | { readonly kind: 'Problem'; readonly problem: string };

/** A JSON text of a stranger; what is in it is counted before anything is made of it. */
export function parseMetricJson(text: string): ParsedJson {
  const excess = excessOf(text);
  if (excess !== undefined) return { kind: 'Problem', problem: excess };
  try {
    return { kind: 'Json', json: JSON.parse(text) as unknown };
  } catch {
    return { kind: 'Problem', problem: text.trim() === '' ? 'is empty' : 'is no JSON' };
  }
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const opening: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const closing: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** A clause about a text that has too much in it. */
function excessOf(text: string): string | undefined {
  let depth = 0;
  let values = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === backslash) at += 1;
      else if (code === quote) quoted = false;
    } else if (code === quote) quoted = true;
    else if (code === comma) values += 1;
    else if (closing.has(code)) depth -= 1;
    else if (opening.has(code)) {
      depth += 1;
      values += 1;
    }
    if (depth > deepest) return `is nested deeper than ${deepest} levels`;
    if (values > mostValues) return `has more than ${mostValues} values in it; serve a shorter one`;
  }
  return undefined;
}
