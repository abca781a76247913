/**
 * Whether a host name matches a glob of `--allowed-action-hosts`: `*` is any text, dots included, `?`
 * is one character, `[abc]` and `[a-z]` one of several, `[^a-z]` any other. Both are in lower case, as
 * a parsed URL has its host; a trailing dot of either does not count (part A 7.3).
 */
export function matchesHost(pattern: string, host: string): boolean {
  return expressionFor(pattern.replace(/\.$/, '')).test(host.replace(/\.$/, ''));
}

/** Why a text is no such glob; undefined when it is one. */
export function patternProblem(pattern: string): string | undefined {
  if (pattern === '') return 'is empty';
  if (pattern.includes('/') || pattern.includes(':')) {
    return 'has a scheme, a path or a port; give the host alone';
  }
  try {
    expressionFor(pattern);
    return undefined;
  } catch {
    return 'has brackets that are not closed, or have no set of characters in them';
  }
}

/** @throws SyntaxError for brackets that make no set. */
function expressionFor(pattern: string): RegExp {
  const source = pattern.replace(/\[[^\]]*\]|[\s\S]/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 1) return setFor(part.slice(1, -1));
    if (part === '[') throw new SyntaxError('a bracket is not closed');
    return part.replace(/[.+^${}()|\]\\]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 's');
}

function setFor(inside: string): string {
  const others = inside.startsWith('^');
  const set = others ? inside.slice(1) : inside;
  if (set === '') throw new SyntaxError('a set is empty');
  return `[${others ? '^' : ''}${set.replace(/[\\^]/g, '\\$&')}]`;
}
