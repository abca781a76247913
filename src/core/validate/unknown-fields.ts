import type { StructuralSchema } from '../../types/structural-schema.ts';
import { schemaOfField } from './defaults.ts';
import { entryOf, fieldOf, itemOf } from './field-path.ts';
import type { FieldProblem } from './field-problem.ts';
import { isJsonObject } from './json-object.ts';

/**
 * Fields that the schema does not know and an API server would therefore drop, as
 * `--validate=strict` reports them. `metadata` is the API server's own and not looked into.
 */
export function unknownFields(value: unknown, schema: StructuralSchema): FieldProblem[] {
  return collect(value, schema, '').map((path) => ({
    path,
    message: `unknown field "${path}"; check its spelling and its place`,
  }));
}

function collect(value: unknown, schema: StructuralSchema, path: string): string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    return value.flatMap((item, index) => collect(item, items, itemOf(path, index)));
  }
  return isJsonObject(value)
    ? Object.entries(value).flatMap(([name, field]) => collectField(name, field, schema, path))
    : [];
}

function collectField(
  name: string,
  value: unknown,
  schema: StructuralSchema,
  path: string,
): string[] {
  const field = schemaOfField(schema, name);
  if (field !== undefined) return collect(value, field, pathOfField(schema, path, name));
  return allowsAnything(schema) ? [] : [fieldOf(path, name)];
}

/** The path of a field: `a.b` when it is named by the schema, `a[b]` when it is an entry of a map. */
export function pathOfField(schema: StructuralSchema, path: string, name: string): string {
  const isMap = schema.additionalProperties !== undefined;
  return isMap ? entryOf(path, name) : fieldOf(path, name);
}

function allowsAnything(schema: StructuralSchema): boolean {
  return (
    schema['x-kubernetes-preserve-unknown-fields'] === true ||
    schema.additionalProperties === true ||
    (schema.type === 'object' && schema.properties === undefined)
  );
}
