import { shapeOf } from './field-path.ts';

/**
 * Why nobody is sent to a URL, as far as its text tells; undefined when somebody may be. Where its
 * host leads is checked when it is called.
 *
 * @param secretField where a credential belongs instead
 */
export function urlProblem(text: string, secretField: string): string | undefined {
  if (!URL.canParse(text)) return `is ${shapeOf(text)} that is no URL; give https://host/path`;
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return 'must be an http or https URL';
  if (username === '' && password === '') return undefined;
  return `has credentials in it; put them into a Secret and name it in ${secretField}`;
}
