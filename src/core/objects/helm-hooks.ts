import type { KubernetesObject } from '../../types/kubernetes.ts';

/** Annotation of what Helm would run at a point of its own release, and not keep (Helm hooks). */
const hookAnnotation = 'helm.sh/hook';

/** Whether Helm would run the object as a hook. */
export function isHelmHook({ metadata }: KubernetesObject): boolean {
  return metadata.annotations?.[hookAnnotation] !== undefined;
}

/**
 * What of a stage is applied under `applyHelmHookResources`, and which of its objects are Helm hooks:
 * with `true`, the default, hooks are applied like all else and the caller warns about them once per
 * revision; with `false` they are left out (part A 4.7).
 */
export function applyHelmHookPolicy(
  objects: readonly KubernetesObject[],
  applyHelmHookResources: boolean | undefined,
): { readonly applied: readonly KubernetesObject[]; readonly hooks: readonly KubernetesObject[] } {
  const hooks = objects.filter(isHelmHook);
  const applied =
    applyHelmHookResources === false ? objects.filter((object) => !isHelmHook(object)) : objects;
  return { applied, hooks };
}
