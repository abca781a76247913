import type { JsonSchema } from './json-schema.ts';

/**
 * The same schema with every object schema that occurs more than once written once, under
 * `definitions`. A CRD cannot refer, so an Action stands in it six times; ajv compiles it once.
 */
export function withSharedSchemas(schema: JsonSchema): JsonSchema {
  const counts = new Map<string, number>();
  count(schema, counts);
  const repeated = [...counts].filter(([, occurrences]) => occurrences > 1).map(([text]) => text);
  const names = new Map(repeated.map((text, index) => [text, `shared${index}`]));
  const definitions = new Map<string, unknown>();
  const shared = mapValues(schema, (value) => refer(value, names, definitions));
  return { ...shared, definitions: Object.fromEntries(definitions) };
}

function count(value: unknown, counts: Map<string, number>): void {
  if (typeof value !== 'object' || value === null) return;
  if (isObjectSchema(value)) {
    const text = JSON.stringify(value);
    counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  for (const child of Object.values(value)) count(child, counts);
}

function refer(
  value: unknown,
  names: ReadonlyMap<string, string>,
  definitions: Map<string, unknown>,
): unknown {
  if (Array.isArray(value)) return value.map((item) => refer(item, names, definitions));
  if (typeof value !== 'object' || value === null) return value;
  const inner = (): JsonSchema => mapValues(value, (child) => refer(child, names, definitions));
  const name = isObjectSchema(value) ? names.get(JSON.stringify(value)) : undefined;
  if (name === undefined) return inner();
  if (!definitions.has(name)) definitions.set(name, inner());
  return { $ref: `#/definitions/${name}` };
}

function isObjectSchema(value: object): boolean {
  return 'type' in value && value.type === 'object' && 'properties' in value;
}

function mapValues(object: object, change: (value: unknown) => unknown): JsonSchema {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
