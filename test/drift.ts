import type { KubernetesObject } from '../src/types/kubernetes.ts';
import { metricSum } from './metrics.ts';
import { configMap } from './objects.ts';
import type { TestNamespace } from './test-namespace.ts';

export const web = configMap('web', { colour: 'green', size: 'large' });

/** A StageSet with an interval of an hour: what is corrected, is corrected for what a watch told. */
export async function deployed(
  shop: TestNamespace,
  spec: Record<string, unknown> = {},
): Promise<void> {
  await shop.publish('app', 'v1', [web, configMap('other')]);
  await shop.createStageSet(['app'], spec);
  await shop.untilReady('v1');
}

/** Milliseconds from the beginning of `change` until the object is as `judge` wants it. */
export async function timeUntil(
  shop: TestNamespace,
  change: () => Promise<unknown>,
  object: KubernetesObject,
  judge: (object: KubernetesObject) => boolean,
): Promise<number> {
  const started = performance.now();
  await change();
  await shop.untilObject(object, judge);
  return performance.now() - started;
}

export const isGreen = ({ data }: KubernetesObject): boolean =>
  JSON.stringify(data).includes('green');

/** Writes as another field manager, as `kubectl edit` does. */
export async function edit(
  shop: TestNamespace,
  object: KubernetesObject,
  body: unknown,
): Promise<void> {
  const { apiVersion, kind, metadata } = object;
  const reference = { apiVersion, kind, namespace: shop.name, name: metadata.name };
  const patch = { type: 'Merge', body, fieldManager: 'kubectl-edit' } as const;
  await shop.client.patch(reference, patch, shop.call);
}

export async function corrected(shop: TestNamespace, metricsUrl: string): Promise<number> {
  return await metricSum(metricsUrl, 'stageset_drift_corrected_total', shop.name);
}

export async function note(shop: TestNamespace, reason: string): Promise<string> {
  return String((await shop.untilEvent(reason))['note']);
}
