import { expect } from 'chai';
import { RetryableError } from '../../../src/core/errors.ts';
import { isNoKindMatch } from '../../../src/kubernetes/api-error.ts';
import { caught } from '../../integration/objects.ts';
import { answer, type LocalServer, startLocalServer } from './local-server.ts';

describe('the Kubernetes client on the wire', () => {
  const { signal } = new AbortController();
  const call = { signal };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      futureField: { kept: true },
      template: {
        spec: { containers: [{ name: 'web', futureC: 1, startedAt: '2025-01-01T00:00:00Z' }] },
      },
    },
  };
  let server: LocalServer | undefined;

  afterEach(async () => {
    await server?.stop();
  });

  it('sends and returns unknown fields of built-in kinds untouched', async () => {
    server = await startLocalServer((request, response) =>
      answer(response, 200, JSON.parse(request.body)),
    );
    const applied = await server.client.apply(
      deployment,
      { fieldManager: 'me', force: true },
      call,
    );
    expect(applied).to.deep.equal(deployment);
    expect(JSON.parse(server.received[0]?.body ?? '')).to.deep.equal(deployment);
  });

  it('asks for server-side apply with manager, force, dry run and validation', async () => {
    server = await startLocalServer((_, response) => answer(response, 200, deployment));
    await server.client.apply(
      deployment,
      {
        fieldManager: 'me',
        force: true,
        dryRun: 'All',
        fieldValidation: 'Strict',
        subresource: 'status',
      },
      call,
    );
    await server.client.apply(deployment, { fieldManager: 'me' }, call);
    const [first, second] = server.received;
    expect(first?.method).to.equal('PATCH');
    expect(first?.headers['content-type']).to.equal('application/apply-patch+yaml');
    expect(first?.headers.authorization).to.equal('Bearer own-token');
    expect(first?.url).to.equal(
      '/apis/apps/v1/namespaces/shop/deployments/web/status?fieldManager=me&dryRun=All&fieldValidation=Strict&force=true',
    );
    expect(second?.url).to.equal('/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=me');
  });

  it('names the patch type that it sends', async () => {
    server = await startLocalServer((_, response) => answer(response, 200, deployment));
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
    await server.client.patch(reference, { type: 'Merge', body: {} }, call);
    await server.client.patch(reference, { type: 'Json', body: [] }, call);
    await server.client.patch(reference, { type: 'Strategic', body: {} }, call);
    expect(server.received.map(({ headers }) => headers['content-type'])).to.deep.equal([
      'application/merge-patch+json',
      'application/json-patch+json',
      'application/strategic-merge-patch+json',
    ]);
  });

  it('deletes with preconditions and propagation', async () => {
    server = await startLocalServer((_, response) =>
      answer(response, 200, { kind: 'Status', status: 'Success' }),
    );
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
    const outcome = await server.client.delete(
      reference,
      { propagationPolicy: 'Foreground', preconditions: { uid: 'u1' }, dryRun: 'All' },
      call,
    );
    expect(outcome).to.equal('Deleted');
    expect(JSON.parse(server.received[0]?.body ?? '')).to.deep.equal({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Foreground',
      preconditions: { uid: 'u1' },
      dryRun: ['All'],
    });
  });

  it('sends a tenant token in place of its own, and no other credential', async () => {
    server = await startLocalServer((_, response) => answer(response, 200, deployment));
    const tenant = server.client.withToken(
      () => Promise.resolve('tenant-token'),
      () => undefined,
    );
    await tenant.apply(deployment, { fieldManager: 'me' }, call);
    expect(server.received[0]?.headers.authorization).to.equal('Bearer tenant-token');
    expect(
      Object.keys(server.received[0]?.headers ?? {}).filter((name) =>
        name.startsWith('impersonate'),
      ),
    ).to.deep.equal([]);
  });

  it('refuses an answer that is longer than its bound', async () => {
    server = await startLocalServer(
      (_, response) => answer(response, 200, { ...deployment, filler: 'x'.repeat(100_000) }),
      { transport: { maxBytes: 50_000 } },
    );
    const error = await caught(server.client.apply(deployment, { fieldManager: 'me' }, call));
    expect((error as RetryableError).reason).to.equal('ResponseTooLarge');
  });

  it('takes an answer that is no Kubernetes object for a passing fault', async () => {
    server = await startLocalServer((_, response) => {
      response.end('<html>captive portal</html>');
    });
    const error = await caught(server.client.apply(deployment, { fieldManager: 'me' }, call));
    expect(error).to.be.instanceOf(RetryableError);
    expect((error as Error).message).to.contain('apps/v1 Deployment shop/web');
  });

  it('forgets a kind whose path the server does not know', async () => {
    server = await startLocalServer((request, response) => {
      if (request.url === '/apis/apps/v1') {
        answer(response, 404, { kind: 'Status', reason: 'NotFound', code: 404 });
        return;
      }
      response.writeHead(404, { 'content-type': 'text/plain' });
      response.end('404 page not found\n');
    });
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
    expect(isNoKindMatch(await caught(server.client.find(reference, call)))).to.equal(true);
    expect(isNoKindMatch(await caught(server.client.find(reference, call)))).to.equal(true);
    expect(server.received.map(({ url }) => url)).to.include('/apis/apps/v1');
  });

  it('repeats an unavailable read but not an unavailable create', async () => {
    server = await startLocalServer(
      (_, response) =>
        answer(response, 503, { kind: 'Status', reason: 'ServiceUnavailable', code: 503 }),
      { transport: { attempts: 3 } },
    );
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' };
    await caught(server.client.get(reference, call));
    expect(server.received).to.have.length(3);
    await caught(server.client.create(deployment, {}, call));
    expect(server.received).to.have.length(4);
  });

  it('ends a watch whose line has no end', async () => {
    server = await startLocalServer((_, response) => {
      const chunk = 'x'.repeat(1024 * 1024);
      const write = (): void => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', write);
      write();
    });
    const query = { apiVersion: 'v1', kind: 'ConfigMap', resourceVersion: '1' };
    const error = await caught(server.client.watch(query, call).next());
    expect((error as RetryableError).reason).to.equal('ResponseTooLarge');
  });

  it('holds a watch back while its reader is busy, and loses nothing', async () => {
    const count = 20_000;
    server = await startLocalServer((_, response) => {
      for (let i = 1; i <= count; i += 1) {
        const metadata = { name: `m-${i}`, namespace: 'shop', resourceVersion: String(i) };
        response.write(`${JSON.stringify({ type: 'ADDED', object: { metadata } })}\n`);
      }
      response.end();
    });
    const query = { apiVersion: 'v1', kind: 'ConfigMap', resourceVersion: '1' };
    let seen = 0;
    for await (const event of server.client.watch(query, call)) {
      seen += 1;
      if (event.type !== 'Bookmark') expect(event.object.metadata.name).to.equal(`m-${seen}`);
      if (seen % 5000 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(seen).to.equal(count);
  });
});
