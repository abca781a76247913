import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { expect } from 'chai';
import type { Cluster } from '../../dev/cluster/cluster.ts';
import { isJsonObject } from '../../src/core/validate/json-object.ts';
import { validateResponse } from '../../src/server/aggregated/contract.ts';
import { contract } from '../../src/types/generated/subresources.stages.metio.wtf.v1.document.ts';

export const base = '/apis/subresources.stages.metio.wtf/v1';

const methods = ['get', 'post', 'put', 'patch'] as const;

/** One way in which one operation may answer, as the document lists it. */
interface DocumentedAnswer {
  readonly method: string;
  readonly path: string;
  /** `200`, or `default` for every failure. */
  readonly status: string;
  readonly type: string;
  /** Name of the schema; undefined for plain text. */
  readonly schema: string | undefined;
}

function documented(): DocumentedAnswer[] {
  return Object.entries(contract.paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const { responses } = objectOf(objectOf(item)[method]);
      return Object.entries(objectOf(responses)).flatMap(([status, response]) =>
        Object.entries(objectOf(resolved(response)['content'])).map(([type, media]) => ({
          method: method.toUpperCase(),
          path,
          status,
          type,
          schema: schemaName(objectOf(objectOf(media)['schema'])),
        })),
      );
    }),
  );
}

function objectOf(value: unknown): Record<string, unknown> {
  return isJsonObject(value) ? value : {};
}

/** A response, or what it refers to. */
function resolved(response: unknown): Record<string, unknown> {
  const { $ref: reference } = objectOf(response);
  if (typeof reference !== 'string') return objectOf(response);
  return objectOf(contract.components.responses[reference.split('/').at(-1) ?? '']);
}

function schemaName({ $ref: reference }: Record<string, unknown>): string | undefined {
  return typeof reference === 'string' ? reference.split('/').at(-1) : undefined;
}

export interface Asked {
  readonly method?: string;
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly body?: unknown;
  readonly accept?: string;
  readonly contentType?: string;
}

export interface Answered {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** The text as JSON; undefined where it is none. */
  readonly json: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/**
 * Calls the API as kube-apiserver does, looks up in the document what the answer must be like, and
 * notes which of the documented answers there have been.
 */
export class DocumentedApi {
  readonly #origin: { readonly port: number; readonly cert: string; readonly key: string };
  readonly #documented = documented();
  readonly #seen = new Set<DocumentedAnswer>();

  private constructor(origin: { port: number; cert: string; key: string }) {
    this.#origin = origin;
  }

  static async of({ frontProxyClient }: Cluster, port: number): Promise<DocumentedApi> {
    const cert = await readFile(frontProxyClient.certificate, 'utf8');
    const key = await readFile(frontProxyClient.privateKey, 'utf8');
    return new DocumentedApi({ port, cert, key });
  }

  /** Documented answers that nobody has got yet, one line each. */
  get missing(): string[] {
    return this.#documented
      .filter((answer) => !this.#seen.has(answer))
      .map(({ method, path, status, type }) => `${method} ${path} ${status} ${type}`);
  }

  /** Documented operations, as `METHOD path`. */
  get operations(): string[] {
    return [...new Set(this.#documented.map(({ method, path }) => `${method} ${path}`))];
  }

  /** An answer of this status that is as the document says; a Table is not in it, but on its own. */
  async expect(status: number, url: string, asked: Asked = {}): Promise<Answered> {
    const answer = await this.ask(url, asked);
    const what = `${asked.method ?? 'GET'} ${url}: ${answer.status} ${answer.text}`;
    expect(answer.status, what).to.equal(status);
    if (objectOf(answer.json)['kind'] === 'Table') expectTable(answer.json, what);
    else this.#expectDocumented(answer, url, asked, what);
    return answer;
  }

  async ask(url: string, asked: Asked = {}): Promise<Answered> {
    const { method = 'GET', body, accept = 'application/json', contentType } = asked;
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const headers = {
      accept,
      'x-remote-user': asked.user ?? 'admin',
      'x-remote-group': [...(asked.groups ?? ['system:masters']), 'system:authenticated'],
      ...(text === undefined
        ? {}
        : { 'content-type': contentType ?? 'application/json', 'content-length': text.length }),
    };
    return await new Promise((resolve, reject) => {
      const sent = request(
        {
          ...this.#origin,
          host: '127.0.0.1',
          path: url,
          method,
          headers,
          rejectUnauthorized: false,
        },
        (answer) => {
          let got = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => (got += chunk));
          answer.once('error', reject);
          answer.once('end', () => {
            const type = answer.headers['content-type']?.split(';')[0] ?? '';
            const json: unknown = type === 'application/json' ? JSON.parse(got) : undefined;
            const { statusCode: status = 0, headers: sentBack } = answer;
            resolve({ status, type, text: got, json, headers: sentBack });
          });
        },
      );
      sent.once('error', reject);
      sent.end(text);
    });
  }

  #expectDocumented(
    { status, type, json }: Answered,
    url: string,
    asked: Asked,
    what: string,
  ): void {
    const path = url.split('?')[0] ?? '';
    const known = this.#documented.filter(
      (one) => one.method === (asked.method ?? 'GET') && matches(one.path, path),
    );
    const exact = known.filter((one) => one.status === String(status));
    const found = (exact.length > 0 ? exact : known.filter((one) => one.status === 'default')).find(
      (one) => one.type === type,
    );
    if (found === undefined) throw new Error(`not in the document: ${what} (${type})`);
    // A success that is documented nowhere would pass for a failure.
    expect(found.status === 'default', what).to.equal(status >= 400);
    if (found.schema !== undefined) {
      expect(validateResponse(found.schema, json), what).to.deep.equal([]);
    }
    if (found.status === 'default')
      expect(json, what).to.deep.include({ status: 'Failure', code: status });
    this.#seen.add(found);
  }
}

/** `{name}` stands for one segment. */
function matches(template: string, path: string): boolean {
  const [wanted, given] = [template.split('/'), path.split('/')];
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => segment.startsWith('{') || segment === given[index])
  );
}

/** `meta.k8s.io/v1` Table: each row has a cell for each column, and says whose it is. */
function expectTable(table: unknown, what: string): void {
  const { apiVersion, columnDefinitions, rows } = objectOf(table);
  expect(apiVersion, what).to.equal('meta.k8s.io/v1');
  if (!Array.isArray(columnDefinitions) || !Array.isArray(rows)) throw new Error(what);
  for (const column of columnDefinitions) {
    expect(objectOf(column), what).to.include.all.keys(
      'name',
      'type',
      'format',
      'description',
      'priority',
    );
  }
  for (const row of rows) {
    const { cells, object } = objectOf(row);
    expect(cells, what).to.have.length(columnDefinitions.length);
    expect(objectOf(object)['kind'], what).to.equal('PartialObjectMetadata');
  }
}
