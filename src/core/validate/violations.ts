import type { ErrorObject } from 'ajv';
import type { StructuralSchema } from '../../types/structural-schema.ts';
import { schemaOfField } from './defaults.ts';
import { fieldOf, itemOf, shapeOf } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';
import { isJsonObject } from './json-object.ts';
import { subdomainPattern } from './object-meta.ts';
import { pathOfField } from './unknown-fields.ts';

/** What a pattern demands, in words. A test holds that every pattern of our CRDs has some. */
export const patternsInWords: ReadonlyMap<string, string> = new Map([
  [
    '^[+-]?(0|(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$',
    'must be a duration with units of h, m, s or ms, such as "90s" or "1h30m"',
  ],
  [
    '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    'must be of lower case letters, digits and "-", with a letter or digit at both ends',
  ],
  [
    subdomainPattern,
    'must be of lower case letters, digits, "-" and ".", with a letter or digit at both ends',
  ],
  [
    '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$',
    'must be one word of letters, digits, "_", "," and ":" that begins with a letter',
  ],
  [
    '^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$',
    'must be a name of letters, digits, "-", "_" and ".", with or without a "domain/" before it',
  ],
]);

const formatsInWords: ReadonlyMap<string, string> = new Map([
  ['date-time', 'must be an RFC 3339 time such as "2030-12-20T00:00:00Z"'],
  ['int32', 'must be between -2147483648 and 2147483647'],
  ['int64', 'must be between -9007199254740991 and 9007199254740991'],
]);

/** An error of ajv as a problem of a field of `value`, which `schema` describes. */
export function violation(
  error: ErrorObject,
  value: unknown,
  schema: StructuralSchema,
): FieldProblem {
  const place = locate(value, schema, error.instancePath);
  const params: Record<string, unknown> = error.params;
  switch (error.keyword) {
    case 'required':
      return {
        path: fieldOf(place.path, String(params['missingProperty'])),
        message: 'is required',
      };
    case 'x-kubernetes-list-map-keys':
      return {
        path: itemOf(place.path, Number(params['index'])),
        message: `must have another ${String(params['keys'])} than item ${String(params['first'])}; got the same`,
      };
    case 'x-kubernetes-validations':
      return { path: place.path, message: String(params['rule']) };
    default:
      return {
        path: place.path,
        message: `${demand(error.keyword, params)}; got ${got(error.keyword, place.value, params)}`,
      };
  }
}

function demand(keyword: string, params: Record<string, unknown>): string {
  switch (keyword) {
    case 'type':
      return `must be ${typeInWords(params['type'])}`;
    case 'enum':
      return `must be one of ${quoted(params['allowedValues'])}`;
    case 'const':
      return `must be ${quoted([params['allowedValue']])}`;
    case 'pattern':
      return patternInWords(String(params['pattern']));
    case 'format':
      return (
        formatsInWords.get(String(params['format'])) ?? `must be a ${String(params['format'])}`
      );
    case 'minItems':
      return `must have at least ${counted(params['limit'], 'item')}`;
    case 'maxItems':
      return `must have at most ${counted(params['limit'], 'item')}`;
    case 'minLength':
      return `must have at least ${counted(params['limit'], 'character')}`;
    case 'maxLength':
      return `must have at most ${counted(params['limit'], 'character')}`;
    case 'minimum':
      return `must be at least ${String(params['limit'])}`;
    case 'maximum':
      return `must be at most ${String(params['limit'])}`;
    case 'uniqueItems':
      return 'must not have equal items';
    default:
      return `must satisfy ${keyword}`;
  }
}

function counted(limit: unknown, noun: string): string {
  return limit === 1 ? `1 ${noun}` : `${String(limit)} ${noun}s`;
}

/** The shape of what is there, and the slip that is behind it where one can tell. */
function got(keyword: string, value: unknown, params: Record<string, unknown>): string {
  // Of a number that is out of range, the number itself helps, and it is no secret.
  if ((keyword === 'minimum' || keyword === 'maximum') && typeof value === 'number') {
    return String(value);
  }
  const shape = shapeOf(value);
  if (keyword === 'type' && params['type'] === 'string' && isBareScalar(value)) {
    return `${shape} (put it in quotes)`;
  }
  return keyword === 'enum' && differsInCaseOnly(value, params['allowedValues'])
    ? `${shape} that differs in upper and lower case`
    : shape;
}

function isBareScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

function differsInCaseOnly(value: unknown, allowed: unknown): boolean {
  if (typeof value !== 'string' || !Array.isArray(allowed)) return false;
  return allowed.some((item) => String(item).toLowerCase() === value.toLowerCase());
}

function patternInWords(pattern: string): string {
  return patternsInWords.get(pattern) ?? `must match ${pattern}`;
}

function typeInWords(type: unknown): string {
  const types = Array.isArray(type) ? type.map(String) : [String(type)];
  return types.map(withArticle).join(' or ');
}

function withArticle(type: string): string {
  if (type === 'null') return 'null';
  if (type === 'array') return 'a list';
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function quoted(values: unknown): string {
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)).join(', ') : '';
}

interface Place {
  readonly path: string;
  readonly value: unknown;
}

/** Follows a JSON pointer (RFC 6901) and notes the way in the style of Kubernetes. */
function locate(value: unknown, schema: StructuralSchema, pointer: string): Place {
  const segments = pointer.split('/').slice(1).map(unescape);
  let place: Place = { path: '', value };
  let here: StructuralSchema = schema;
  for (const segment of segments) {
    if (Array.isArray(place.value)) {
      const index = Number(segment);
      place = { path: itemOf(place.path, index), value: place.value[index] };
      here = here.items ?? {};
    } else if (isJsonObject(place.value)) {
      place = { path: pathOfField(here, place.path, segment), value: place.value[segment] };
      here = schemaOfField(here, segment) ?? {};
    }
  }
  return place;
}

function unescape(segment: string): string {
  return segment.replaceAll('~1', '/').replaceAll('~0', '~');
}
