import type { ValidateFunction } from 'ajv';
import {
  fleetRolloutSchema,
  imageVerificationPolicySchema,
  stageInventorySchema,
  stageLedgerSchema,
  stageRunSchema,
  stageSetSchema,
} from '../../types/generated/schemas.ts';
import {
  type FleetRollout,
  type ImageVerificationPolicy,
  type StageInventory,
  type StageLedger,
  type StageRun,
  type StageSet,
  stagesApiVersion,
} from '../../types/stages.ts';
import type { StructuralSchema } from '../../types/structural-schema.ts';
import { compileSchema } from './compile-schema.ts';
import { withDefaults } from './defaults.ts';
import type { FieldProblem } from './field-problem.ts';
import { resourceJsonSchema } from './json-schema.ts';
import { objectMetaSchema } from './object-meta.ts';
import { unknownFields } from './unknown-fields.ts';
import { violation } from './violations.ts';

/** How an object is looked at beyond the schema of its CRD. */
export interface ParseOptions {
  /**
   * `Apply` for an object that has not gone through an API server: it gets the defaults of the CRD,
   * and nulls that an API server would drop are dropped. Otherwise the object is taken as it is.
   */
  readonly defaults?: 'Apply';
  /** `Report` makes a field that the CRD does not know a problem. Otherwise it is carried along. */
  readonly unknownFields?: 'Report';
}

/** A narrowed object, or everything that keeps it from being one (at most 100 problems). */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly FieldProblem[] };

type Parser<T> = (value: unknown, options?: ParseOptions) => Parsed<T>;

/**
 * Narrows anything to a StageSet by the schema of its CRD: what passes, an API server would store;
 * what it would refuse is refused with the same field named. Rules of admission (part A 9.4) that no
 * schema can express are not looked at.
 */
export const parseStageSet: Parser<StageSet> = parser('StageSet', stageSetSchema);

/** Narrows anything to a StageInventory, as {@link parseStageSet} does. */
export const parseStageInventory: Parser<StageInventory> = parser(
  'StageInventory',
  stageInventorySchema,
);

/** Narrows anything to a StageLedger, as {@link parseStageSet} does. */
export const parseStageLedger: Parser<StageLedger> = parser('StageLedger', stageLedgerSchema);

/** Narrows anything to a StageRun, as {@link parseStageSet} does. */
export const parseStageRun: Parser<StageRun> = parser('StageRun', stageRunSchema);

/** Narrows anything to a FleetRollout, as {@link parseStageSet} does. */
export const parseFleetRollout: Parser<FleetRollout> = parser('FleetRollout', fleetRolloutSchema);

/** Narrows anything to an ImageVerificationPolicy, as {@link parseStageSet} does. */
export const parseImageVerificationPolicy: Parser<ImageVerificationPolicy> = parser(
  'ImageVerificationPolicy',
  imageVerificationPolicySchema,
);

/**
 * Compiles the validators of what every process reads. It takes a tenth of a second, for which a
 * process that serves already would answer nobody.
 */
export function compileParsers(): void {
  for (const parse of [parseStageSet, parseStageInventory, parseStageRun]) parse(undefined);
}

export const mostProblems = 100;

/** A parser that compiles its validator when it is first used. */
function parser<T>(kind: string, crdSchema: StructuralSchema): Parser<T> {
  const schema = withObjectMeta(crdSchema);
  let compiled: ValidateFunction<T> | undefined;
  return (value, options = {}) => {
    compiled ??= compile<T>(kind, crdSchema);
    const candidate = options.defaults === 'Apply' ? withDefaults(value, schema) : value;
    const unknown = options.unknownFields === 'Report' ? unknownFields(candidate, crdSchema) : [];
    if (compiled(candidate) && unknown.length === 0) return { ok: true, value: candidate };
    const violations = (compiled.errors ?? []).map((error) => violation(error, candidate, schema));
    const problems = [...violations, ...unknown].slice(0, mostProblems);
    return { ok: false, problems: problems.map((problem) => named(problem, kind)) };
  };
}

function compile<T>(kind: string, schema: StructuralSchema): ValidateFunction<T> {
  return compileSchema<T>(resourceJsonSchema(schema, { apiVersion: stagesApiVersion, kind }));
}

/** A CRD leaves metadata to the API server; ours says what we read of it. */
function withObjectMeta(schema: StructuralSchema): StructuralSchema {
  return { ...schema, properties: { ...schema.properties, metadata: objectMetaSchema } };
}

/** A problem of the object as a whole has no field to name: its kind stands there. */
function named(problem: FieldProblem, kind: string): FieldProblem {
  return problem.path === '' ? { ...problem, path: kind } : problem;
}
