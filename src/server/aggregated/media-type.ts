import { StatusError } from './status-error.ts';

/** How an answer is written. */
export type Form = 'Json' | 'Yaml' | 'Table' | 'Text';

/** A body's format; `MergePatch` is JSON (RFC 7386). */
export type BodyForm = 'Json' | 'Yaml' | 'MergePatch';

/** One media range with its parameters, names in lower case. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** 0 to 1. */
  readonly weight: number;
}

const mostRanges = 32;
const longestHeader = 4 * 1024;

/**
 * The ranges of an Accept header, the most wanted first (RFC 9110 12.5.1); no header is one that
 * takes anything. A range that cannot be read is left out.
 */
export function parseAccept(header: string | undefined): MediaRange[] {
  if (header === undefined || header.trim() === '') return [anything];
  if (header.length > longestHeader) return [];
  const ranges = header.split(',', mostRanges).flatMap((text) => parseRange(text) ?? []);
  return ranges.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight);
}

/** One media type with its parameters, such as a Content-Type; undefined when it is none. */
function parseRange(text: string): MediaRange | undefined {
  const [type = '', ...rest] = text.split(';').map((part) => part.trim());
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return undefined;
  const parameters = new Map(rest.map(parameterOf));
  const weight = Number(parameters.get('q') ?? 1);
  parameters.delete('q');
  return {
    type: type.toLowerCase(),
    parameters,
    weight: Number.isFinite(weight) && weight >= 0 && weight <= 1 ? weight : 0,
  };
}

const anything: MediaRange = { type: '*/*', parameters: new Map(), weight: 1 };

function parameterOf(text: string): [string, string] {
  const [name = '', ...value] = text.split('=');
  return [
    name.trim().toLowerCase(),
    value
      .join('=')
      .trim()
      .replace(/^"(.*)"$/, '$1'),
  ];
}

const formsOffered = ['application/json', 'application/yaml'] as const;

/**
 * How the caller wants an answer about objects. Protobuf, CBOR and other views than the Table of
 * meta.k8s.io/v1 are passed over, so that clients that offer JSON beside them get that.
 *
 * @param output the query parameter of that name, where it is `text`
 * @throws StatusError 406 when nothing that the caller takes is there
 */
export function formOf(accept: string | undefined, output: 'text' | undefined): Form {
  if (output === 'text') return 'Text';
  for (const range of parseAccept(accept)) {
    const form = formOfRange(range);
    if (form !== undefined) return form;
  }
  throw StatusError.notAcceptable(formsOffered);
}

function formOfRange({ type, parameters }: MediaRange): Form | undefined {
  const view = parameters.get('as');
  const written = writtenAs(type);
  if (view === undefined || view === '') return written;
  const isTable =
    view === 'Table' &&
    parameters.get('g') === 'meta.k8s.io' &&
    parameters.get('v') === 'v1' &&
    written === 'Json';
  return isTable ? 'Table' : undefined;
}

function writtenAs(type: string): 'Json' | 'Yaml' | undefined {
  switch (type) {
    case '*/*':
    case 'application/*':
    case 'application/json':
      return 'Json';
    case 'application/yaml':
      return 'Yaml';
    default:
      return undefined;
  }
}

/**
 * The format of a body. `kubectl create --raw` sends no content type and means JSON.
 * @throws StatusError 415
 */
export function bodyFormOf(contentType: string | undefined, method: string): BodyForm {
  const offered = method === 'PATCH' ? patchTypes : objectTypes;
  if (contentType === undefined || contentType.trim() === '') {
    if (method !== 'PATCH') return 'Json';
    throw StatusError.unsupportedMediaType([...offered.keys()]);
  }
  const range = parseRange(contentType);
  const form = range === undefined ? undefined : offered.get(range.type);
  const charset = range?.parameters.get('charset')?.toLowerCase() ?? 'utf-8';
  if (form === undefined || (charset !== 'utf-8' && charset !== 'utf8')) {
    throw StatusError.unsupportedMediaType([...offered.keys()]);
  }
  return form;
}

const objectTypes: ReadonlyMap<string, BodyForm> = new Map([
  ['application/json', 'Json'],
  ['application/yaml', 'Yaml'],
]);
const patchTypes: ReadonlyMap<string, BodyForm> = new Map([
  ['application/merge-patch+json', 'MergePatch'],
]);
