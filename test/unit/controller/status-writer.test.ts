import { expect } from 'chai';
import { StatusWriter } from '../../../src/controller/status-writer.ts';
import type { StageSet } from '../../../src/types/stages.ts';
import { specOf, stageSetOf } from '../core/snapshot-builder.ts';
import { answer, type LocalServer, startLocalServer } from '../kubernetes/local-server.ts';

const served = {
  kind: 'APIResourceList',
  groupVersion: 'stages.metio.wtf/v1',
  resources: [{ name: 'stagesets', kind: 'StageSet', namespaced: true, verbs: ['get', 'patch'] }],
};
const notFound = { kind: 'Status', status: 'Failure', reason: 'NotFound', code: 404 };
const call = { signal: new AbortController().signal };

const stored = stageSetOf(specOf(['dev']), {
  metadata: { resourceVersion: '10', generation: 3 },
  status: { observedGeneration: 2, lastHandledReconcileAt: 'before' },
});
const status = { observedGeneration: 3 };

describe('writing a status', () => {
  let server: LocalServer;
  let reply: [number, unknown];

  before(async () => {
    server = await startLocalServer(({ url }, response) => {
      if (url === '/apis/stages.metio.wtf/v1') answer(response, 200, served);
      else answer(response, ...reply);
    });
  });

  beforeEach(() => server.received.splice(0));

  after(async () => await server.stop());

  async function written(answered: [number, unknown], wanted = status): Promise<StageSet> {
    reply = answered;
    return await new StatusWriter(server.client).write(stored, wanted, call);
  }

  function storedAs(metadata: object): StageSet {
    return { ...stored, metadata: { ...stored.metadata, ...metadata }, status };
  }

  it('sends what changed, to this incarnation of the StageSet only', async () => {
    await written([200, storedAs({ resourceVersion: '11' })]);
    const patch = server.received.find(({ method }) => method === 'PATCH');
    expect(patch?.url).to.match(
      /^\/apis\/stages.metio.wtf\/v1\/namespaces\/team\/stagesets\/shop\/status\?/,
    );
    expect(JSON.parse(patch?.body ?? '')).to.deep.equal({
      metadata: { uid: 'uid-of-shop' },
      status: { observedGeneration: 3, lastHandledReconcileAt: null },
    });
  });

  it('sends nothing when nothing changed', async () => {
    const same = { observedGeneration: 2, lastHandledReconcileAt: 'before' };
    expect(await written([500, {}], same)).to.equal(stored);
    expect(server.received).to.deep.equal([]);
  });

  it('knows the version that its write made', async () => {
    const result = await written([200, storedAs({ resourceVersion: '11' })]);
    expect(result.metadata.resourceVersion).to.equal('11');
    expect(result.status).to.deep.equal(status);
  });

  it('never takes an edit that came in between for seen', async () => {
    const edited = storedAs({ resourceVersion: '12', generation: 4 });
    const result = await written([200, { ...edited, spec: specOf(['dev', 'prod']) }]);
    expect(result.metadata).to.deep.equal(stored.metadata);
    expect(result.spec).to.deep.equal(stored.spec);
    expect(result.status).to.deep.equal(status);
  });

  it('has nobody to tell when the StageSet is gone', async () => {
    expect(await written([404, notFound])).to.equal(stored);
  });
});
