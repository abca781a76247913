import type { FuncKeywordDefinition, SchemaValidateFunction } from 'ajv';
import type { ValidationRule } from '../../types/structural-schema.ts';
import { ruleEquivalent } from './cel-rules.ts';
import { isJsonObject } from './json-object.ts';

/** Keywords of structural schemas that JSON Schema does not have, for ajv. */
export const keywords: readonly FuncKeywordDefinition[] = [
  {
    keyword: 'x-kubernetes-validations',
    type: 'object',
    schemaType: 'array',
    errors: true,
    compile: compileRules,
  },
  {
    keyword: 'x-kubernetes-list-map-keys',
    type: 'array',
    schemaType: 'array',
    errors: true,
    compile: compileListMap,
  },
];

/** Judges an object by the equivalents of its CEL rules; `params.rule` carries the message. */
function compileRules(rules: readonly ValidationRule[]): SchemaValidateFunction {
  const compiled = rules.map(({ rule, message }) => ({ holds: ruleEquivalent(rule), message }));
  const validate: SchemaValidateFunction = (self: unknown) => {
    if (!isJsonObject(self)) return true;
    const broken = compiled.filter(({ holds }) => !holds(self));
    validate.errors = broken.map(({ message }) => ({
      keyword: 'x-kubernetes-validations',
      params: { rule: message },
    }));
    return broken.length === 0;
  };
  return validate;
}

/** Finds items of a list-map with equal keys; `params` says which is the repeated one, and of what. */
function compileListMap(keys: readonly string[]): SchemaValidateFunction {
  const validate: SchemaValidateFunction = (items: unknown) => {
    const duplicates = Array.isArray(items) ? findDuplicates(items, keys) : [];
    validate.errors = duplicates.map(({ index, first }) => ({
      keyword: 'x-kubernetes-list-map-keys',
      params: { index, first, keys: keys.join(', ') },
    }));
    return duplicates.length === 0;
  };
  return validate;
}

function findDuplicates(
  items: readonly unknown[],
  keys: readonly string[],
): { index: number; first: number }[] {
  const seen = new Map<string, number>();
  return items.flatMap((item, index) => {
    if (!isJsonObject(item)) return [];
    const identity = JSON.stringify(keys.map((key) => item[key]));
    const first = seen.get(identity);
    if (first !== undefined) return [{ index, first }];
    seen.set(identity, index);
    return [];
  });
}
