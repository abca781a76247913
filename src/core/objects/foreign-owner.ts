import type { KubernetesObject } from '../../types/kubernetes.ts';
import { groupOf } from './identity.ts';
import { isOwnedBy, nameLabel, namespaceLabel, type StageSetOwner } from './ownership.ts';

const applySetLabel = 'applyset.kubernetes.io/part-of';

/** Whether a StageSet exists; one that nobody can look up counts as existing. */
export type StageSetExists = (namespace: string, name: string) => boolean;

/**
 * Who else owns a live object, in words such as `StageSet team/shop`; undefined when nobody does, or
 * only the StageSet that wants to apply it.
 *
 * A mark counts only as far as the rendered object does not carry the same one: `helm template`
 * labels what it renders as Helm's, and an author may keep a label of a former owner. The mark of a
 * StageSet that exists no more is nobody's.
 */
export function foreignOwner(
  live: KubernetesObject,
  rendered: KubernetesObject,
  owner: StageSetOwner,
  exists: StageSetExists,
): string | undefined {
  const marks = new Marks(live, rendered);
  return (
    otherStageSet(live, owner, exists) ??
    // Before Helm's own marks, since this is who runs Helm.
    fluxOwner(marks, 'HelmRelease', 'helm.toolkit.fluxcd.io') ??
    helmRelease(marks) ??
    fluxOwner(marks, 'Kustomization', 'kustomize.toolkit.fluxcd.io') ??
    applySet(live, marks) ??
    argoApplication(live, marks)
  );
}

/** The labels and annotations of a live object that its manifest does not have as well. */
class Marks {
  readonly #live: KubernetesObject;
  readonly #rendered: KubernetesObject;

  constructor(live: KubernetesObject, rendered: KubernetesObject) {
    this.#live = live;
    this.#rendered = rendered;
  }

  label(key: string): string | undefined {
    const value = this.#live.metadata.labels?.[key];
    return value === this.#rendered.metadata.labels?.[key] ? undefined : value;
  }

  annotation(key: string): string | undefined {
    const value = this.#live.metadata.annotations?.[key];
    return value === this.#rendered.metadata.annotations?.[key] ? undefined : value;
  }
}

function otherStageSet(
  live: KubernetesObject,
  owner: StageSetOwner,
  exists: StageSetExists,
): string | undefined {
  const { [nameLabel]: name, [namespaceLabel]: namespace } = live.metadata.labels ?? {};
  if (name === undefined || namespace === undefined || isOwnedBy(live, owner)) return undefined;
  // Anybody can write such a label on an object of his own, and must not learn by that what StageSets
  // there are in a namespace that has nothing to do with it.
  const near = namespace === owner.namespace || namespace === live.metadata.namespace;
  const counts = !near || exists(namespace, name);
  return counts ? `StageSet ${namespace}/${name}` : undefined;
}

/** The annotations by which Helm knows its own; its label alone says only how it was rendered. */
function helmRelease(marks: Marks): string | undefined {
  const name = marks.annotation('meta.helm.sh/release-name');
  const namespace = marks.annotation('meta.helm.sh/release-namespace');
  return name === undefined || namespace === undefined
    ? undefined
    : `Helm release ${namespace}/${name}`;
}

function fluxOwner(marks: Marks, kind: string, group: string): string | undefined {
  const name = marks.label(`${group}/name`);
  const namespace = marks.label(`${group}/namespace`);
  return name === undefined || namespace === undefined
    ? undefined
    : `Flux ${kind} ${namespace}/${name}`;
}

/**
 * An ApplySet of somebody else (KEP-3659). The one on an object with a StageSet's labels is that
 * StageSet's own, of another stage perhaps.
 */
function applySet(live: KubernetesObject, marks: Marks): string | undefined {
  if (live.metadata.labels?.[nameLabel] !== undefined) return undefined;
  const id = marks.label(applySetLabel);
  return id === undefined ? undefined : `ApplySet ${id}`;
}

/**
 * Argo CD's tracking id: `<application>:<group>/<kind>:<namespace>/<name>`. One that was copied from
 * another object names that one, and Argo CD itself passes over it.
 */
function argoApplication(live: KubernetesObject, marks: Marks): string | undefined {
  const { apiVersion, kind, metadata } = live;
  const id = marks.annotation('argocd.argoproj.io/tracking-id');
  const self = `:${groupOf(apiVersion)}/${kind}:${metadata.namespace ?? ''}/${metadata.name}`;
  return id?.endsWith(self) === true
    ? `Argo CD application ${id.slice(0, -self.length)}`
    : undefined;
}
