import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FieldProblem } from '../core/validate/field-problem.ts';
import { formats } from '../core/validate/formats.ts';
import { isJsonObject } from '../core/validate/json-object.ts';
import { toJsonSchema } from '../core/validate/json-schema.ts';
import { unknownFields } from '../core/validate/unknown-fields.ts';
import { violation } from '../core/validate/violations.ts';
import type { JsonObject } from '../types/kubernetes.ts';
import type { OpenApiDocument } from '../types/open-api.ts';
import type { StructuralSchema } from '../types/structural-schema.ts';
import type { Cause } from './aggregated/status-error.ts';

const mostCauses = 50;
/** Deeper than any schema of the contract: one that refers to itself must not hang the start. */
const deepest = 32;

interface KindOfContract {
  readonly schema: StructuralSchema;
  readonly validate: ValidateFunction;
}

/** What is wrong with a body, and which of its fields the contract does not know. */
export interface BodyProblems {
  /** For 422. */
  readonly causes: readonly Cause[];
  /** Paths. */
  readonly unknown: readonly string[];
}

/** Judges what is sent and what is answered by the schemas of an OpenAPI document. */
export class OpenApiContract {
  readonly #document: OpenApiDocument;
  /** Compiled when first used; there are as many as schemas in the document. */
  readonly #compiled = new Map<string, KindOfContract>();

  constructor(document: OpenApiDocument) {
    this.#document = document;
  }

  /** Judges a body by the schema of this name. */
  validateRequest(kind: string, body: unknown): BodyProblems {
    const { schema, validate } = this.#kind(kind);
    const valid = validate(body);
    const errors = valid ? [] : (validate.errors ?? []).slice(0, mostCauses);
    return {
      causes: errors.map((error) => causeOf(error, violation(error, body, schema))),
      unknown: unknownFields(body, schema).map(({ path }) => path),
    };
  }

  /** Where an answer is not what the contract promises of its kind; a field too many counts. */
  validateResponse(kind: string, object: unknown): FieldProblem[] {
    const { schema, validate } = this.#kind(kind);
    const errors = validate(object) ? [] : (validate.errors ?? []);
    return [
      ...errors.map((error) => violation(error, object, schema)),
      ...unknownFields(object, schema),
    ];
  }

  /** Compiles the schema of this name, so that nobody waits for it later. */
  compile(kind: string): void {
    this.#kind(kind);
  }

  /** Whether the document has a schema of this name. */
  has(kind: string): boolean {
    return Object.hasOwn(this.#document.components.schemas, kind);
  }

  #kind(kind: string): KindOfContract {
    const known = this.#compiled.get(kind);
    if (known !== undefined) return known;
    const schema = this.#resolved(this.#schemaNamed(kind), 0);
    const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, formats, ownProperties: true });
    const added = { schema, validate: ajv.compile(toJsonSchema(schema)) };
    this.#compiled.set(kind, added);
    return added;
  }

  #schemaNamed(name: string): JsonObject {
    const schemas = this.#document.components.schemas;
    const schema = Object.hasOwn(schemas, name) ? schemas[name] : undefined;
    if (schema === undefined) throw new Error(`the contract has no schema ${name}`);
    return schema;
  }

  /** The schema with what it refers to in place. The contract is ours and checked when generated. */
  #resolved(schema: JsonObject, depth: number): StructuralSchema {
    if (depth > deepest) throw new Error('a schema of the contract refers to itself');
    const { $ref: reference } = schema;
    if (typeof reference === 'string') {
      return this.#resolved(
        this.#schemaNamed(reference.replace('#/components/schemas/', '')),
        depth + 1,
      );
    }
    const inner = (value: unknown): unknown =>
      isJsonObject(value) ? this.#resolved(value, depth + 1) : value;
    const { properties, items, additionalProperties, ...rest } = schema;
    return {
      ...rest,
      ...(isJsonObject(properties)
        ? {
            properties: Object.fromEntries(
              Object.entries(properties).map(([name, value]) => [name, inner(value)]),
            ),
          }
        : {}),
      ...(items === undefined ? {} : { items: inner(items) }),
      // In a structural schema, additionalProperties is what makes a map; the rest has another name.
      ...(isJsonObject(additionalProperties)
        ? { additionalProperties: inner(additionalProperties) }
        : { 'x-kubernetes-preserve-unknown-fields': additionalProperties === true }),
    } as StructuralSchema;
  }
}

function causeOf(error: ErrorObject, { path, message }: FieldProblem): Cause {
  return { reason: reasonOf(error.keyword), message, field: path };
}

/** `metav1.CauseType` for a keyword of JSON Schema. */
function reasonOf(keyword: string): string {
  switch (keyword) {
    case 'required':
      return 'FieldValueRequired';
    case 'enum':
      return 'FieldValueNotSupported';
    case 'type':
      return 'FieldValueTypeInvalid';
    case 'maxLength':
      return 'FieldValueTooLong';
    case 'maxItems':
      return 'FieldValueTooMany';
    default:
      return 'FieldValueInvalid';
  }
}
