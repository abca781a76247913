/** Most wildcards of one alternative: each more makes matching slower by a power. */
const maxWildcards = 2;

/**
 * What a pattern of a patch's target matches, as kustomize has it: a regular expression of Go's for
 * the whole text, the empty one for every text. Patterns of letters, digits, `.`, `.*` and
 * alternatives are understood, which is what people write; every other one is said to match anything.
 */
export function patternMatcher(pattern: string | undefined): (text: string) => boolean {
  if (pattern === undefined || pattern === '') return () => true;
  const understood = pattern
    .split('|')
    .every(
      (alternative) =>
        /^(?:[A-Za-z0-9_./-]|\.\*)*$/.test(alternative) &&
        (alternative.match(/\.\*/g) ?? []).length <= maxWildcards,
    );
  if (!understood) return () => true;
  const expression = new RegExp(`^(?:${pattern})$`);
  return (text) => expression.test(text);
}
