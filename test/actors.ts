import type { Playground } from '../dev/playground.ts';
import { KubernetesClient } from '../src/kubernetes/client.ts';
import { Connection } from '../src/kubernetes/connection.ts';
import { TokenStore } from '../src/kubernetes/tokens.ts';
import { serviceAccount } from './objects.ts';
import { grant, type Rule } from './rbac.ts';
import type { TestNamespace } from './test-namespace.ts';

/** A client with a real token of a new ServiceAccount that has these rights in its namespace. */
export async function tenantWith(
  shop: TestNamespace,
  rules: readonly Rule[],
  name = 'tenant',
): Promise<KubernetesClient> {
  await shop.create(serviceAccount(name));
  await grant(shop, { namespace: shop.name, name }, rules);
  return new TokenStore(shop.client).clientFor(shop.name, name, shop.client);
}

/** A client with the roles of the installation and no others. */
export async function asInstalled({ identities }: Playground): Promise<{
  readonly client: KubernetesClient;
  readonly close: () => Promise<void>;
}> {
  const connection = await Connection.open({ kind: 'File', path: identities.installed });
  const client = KubernetesClient.connect(connection, { userAgent: 'installed' });
  return { client, close: async () => await connection.close() };
}
