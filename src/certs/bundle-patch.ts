import { isJsonObject, objectAt, stringAt } from '../kubernetes/shapes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';

/** One operation of RFC 6902. */
export interface JsonPatchOperation {
  op: 'add' | 'replace';
  path: string;
  value: string;
}

/**
 * The JSON patch that gives every webhook of a Validating- or MutatingWebhookConfiguration this
 * bundle (PEM), and nothing else; undefined when all have it. It is bound to the resourceVersion:
 * webhooks are named by their place in a list, which another write may have changed.
 */
export function bundlePatch(
  configuration: KubernetesObject,
  bundle: string,
): JsonPatchOperation[] | undefined {
  const encoded = Buffer.from(bundle).toString('base64');
  const operations = webhooksOf(configuration).flatMap((webhook, index): JsonPatchOperation[] => {
    if (!isJsonObject(webhook) || !isJsonObject(webhook['clientConfig'])) return [];
    if (webhook['clientConfig']['caBundle'] === encoded) return [];
    // `add` replaces a member that is there (RFC 6902 section 4.1).
    return [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: encoded }];
  });
  if (operations.length === 0) return undefined;
  const { resourceVersion } = configuration.metadata;
  if (resourceVersion === undefined) return operations;
  return [
    { op: 'replace', path: '/metadata/resourceVersion', value: resourceVersion },
    ...operations,
  ];
}

/** The bundles of all webhooks, PEM; one that has none counts as an empty text. */
export function bundlesIn(configuration: KubernetesObject): string[] {
  return webhooksOf(configuration).map((webhook) => {
    const encoded = isJsonObject(webhook)
      ? stringAt(objectAt(webhook, 'clientConfig'), 'caBundle')
      : undefined;
    return Buffer.from(encoded ?? '', 'base64').toString();
  });
}

/** cert-manager's injector writes these bundles: a second writer would fight with it for ever. */
export function isInjected({ metadata }: KubernetesObject): boolean {
  const keys = Object.keys(metadata.annotations ?? {});
  return keys.some((key) => key.startsWith('cert-manager.io/inject-'));
}

function webhooksOf(configuration: KubernetesObject): unknown[] {
  const webhooks = configuration['webhooks'];
  return Array.isArray(webhooks) ? webhooks : [];
}
