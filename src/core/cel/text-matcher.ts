import { parseCel } from './library.ts';

/**
 * Tells whether a regular expression of Go's (RE2) is found in a text, in time that grows with the
 * text alone, whoever wrote the expression.
 *
 * @returns undefined when it is no such expression.
 */
export function textMatcher(pattern: string): ((text: string) => boolean) | undefined {
  const program = parseCel('text.matches(pattern)');
  if (!('evaluate' in program)) return undefined;
  const matches = (text: string): boolean | undefined => {
    const answer = program.evaluate({ text, pattern });
    return answer.kind === 'Bool' ? answer.value : undefined;
  };
  return matches('') === undefined ? undefined : (text) => matches(text) === true;
}
