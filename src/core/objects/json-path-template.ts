import type { Problem } from '../problem.ts';
import { shapeOf } from '../validate/field-path.ts';
import { compileJsonPath, type Segment } from './json-path.ts';
import { valuesAt } from './json-path-values.ts';

/** Text that stands for itself, or a path. */
export type TemplatePart = string | { readonly segments: readonly Segment[] };

/** Characters. */
const longest = 1024;

/**
 * Reads a template as `kubectl get -o jsonpath` takes it: paths in braces, and text before, between and
 * behind them, as in `v{.spec.major}.{.spec.minor}`. A text without braces is one path. There are no
 * loops (`range`).
 */
export function parseTemplate(text: string): readonly TemplatePart[] | Problem {
  if (text.length > longest) return { problem: `is longer than ${longest} characters; shorten it` };
  const bare = text.trim();
  if (bare === '') return [];
  const pieces = bare.includes('{') ? piecesOf(text) : [`{${bare}}`];
  if (pieces === undefined) return { problem: 'has a "{" that is not closed' };
  const parts: TemplatePart[] = [];
  for (const piece of pieces) {
    if (!piece.startsWith('{')) {
      parts.push(piece);
      continue;
    }
    if (/^\{\s*(?:range|end)\b/.test(piece)) {
      return { problem: 'has a loop (range), which is not supported; name the value itself' };
    }
    const path = compileJsonPath(piece);
    if (path.kind === 'Problem') return { problem: path.problem };
    parts.push(path);
  }
  return parts;
}

/** Texts, and paths with their braces; a brace in quotes is text. Undefined where one is not closed. */
function piecesOf(text: string): string[] | undefined {
  const pieces = text.match(/[^{]+|\{(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^}"'])*\}/g) ?? [];
  return pieces.join('') === text ? pieces : undefined;
}

/**
 * What a template says of a JSON document: its texts, and what its paths lead to. Each path must lead
 * to one text, number or boolean.
 */
export function textAt(parts: readonly TemplatePart[], document: unknown): string | Problem {
  let text = '';
  for (const part of parts) {
    const piece = typeof part === 'string' ? part : pieceAt(part.segments, document);
    if (typeof piece !== 'string') return piece;
    text += piece;
  }
  return text;
}

function pieceAt(segments: readonly Segment[], document: unknown): string | Problem {
  const found = valuesAt(segments, document);
  if (found.kind === 'TooMany') return { problem: 'is too much to look for; name the fields' };
  const [value, ...more] = found.values;
  // The backslash is easily forgotten in names such as app.kubernetes.io/version.
  if (value === undefined) {
    return { problem: 'leads to nothing; write \\. for a dot that belongs to a name' };
  }
  if (more.length > 0)
    return { problem: `leads to ${more.length + 1} values; make it lead to one` };
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return { problem: `leads to ${shapeOf(value)} and not to text` };
}
