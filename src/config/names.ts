import { isSubdomain } from '../core/validate/object-meta.ts';
import { type GivenValue, refuse } from './values.ts';

/** RFC 1123 label, which is what a namespace's name must be. */
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** A namespace's name. */
export function readNamespace(given: GivenValue): string {
  if (!label.test(given.text)) {
    throw refuse(
      given,
      'the name of a namespace: at most 63 of a-z, 0-9 and -, such as flux-system',
    );
  }
  return given.text;
}

/** An object's name; undefined where none is given. */
export function readOptionalName(given: GivenValue): string | undefined {
  if (given.text.trim() === '') return undefined;
  if (!isSubdomain(given.text)) {
    throw refuse(given, 'the name of an object: at most 253 of a-z, 0-9, - and .');
  }
  return given.text;
}

/** A Service's name. */
export function readServiceName(given: GivenValue): string {
  if (!label.test(given.text)) {
    throw refuse(given, 'the name of a Service: at most 63 of a-z, 0-9 and -');
  }
  return given.text;
}

/**
 * A comma list of namespaces, without repetitions, in the order given; a blank text is an empty
 * list. An empty entry is refused: `a,,b` and `,` come from templates that lost a value, and to
 * watch more than was meant is the worse mistake.
 */
export function readNamespaces(given: GivenValue): readonly string[] {
  if (given.text.trim() === '') return [];
  const names = given.text.split(',').map((name) => name.trim());
  if (!names.every((name) => label.test(name))) {
    throw refuse(given, 'names of namespaces with commas between them, such as team-a,team-b');
  }
  return [...new Set(names)];
}
