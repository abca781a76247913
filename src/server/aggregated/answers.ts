import type { Response } from 'express';
import { blockYaml } from '../../core/objects/block-yaml.ts';
import { stringify } from '../../core/objects/yaml.ts';
import { isJsonObject } from '../../core/validate/json-object.ts';
import type { KubernetesObject } from '../../types/kubernetes.ts';
import { type Form, formOf } from './media-type.ts';
import type { ApiAnswer } from './resource.ts';
import type { StatusError } from './status-error.ts';
import { type IncludeObject, type Row, renderTable, type Table } from './table.ts';

/** How the caller wants to read the answer. */
export interface Reading {
  readonly form: Form;
  readonly pretty: boolean;
  readonly includeObject: IncludeObject;
}

const mostWarnings = 20;
const longestWarning = 512;

/** Sends what a handler answered. */
export function sendAnswer(
  response: Response,
  answer: ApiAnswer,
  verb: string,
  reading: Reading,
): void {
  sendWarnings(response, answer.warnings ?? []);
  response.status(answer.code ?? (verb === 'create' ? 201 : 200));
  switch (reading.form) {
    case 'Text':
      if (answer.text === undefined) sendObject(response, answer.object, 'Json', reading.pretty);
      else sendBody(response, 'text/plain; charset=utf-8', answer.text);
      break;
    case 'Table': {
      const table = answer.table ?? plainTable(answer.object);
      sendObject(response, renderTable(table, reading.includeObject), 'Json', reading.pretty);
      break;
    }
    case 'Json':
    case 'Yaml':
      sendObject(response, answer.object, reading.form, reading.pretty);
      break;
  }
}

/** Sends a failure as a Status, in a form that the caller reads where there is one. */
export function sendFailure(
  response: Response,
  error: StatusError,
  accept: string | undefined,
  pretty: boolean,
): void {
  const retryAfter = error.details?.retryAfterSeconds;
  if (retryAfter !== undefined) response.set('Retry-After', String(retryAfter));
  if (error.code === 401) response.set('WWW-Authenticate', 'Bearer realm="kubernetes"');
  response.status(error.code);
  sendObject(response, error.toStatus(), formOfFailure(accept), pretty);
}

/** Sends one of the documents that are the same for everybody. */
export function sendDocument(response: Response, type: string, body: string): void {
  sendBody(response.status(200), type, body);
}

function formOfFailure(accept: string | undefined): 'Json' | 'Yaml' {
  try {
    return formOf(accept, undefined) === 'Yaml' ? 'Yaml' : 'Json';
  } catch {
    return 'Json';
  }
}

function sendObject(
  response: Response,
  object: object,
  form: 'Json' | 'Yaml',
  pretty: boolean,
): void {
  if (form === 'Yaml') sendBody(response, 'application/yaml', yamlOf(object));
  else {
    const text = pretty ? JSON.stringify(object, null, 2) : JSON.stringify(object);
    sendBody(response, 'application/json', `${text}\n`);
  }
}

function yamlOf(object: object): string {
  // What JSON leaves out is left out here too.
  const plain: unknown = JSON.parse(JSON.stringify(object));
  const text = blockYaml(plain);
  return text === undefined ? stringify([plain]) : text.replace(/\n*$/, '\n').replace(/^\n+/, '');
}

/** Express would add a charset to JSON, and compute an ETag. */
function sendBody(response: Response, type: string, text: string): void {
  const body = Buffer.from(text, 'utf8');
  response.setHeader('Content-Type', type);
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

/** RFC 9111 5.5 as Kubernetes uses it: code 299, nobody as the agent. */
function sendWarnings(response: Response, warnings: readonly string[]): void {
  const lines = warnings.slice(0, mostWarnings).map((warning) => {
    const text = warning.slice(0, longestWarning).replace(/[^\x20-\x7e]/g, '?');
    return `299 - "${text.replace(/["\\]/g, '\\$&')}"`;
  });
  if (lines.length > 0) response.setHeader('Warning', lines);
}

/** Names and ages, as the API server prints a kind that it has no columns for. */
function plainTable(object: object): Table {
  const items = 'items' in object && Array.isArray(object.items) ? object.items : [object];
  return {
    columns: [
      {
        name: 'Name',
        type: 'string',
        format: 'name',
        description: 'Name of the object.',
        priority: 0,
      },
      { name: 'Created At', type: 'date', description: 'When it was created.', priority: 0 },
    ],
    rows: items.flatMap((item: unknown) => plainRow(item)),
    ...('metadata' in object && isJsonObject(object.metadata) && 'items' in object
      ? { metadata: object.metadata }
      : {}),
  };
}

function plainRow(item: unknown): Row[] {
  if (!isNamed(item)) return [];
  const { name, creationTimestamp } = item.metadata;
  return [{ cells: [name, creationTimestamp ?? null], object: item }];
}

function isNamed(value: unknown): value is KubernetesObject {
  if (!isJsonObject(value)) return false;
  const { metadata } = value;
  return isJsonObject(metadata) && typeof metadata['name'] === 'string';
}
