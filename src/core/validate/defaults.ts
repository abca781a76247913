import type { JsonObject } from '../../types/kubernetes.ts';
import type { StructuralSchema } from '../../types/structural-schema.ts';
import { isJsonObject } from './json-object.ts';

/**
 * A copy of a value with defaults applied as an API server applies them on the way in: absent
 * fields of objects that are present get their default, a null that is not allowed counts as
 * absent. What does not fit the schema stays as it is, for the validator to name.
 */
export function withDefaults(value: unknown, schema: StructuralSchema): unknown {
  if (Array.isArray(value)) return listWithDefaults(value, schema);
  return isJsonObject(value) ? objectWithDefaults(value, schema) : value;
}

function listWithDefaults(list: readonly unknown[], schema: StructuralSchema): unknown[] {
  const { items } = schema;
  return items === undefined ? [...list] : list.map((item) => withDefaults(item, items));
}

function objectWithDefaults(object: JsonObject, schema: StructuralSchema): JsonObject {
  const fields = Object.entries(object).flatMap(([name, value]): [string, unknown][] => {
    const field = schemaOfField(schema, name);
    if (field === undefined) return [[name, value]];
    return isStrayNull(value, field) ? [] : [[name, withDefaults(value, field)]];
  });
  const present = new Set(fields.map(([name]) => name));
  const defaults = Object.entries(schema.properties ?? {}).filter(
    ([name, field]) => field.default !== undefined && !present.has(name),
  );
  return Object.fromEntries([
    ...fields,
    ...defaults.map(([name, field]): [string, unknown] => [name, structuredClone(field.default)]),
  ]);
}

/** The schema of a field of an object, be it named or an entry of a map. */
export function schemaOfField(
  schema: StructuralSchema,
  name: string,
): StructuralSchema | undefined {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

/** The API server drops such a null; Go clients write them for empty pointers. */
function isStrayNull(value: unknown, schema: StructuralSchema): boolean {
  return value === null && schema.nullable !== true;
}
