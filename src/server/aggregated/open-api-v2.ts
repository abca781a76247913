import { isJsonObject } from '../../core/validate/json-object.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import type { OpenApiDocument } from '../../types/open-api.ts';

/** Before each definition: kube-apiserver merges the documents of all servers into one. */
const prefix = 'wtf.metio.stages.subresources.v1.';

const methods = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch']);

/** The same contract as OpenAPI 2.0 (`swagger`), which kube-apiserver merges into its own. */
export function toOpenApiV2(document: OpenApiDocument): JsonObject {
  const { components, info, paths } = document;
  const conversion = new Conversion(document);
  return {
    swagger: '2.0',
    info,
    paths: mapValues(paths, (item) => conversion.pathItem(item)),
    definitions: Object.fromEntries(
      Object.entries(components.schemas).map(([name, schema]) => [
        prefix + name,
        conversion.schema(schema),
      ]),
    ),
  };
}

class Conversion {
  readonly #document: OpenApiDocument;

  constructor(document: OpenApiDocument) {
    this.#document = document;
  }

  pathItem(item: JsonObject): JsonObject {
    return mapValues(item, (value, key) => {
      if (key === 'parameters') return this.#parameters(value);
      return methods.has(key) && isJsonObject(value) ? this.#operation(value) : value;
    });
  }

  /** References lead to definitions, and `nullable` has another name. */
  schema(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item: unknown) => this.schema(item));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => {
        if (key === '$ref' && typeof inner === 'string') {
          return [key, inner.replace('#/components/schemas/', `#/definitions/${prefix}`)];
        }
        const isKeyword = key === 'nullable' && typeof inner === 'boolean';
        return [isKeyword ? 'x-nullable' : key, this.schema(inner)];
      }),
    );
  }

  #operation(operation: JsonObject): JsonObject {
    const { parameters, requestBody, responses, ...rest } = operation;
    const body = isJsonObject(requestBody) ? requestBody : undefined;
    const all = [
      ...this.#parameters(parameters ?? []),
      ...(body === undefined ? [] : [this.#bodyParameter(body)]),
    ];
    const answers = isJsonObject(responses) ? Object.entries(responses) : [];
    const resolved = answers.map(([code, answer]): [string, JsonObject] => [
      code,
      this.#resolved(answer),
    ]);
    return {
      ...rest,
      ...(all.length === 0 ? {} : { parameters: all }),
      ...(body === undefined ? {} : { consumes: mediaTypes(body) }),
      produces: [...new Set(resolved.flatMap(([, answer]) => mediaTypes(answer)))],
      responses: Object.fromEntries(
        resolved.map(([code, answer]) => [
          code,
          { description: answer['description'] ?? '', ...this.#content(answer) },
        ]),
      ),
    };
  }

  #parameters(parameters: unknown): JsonObject[] {
    return Array.isArray(parameters)
      ? parameters.map((parameter) => this.#parameter(this.#resolved(parameter)))
      : [];
  }

  #parameter(parameter: JsonObject): JsonObject {
    const { name, in: place, required, description } = parameter;
    // Below a parameter, OpenAPI 2.0 knows no references.
    const { type, format, items, enum: allowed } = this.#resolved(parameter['schema']);
    const optional = { required, description, format, items, enum: allowed };
    return {
      name,
      in: place,
      type,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
      ...(type === 'array' ? { collectionFormat: 'multi' } : {}),
    };
  }

  #bodyParameter(body: JsonObject): JsonObject {
    return {
      name: 'body',
      in: 'body',
      required: body['required'] === true,
      ...this.#content(body),
    };
  }

  /** The schema of the first content; plain text beside it has none in OpenAPI 2.0. */
  #content(holder: JsonObject): JsonObject {
    const { content } = holder;
    const [first] = isJsonObject(content) ? Object.values(content) : [];
    return isJsonObject(first) ? { schema: this.schema(first['schema']) } : {};
  }

  /** What a reference stands for. */
  #resolved(value: unknown): JsonObject {
    if (!isJsonObject(value)) return {};
    const { $ref: reference } = value;
    if (typeof reference !== 'string') return value;
    let found: unknown = this.#document;
    for (const step of reference.replace('#/', '').split('/')) {
      found = isJsonObject(found) ? found[step] : undefined;
    }
    if (!isJsonObject(found)) throw new Error(`the contract has nothing at ${reference}`);
    return found;
  }
}

function mediaTypes({ content }: JsonObject): string[] {
  return isJsonObject(content) ? Object.keys(content) : [];
}

function mapValues(
  object: Readonly<Record<string, JsonObject>> | JsonObject,
  change: (value: JsonObject, key: string) => unknown,
): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, change(value as JsonObject, key)]),
  );
}
