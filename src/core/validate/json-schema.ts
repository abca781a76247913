import type { StructuralSchema } from '../../types/structural-schema.ts';
import { objectMetaSchema } from './object-meta.ts';

/** A JSON Schema (draft 7) for ajv, with our own keywords. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** What an object must say that it is. */
export interface Identity {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Keywords of JSON Schema that mean the same in a structural schema. */
const sameMeaning = [
  'required',
  'enum',
  'pattern',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minimum',
  'maximum',
] as const satisfies readonly (keyof StructuralSchema)[];

/** The JSON Schema of a whole custom resource: its CRD, its identity, and usable metadata. */
export function resourceJsonSchema(schema: StructuralSchema, identity: Identity): JsonSchema {
  const { properties, ...rest } = toJsonSchema(schema);
  return {
    ...rest,
    required: ['apiVersion', 'kind', 'metadata'],
    properties: {
      ...(properties as JsonSchema | undefined),
      apiVersion: { const: identity.apiVersion },
      kind: { const: identity.kind },
      metadata: toJsonSchema(objectMetaSchema),
    },
  };
}

/**
 * A structural schema (apiextensions.k8s.io/v1) as JSON Schema. Unknown fields are let pass, as they
 * are to be carried. `x-kubernetes-validations` and the keys of list-maps keep their names: they are
 * keywords of our ajv (keywords.ts).
 */
export function toJsonSchema(schema: StructuralSchema): JsonSchema {
  const { items, additionalProperties } = schema;
  return {
    ...typeKeywords(schema),
    ...Object.fromEntries(
      sameMeaning.flatMap((keyword) =>
        schema[keyword] === undefined ? [] : [[keyword, schema[keyword]]],
      ),
    ),
    ...objectKeywords(schema),
    ...(items === undefined ? {} : { items: toJsonSchema(items) }),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: toJsonSchema(additionalProperties) }
      : {}),
    ...listKeywords(schema),
    ...(schema['x-kubernetes-validations'] === undefined
      ? {}
      : { 'x-kubernetes-validations': schema['x-kubernetes-validations'] }),
  };
}

function typeKeywords(schema: StructuralSchema): JsonSchema {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return { type: nullableType(['integer', 'string'], schema), format: 'int64' };
  }
  if (schema.type === undefined) return {};
  const type = { type: nullableType([schema.type], schema) };
  // An integer without format is an int64 in Go; beyond 2^53 a JavaScript number is not exact.
  const format = schema.format ?? (schema.type === 'integer' ? 'int64' : undefined);
  return format === undefined ? type : { ...type, format };
}

function nullableType(types: readonly string[], schema: StructuralSchema): string | string[] {
  const all = schema.nullable === true ? [...types, 'null'] : [...types];
  const [only] = all;
  return only !== undefined && all.length === 1 ? only : all;
}

function objectKeywords(schema: StructuralSchema): JsonSchema {
  const properties = Object.fromEntries(
    Object.entries(schema.properties ?? {}).map(([name, field]) => [name, toJsonSchema(field)]),
  );
  if (schema['x-kubernetes-embedded-resource'] === true) {
    return {
      required: [...new Set([...(schema.required ?? []), 'apiVersion', 'kind'])],
      properties: {
        ...properties,
        apiVersion: { type: 'string', minLength: 1 },
        kind: { type: 'string', minLength: 1 },
        metadata: { type: 'object' },
      },
    };
  }
  return schema.properties === undefined ? {} : { properties };
}

function listKeywords(schema: StructuralSchema): JsonSchema {
  const keys = schema['x-kubernetes-list-map-keys'];
  if (schema['x-kubernetes-list-type'] === 'map' && keys !== undefined) {
    return { 'x-kubernetes-list-map-keys': keys };
  }
  return schema['x-kubernetes-list-type'] === 'set' ? { uniqueItems: true } : {};
}
