import type { StageSetSpec } from '../types/stages.ts';
import { isSubdomain } from './validate/object-meta.ts';

/**
 * Annotation of a namespace with the ServiceAccount that its StageSets act as where they name none.
 * It wins over the flag `--default-service-account`.
 */
export const defaultAccountAnnotation = 'stages.metio.wtf/default-service-account';

/** Who a StageSet acts as where it names no ServiceAccount. */
export type DefaultAccount =
  | { readonly kind: 'Account'; readonly name: string }
  /** The controller's own identity: the single-tenant set-up (part A 9.1). */
  | { readonly kind: 'Controller' }
  /** Nobody, until the annotation is corrected: a mistake must not lend the controller's rights. */
  | { readonly kind: 'Invalid'; readonly message: string };

/**
 * The default of a namespace. An empty value counts as absent.
 * @param annotations of the namespace.
 * @param flag what `--default-service-account` says.
 */
export function defaultAccountOf(
  annotations: Readonly<Record<string, string>> | undefined,
  flag: string | undefined,
): DefaultAccount {
  const annotated = annotations?.[defaultAccountAnnotation] ?? '';
  const name = annotated === '' ? (flag ?? '') : annotated;
  if (name === '') return { kind: 'Controller' };
  if (isSubdomain(name)) return { kind: 'Account', name };
  const origin = annotated === '' ? 'the flag' : 'the annotation';
  const key = annotated === '' ? '--default-service-account' : defaultAccountAnnotation;
  return {
    kind: 'Invalid',
    message: `${origin} ${key} is not the name of a ServiceAccount: ${JSON.stringify(name.slice(0, 253))}`,
  };
}

/**
 * The ServiceAccount that a stage names, or else the whole StageSet; undefined where neither does. A
 * stage that is not in the spec, as one that is torn down, has the account of the whole.
 */
export function namedAccountOf(
  spec: Pick<StageSetSpec, 'serviceAccountName' | 'stages'> | undefined,
  stageName?: string,
): string | undefined {
  const stage = spec?.stages.find(({ name }) => name === stageName);
  // An empty name is an absent one, and must not shadow the account of the whole StageSet.
  const names = [stage?.serviceAccountName, spec?.serviceAccountName];
  return names.find((name) => name !== undefined && name !== '');
}
