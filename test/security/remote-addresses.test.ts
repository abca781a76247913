import { createServer } from 'node:http';
import { expect } from 'chai';
import { seconds } from '../../src/core/time.ts';
import { KubernetesClient } from '../../src/kubernetes/client.ts';
import { RemoteConnection } from '../../src/kubernetes/remote-connection.ts';
import { Guard, type Resolve } from '../../src/network/guard.ts';
import { canary } from '../canary.ts';
import { failureOf } from './artifact-fetching.ts';
import { HostileCluster } from './hostile-cluster.ts';

const purpose = { refusal: 'no API server is reached at', advice: 'Name the cluster' };
const web = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'web' };

describe('the way to a remote cluster', () => {
  let hostile: HostileCluster;
  let connection: RemoteConnection | undefined;
  const call = { signal: new AbortController().signal, timeout: seconds(5) };

  before(async () => {
    hostile = await HostileCluster.start();
  });
  afterEach(async () => {
    await connection?.close();
  });
  after(async () => {
    await hostile.stop();
  });

  function clientOf(host: string, guard: Guard): KubernetesClient {
    connection = new RemoteConnection(
      { server: new URL(`https://${host}:${hostile.port}`), ca: hostile.authority, token: canary },
      { cluster: 'Secret shop/paris', connector: (options) => guard.connector(options) },
    );
    return KubernetesClient.connect(connection, { attempts: 1 });
  }

  describe('attack 104: a name of a cluster that leads inside (it is judged when the connection is made, part A 9.3)', () => {
    for (const address of ['127.0.0.1', '169.254.169.254', '::1', '::ffff:127.0.0.1', 'fe80::1']) {
      it(`is refused: ${address}`, async () => {
        const resolve: Resolve = (_, callback) => callback(null, [{ address, family: 4 }]);
        const client = clientOf(
          'hostile.example.com',
          new Guard({ allowedHosts: [], purpose, resolve }),
        );
        const failure = await failureOf(client.get(web, call));
        expect(failure.message)
          .to.include(
            'cluster of Secret shop/paris: no API server is reached at hostile.example.com',
          )
          .and.include(`it resolves to ${address}, which is `);
        expect(hostile.requests).to.deep.equal([]);
      });
    }

    it('is refused when one of its addresses does, and when it does so the second time', async () => {
      const answers = [['192.0.2.1', '127.0.0.1'], ['127.0.0.1']];
      const resolve: Resolve = (_, callback) => {
        const next = answers.shift() ?? ['127.0.0.1'];
        callback(
          null,
          next.map((address) => ({ address, family: 4 })),
        );
      };
      for (let turn = 0; turn < 2; turn += 1) {
        const client = clientOf(
          'hostile.example.com',
          new Guard({ allowedHosts: [], purpose, resolve }),
        );
        const failure = await failureOf(client.get(web, call));
        expect(failure.message).to.include('it resolves to 127.0.0.1, which is loopback');
      }
      expect(hostile.requests).to.deep.equal([]);
    });
  });

  describe('attack 105: proxies of the environment on the way to a cluster (edge case 16: they are not used, part A 9.3)', () => {
    for (const name of [
      'HTTPS_PROXY',
      'https_proxy',
      'ALL_PROXY',
      'all_proxy',
      'NODE_USE_ENV_PROXY',
    ]) {
      it(`are not used: ${name}`, async () => {
        const asked: string[] = [];
        const proxy = createServer((request, response) => {
          asked.push(request.url ?? '');
          response.end();
        });
        proxy.on('connect', (request, socket) => {
          asked.push(request.url ?? '');
          socket.destroy();
        });
        await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
        const address = proxy.address();
        const port = typeof address === 'object' && address !== null ? address.port : 0;
        const previous = process.env[name];
        process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : `http://127.0.0.1:${port}`;
        try {
          const client = clientOf(
            '127.0.0.1',
            new Guard({ allowedHosts: [{ host: '127.0.0.1', port: hostile.port }], purpose }),
          );
          expect(await client.find(web, call)).to.equal(undefined);
          expect(asked).to.deep.equal([]);
        } finally {
          if (previous === undefined) Reflect.deleteProperty(process.env, name);
          else process.env[name] = previous;
          proxy.close();
        }
      });
    }
  });
});
