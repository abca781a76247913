import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { type StageInventory, stagesApiVersion } from '../../src/types/stages.ts';
import type { TestNamespace } from '../test-namespace.ts';

const inventoryKind = { apiVersion: stagesApiVersion, kind: 'StageInventory' };

/** The StageInventories of a stage, in the order of their numbers. */
export async function shardsOf(shop: TestNamespace, stage: string): Promise<KubernetesObject[]> {
  const labelSelector = `stages.metio.wtf/stage=${stage}`;
  const query = { ...inventoryKind, namespace: shop.name, labelSelector };
  const { items } = await shop.client.list(query, shop.call);
  const numberOf = ({ metadata }: KubernetesObject): number =>
    Number(metadata.labels?.['stages.metio.wtf/shard']);
  return items.sort((one, other) => numberOf(one) - numberOf(other));
}

/** Deletes all StageInventories of a stage. */
export async function loseInventory(shop: TestNamespace, stage: string): Promise<void> {
  for (const shard of await shardsOf(shop, stage)) await shop.delete(shard);
}

/** Creates a StageInventory by hand, with as much metadata as the test says. */
export async function writeShard(
  shop: TestNamespace,
  metadata: KubernetesObject['metadata'],
  spec: NonNullable<StageInventory['spec']>,
): Promise<KubernetesObject> {
  return await shop.create({ ...inventoryKind, metadata, spec });
}
