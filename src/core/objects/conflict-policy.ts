import type { KubernetesObject } from '../../types/kubernetes.ts';
import type { ConflictAction, ConflictRule, Stage } from '../../types/stages.ts';
import { TerminalError } from '../errors.ts';
import { describeObject, referenceTo } from './identity.ts';

/** On a rendered object, any value that is not empty: replace it where a change is impossible. */
export const forceAnnotation = 'stages.metio.wtf/force';

/** On an object that KeepExisting has created, so that anybody can see why nothing changes it. */
export const keepExistingAnnotation = 'stages.metio.wtf/keep-existing';

/** What happens when the cluster has another idea of an object, and who said so. */
export interface ConflictHandling {
  readonly action: ConflictAction;
  readonly origin: 'Annotation' | 'Rule' | 'Default' | 'Force' | 'Nobody';
}

/** What of a stage decides about conflicts. */
export type ConflictSettings = Pick<Stage, 'force' | 'conflictPolicy'>;

/**
 * How a conflict over one rendered object is handled; the first that speaks wins (part A 5.3): the
 * object's own annotation, the first rule that matches it, the policy's default, `force`. A present
 * `conflictPolicy` has the default `Fail`, so `force` counts only without one (part A 1.1.1).
 */
export function conflictHandling(
  object: KubernetesObject,
  settings: ConflictSettings,
): ConflictHandling {
  if (isForced(object)) return { action: 'Recreate', origin: 'Annotation' };
  const { conflictPolicy, force } = settings;
  const rule = firstRuleFor(object, settings);
  if (rule !== undefined) return { action: rule.action, origin: 'Rule' };
  if (conflictPolicy !== undefined) {
    return { action: conflictPolicy.default ?? 'Fail', origin: 'Default' };
  }
  return force === true
    ? { action: 'Recreate', origin: 'Force' }
    : { action: 'Fail', origin: 'Nobody' };
}

/**
 * Refuses a stage in which a rule would replace a PersistentVolumeClaim or PersistentVolume without
 * `allowDataLoss`, whether or not there is a conflict today (part A 5.3). The object's annotation, the
 * default and `force` are said about exactly these objects or about all, and count as consent.
 *
 * @throws TerminalError naming every such object.
 */
export function refuseDataLoss(
  objects: readonly KubernetesObject[],
  settings: ConflictSettings,
): void {
  if ((settings.conflictPolicy?.rules ?? []).length === 0) return;
  const [first, ...others] = objects.filter((object) => losesData(object, settings));
  if (first === undefined) return;
  const names = [first, ...others].slice(0, 10).map(describeObject).join(', ');
  const more = others.length > 9 ? ` and ${others.length - 9} more` : '';
  throw new TerminalError(
    `a conflictPolicy rule may replace ${names}${more}, and what is stored there would be lost; ` +
      'set allowDataLoss: true in the rule, or give it another action',
    { reason: 'StageFailed', object: referenceTo(first) },
  );
}

function losesData(object: KubernetesObject, settings: ConflictSettings): boolean {
  if (object.apiVersion !== 'v1' || !dataKinds.has(object.kind) || isForced(object)) return false;
  const rule = firstRuleFor(object, settings);
  return rule?.action === 'Recreate' && rule.allowDataLoss !== true;
}

const dataKinds = new Set(['PersistentVolumeClaim', 'PersistentVolume']);

function isForced({ metadata }: KubernetesObject): boolean {
  return (metadata.annotations?.[forceAnnotation] ?? '') !== '';
}

function firstRuleFor(
  object: KubernetesObject,
  { conflictPolicy }: ConflictSettings,
): ConflictRule | undefined {
  return conflictPolicy?.rules?.find(({ target }) => matches(target, object));
}

/** A field that is not set, or empty, matches anything; all others are compared as they are. */
function matches(target: ConflictRule['target'], object: KubernetesObject): boolean {
  const { apiVersion, kind, namespace, name } = referenceTo(object);
  const pairs = [
    [target.apiVersion, apiVersion],
    [target.kind, kind],
    [target.namespace, namespace],
    [target.name, name],
  ] as const;
  return pairs.every(([wanted = '', actual]) => wanted === '' || wanted === actual);
}
