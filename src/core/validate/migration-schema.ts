import type { ValidateFunction } from 'ajv';
import { stageSetSchema } from '../../types/generated/schemas.ts';
import type { Migration } from '../../types/stages.ts';
import type { StructuralSchema } from '../../types/structural-schema.ts';
import { compileSchema } from './compile-schema.ts';
import { withDefaults } from './defaults.ts';
import { toJsonSchema } from './json-schema.ts';
import { mostProblems, type Parsed } from './schema.ts';
import { unknownFields } from './unknown-fields.ts';
import { violation } from './violations.ts';

let compiled: ValidateFunction<Migration> | undefined;

/**
 * Narrows anything to a migration by the schema of `spec.migrations` in the CRD. It gets the defaults
 * that an API server would give it, so that it reads the same wherever it comes from, and a field that
 * the schema does not know is a problem. Paths begin at the migration; that of the whole is empty.
 */
export function parseMigration(value: unknown): Parsed<Migration> {
  const schema = migrationSchema();
  compiled ??= compileSchema<Migration>(toJsonSchema(schema));
  const candidate = withDefaults(value, schema);
  const unknown = unknownFields(candidate, schema);
  if (compiled(candidate) && unknown.length === 0) return { ok: true, value: candidate };
  const violations = (compiled.errors ?? []).map((error) => violation(error, candidate, schema));
  return { ok: false, problems: [...violations, ...unknown].slice(0, mostProblems) };
}

function migrationSchema(): StructuralSchema {
  const schema = stageSetSchema.properties?.['spec']?.properties?.['migrations']?.items;
  if (schema === undefined) throw new Error('the CRD of StageSet has no spec.migrations');
  return schema;
}
