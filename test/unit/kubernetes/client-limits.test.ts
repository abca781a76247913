import { expect } from 'chai';
import { InFlightLimit } from '../../../src/kubernetes/in-flight-limit.ts';
import { deferred } from '../../../src/kubernetes/wait.ts';
import { answer, startLocalServer } from './local-server.ts';

describe('a client with a limit of its own', () => {
  it('waits for none of the others, and its tenants share its limit', async () => {
    const slow = deferred<undefined>();
    const arrived = deferred<undefined>();
    let hanging = 0;
    const server = await startLocalServer(async ({ url }, response) => {
      if (url.endsWith('/slow')) {
        hanging += 1;
        if (hanging === 4) arrived.resolve(undefined);
        await slow.promise;
      }
      const name = url.split('/').at(-1);
      answer(response, 200, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
    });
    try {
      const call = { signal: AbortSignal.timeout(10_000) };
      const get = (name: string): [object: Parameters<typeof plans.get>[0], of: typeof call] => [
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name },
        call,
      ];
      const limit = new InFlightLimit(4);
      const plans = server.client.withLimit(limit);
      const tenant = plans.withToken(
        async () => await Promise.resolve('tenant-token'),
        () => undefined,
      );
      const storm = [1, 2, 3].flatMap(() => [
        plans.get(...get('slow')),
        tenant.get(...get('slow')),
      ]);
      await arrived.promise;
      expect((await server.client.get(...get('quick'))).metadata.name).to.equal('quick');
      expect([limit.active, limit.waiting, hanging]).to.deep.equal([4, 2, 4]);
      slow.resolve(undefined);
      await Promise.all(storm);
      expect([limit.active, server.connection.limit.active]).to.deep.equal([0, 0]);
    } finally {
      slow.resolve(undefined);
      await server.stop();
    }
  });
});
