import { expect } from 'chai';
import { type Follower, OwnedWatches } from '../../../src/apply/owned-watches.ts';
import { KubernetesClient } from '../../../src/kubernetes/client.ts';
import type { DiscoveryOptions } from '../../../src/kubernetes/discovery.ts';
import { deferred } from '../../../src/kubernetes/wait.ts';
import { caught } from '../../integration/objects.ts';
import { answer, type Handler, type LocalServer, startLocalServer } from './local-server.ts';

const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop' };

function configMap(index: number): object {
  const metadata = { name: `c-${index}`, namespace: 'shop', resourceVersion: String(index + 1) };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

/** A remote cluster may be a tenant's own server, which answers whatever it likes. */
describe('a server that is not trusted', () => {
  const call = { signal: new AbortController().signal };
  let server: LocalServer | undefined;

  afterEach(async () => {
    await server?.stop();
  });

  async function serve(handler: Handler, longestList?: number): Promise<KubernetesClient> {
    const transport = longestList === undefined ? {} : { longestList };
    server = await startLocalServer(handler, { transport });
    return server.client;
  }

  it('cannot make a list go on without end', async () => {
    const client = await serve(({ url }, response) => {
      const next = Number(/continue=(\d+)/.exec(url)?.[1] ?? 0) + 1;
      const metadata = { resourceVersion: '1', continue: String(next) };
      answer(response, 200, { items: [], metadata });
    }, 1024 * 1024);
    const refused = await caught(client.list(configMaps, call));
    expect(refused).to.match(/the list of v1 ConfigMap is longer than 1048576 bytes/);
    expect(server?.received).to.have.length(17);
  });

  const huge: Record<string, { most: DiscoveryOptions['most']; body: unknown }> = {
    'more kinds': {
      most: { bytes: 1024 * 1024, kinds: 100 },
      body: {
        kind: 'APIResourceList',
        resources: Array.from({ length: 200 }, (_, index) => ({
          name: `k${index}`,
          kind: `K${index}`,
        })),
      },
    },
    'longer documents': {
      most: { bytes: 100_000, kinds: 1000 },
      body: { kind: 'APIResourceList', resources: [], padding: 'x'.repeat(200_000) },
    },
  };
  for (const [name, { most, body }] of Object.entries(huge)) {
    it(`cannot tell of ${name} in discovery than are kept`, async () => {
      await serve((_, response) => answer(response, 200, body));
      if (server === undefined || most === undefined) throw new Error('no server');
      const client = KubernetesClient.connect(server.connection, { discovery: { most } });
      const reference = { apiVersion: 'example.com/v1', kind: 'K1', name: 'x' };
      expect(await caught(client.get(reference, call))).to.match(
        /discovery: the server serves more than is looked at/,
      );
    });
  }

  it('cannot name an object by megabytes', async () => {
    const metadata = { name: 'x', uid: 'u'.repeat(1_000_000) };
    const client = await serve((_, response) =>
      answer(response, 200, { ...configMap(0), metadata }),
    );
    expect(await caught(client.get({ ...configMaps, name: 'x' }, call))).to.match(
      /the API server's answer has no apiVersion, kind and metadata\.name/,
    );
  });

  it('cannot put megabytes into an error', async () => {
    const status = { kind: 'Status', code: 422, reason: 'Invalid' };
    const client = await serve((_, response) => {
      answer(response, 422, { ...status, message: `no: ${'x'.repeat(5_000_000)}` });
    });
    const refused = String(await caught(client.get({ ...configMaps, name: 'x' }, call)));
    expect(refused.length).to.be.below(1000);
    expect(refused).to.match(/the API server answered 422: .*no: x+/);
  });

  it('cannot keep a watch open by an error without end', async () => {
    const client = await serve((_, response) => {
      response.writeHead(500, { 'content-type': 'text/plain' });
      const more = (): void => {
        if (!response.destroyed) response.write('x'.repeat(1024 * 1024), () => setImmediate(more));
      };
      more();
    });
    const watching = client.watch({ ...configMaps, resourceVersion: '1' }, call);
    const refused = await caught(watching.next());
    expect(refused).to.match(/the API server answered 500: x+/);
  });

  it('is watched no further when it makes up objects', async () => {
    const client = await serve(({ url }, response) => {
      if (!url.includes('watch=true')) {
        answer(response, 200, { items: [], metadata: { resourceVersion: '1' } });
        return;
      }
      response.writeHead(200, { 'content-type': 'application/json' });
      for (let index = 0; index < 100; index += 1) {
        response.write(`${JSON.stringify({ type: 'ADDED', object: configMap(index) })}\n`);
      }
    });
    const told = deferred<string>();
    const watches = new OwnedWatches({
      spansNamespaces: () => false,
      onEvent: () => undefined,
      onUnwatched: (_, identity, why) => told.resolve(`${identity}: ${why}`),
      onCount: () => undefined,
      mostRemoteObjects: 50,
    });
    const follower: Follower = {
      stageSet: 'shop/web',
      stage: 'app',
      identity: 'alice',
      client,
      server: 'https://paris',
    };
    watches.followOnly(follower, [configMaps]);
    expect(await told.promise).to.equal(
      'alice: more than 50 objects of remote clusters are watched',
    );
    expect(watches.size).to.equal(0);
    await watches.stop();
  });
});
