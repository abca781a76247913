import type { JsonObject } from '../../types/kubernetes.ts';

/**
 * The CEL rules of our CRDs, by their text. The API server evaluates the text; objects that have
 * not gone through one are judged by these. A rule without an equivalent here fails the build of
 * the validator, so the two cannot drift apart silently.
 */
const equivalents: ReadonlyMap<string, (self: JsonObject) => boolean> = new Map([
  // A transition rule: an object on its own has nothing to be compared with.
  ['self == oldSelf', (): boolean => true],
  [
    'has(self.configMapRef) || has(self.secretRef)',
    (self: JsonObject): boolean => has(self, 'configMapRef') || has(self, 'secretRef'),
  ],
  [
    '!has(self.configMapRef) || !has(self.secretRef)',
    (self: JsonObject): boolean => !has(self, 'configMapRef') || !has(self, 'secretRef'),
  ],
  [
    "self.onRegression != 'Rollback' || (has(self.previousVersion) && size(self.previousVersion) > 0)",
    (self: JsonObject): boolean =>
      self['onRegression'] !== 'Rollback' ||
      (has(self, 'previousVersion') && self['previousVersion'] !== ''),
  ],
]);

/** The equivalent of a CEL rule. Throws when there is none: a developer must add it here. */
export function ruleEquivalent(rule: string): (self: JsonObject) => boolean {
  const equivalent = equivalents.get(rule);
  if (equivalent === undefined) {
    throw new Error(`no equivalent in core/validate/cel-rules.ts for the CEL rule: ${rule}`);
  }
  return equivalent;
}

function has(self: JsonObject, field: string): boolean {
  return Object.hasOwn(self, field) && self[field] !== undefined;
}
