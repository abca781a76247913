import { Ajv, type ValidateFunction } from 'ajv';
import { formats } from './formats.ts';
import type { JsonSchema } from './json-schema.ts';
import { keywords } from './keywords.ts';
import { withSharedSchemas } from './shared-schemas.ts';

/** A validator for what a schema describes; all that is wrong is found, and not only the first. */
export function compileSchema<T>(schema: JsonSchema): ValidateFunction<T> {
  const ajv = new Ajv({
    allErrors: true,
    allowUnionTypes: true,
    formats,
    keywords: [...keywords],
    ownProperties: true,
    strict: true,
    strictRequired: false,
  });
  return ajv.compile<T>(withSharedSchemas(schema));
}
