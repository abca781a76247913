import { expect } from 'chai';
import { Clusters } from '../../../src/controller/clusters.ts';
import { TokenStore } from '../../../src/kubernetes/tokens.ts';
import type { StageSet } from '../../../src/types/stages.ts';
import { caught } from '../../integration/objects.ts';
import { kubeconfigOf } from '../../kubeconfigs.ts';
import { answer, type LocalServer, startLocalServer } from '../kubernetes/local-server.ts';

const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'paris' } };

/** The Secrets of the local cluster, by path: the kubeconfig of each. */
const secrets = new Map<string, string>();

function stageSet(namespace: string, name: string, deletionTimestamp?: string): StageSet {
  const deleting = deletionTimestamp === undefined ? {} : { deletionTimestamp };
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageSet',
    metadata: { name, namespace, uid: `${namespace}/${name}`, ...deleting },
    spec: { kubeConfig: { secretRef: { name } }, stages: [] },
  };
}

function store(namespace: string, name: string, token: string): void {
  const kubeconfig = kubeconfigOf({ user: { token } });
  secrets.set(`/api/v1/namespaces/${namespace}/secrets/${name}`, kubeconfig);
}

describe('connections to remote clusters', () => {
  const call = { signal: new AbortController().signal };
  let server: LocalServer;
  let clusters: Clusters;

  beforeEach(async () => {
    secrets.clear();
    server = await startLocalServer(({ url }, response) => {
      const value = secrets.get(url);
      const status = { kind: 'Status', reason: 'NotFound', code: 404, message: 'not found' };
      if (value === undefined) answer(response, 404, status);
      else answer(response, 200, { ...secret, data: { value: btoa(value) } });
    });
    const { client } = server;
    const tokens = new TokenStore(client);
    clusters = new Clusters({ client, tokens, connector: (options) => options, clouds: {} });
  });
  afterEach(async () => {
    await clusters.stop();
    await server.stop();
  });

  async function idOf(of: StageSet): Promise<string | undefined> {
    return (await clusters.connect(of, { client: server.client, identity: 'somebody' }, call))?.id;
  }

  it('are kept while what describes them says the same, and read at every use', async () => {
    store('shop', 'paris', 'one');
    const first = await idOf(stageSet('shop', 'paris'));
    expect(await idOf(stageSet('shop', 'paris'))).to.equal(first);
    expect(server.received).to.have.length(2);
    store('shop', 'paris', 'two');
    expect(await idOf(stageSet('shop', 'paris'))).to.not.equal(first);
    secrets.clear();
    expect(await caught(idOf(stageSet('shop', 'paris')))).to.match(/does not exist/);
  });

  it('attack 84: the connection of another namespace (connections are kept by reference, part A 9.3)', async () => {
    store('shop', 'paris', 'one');
    store('bank', 'paris', 'one');
    const ids = [await idOf(stageSet('shop', 'paris')), await idOf(stageSet('bank', 'paris'))];
    expect(new Set(ids)).to.have.length(2);
  });

  it('attack 85: a namespace that takes all connections (each has a share of them, part A 9.3)', async () => {
    store('bank', 'rome', 'one');
    const rome = await idOf(stageSet('bank', 'rome'));
    store('shop', 'first', 'one');
    const first = await idOf(stageSet('shop', 'first'));
    for (let index = 0; index < 30; index += 1) {
      store('shop', `c-${index}`, 'one');
      await idOf(stageSet('shop', `c-${index}`));
    }
    expect(await idOf(stageSet('bank', 'rome'))).to.equal(rome);
    expect(await idOf(stageSet('shop', 'first'))).to.not.equal(first);
  });

  it('that were replaced are few for a namespace, and end no other one', async () => {
    store('bank', 'rome', 'one');
    await idOf(stageSet('bank', 'rome'));
    store('bank', 'rome', 'two');
    await idOf(stageSet('bank', 'rome'));
    expect(clusters.size).to.equal(2);
    for (let index = 0; index < 30; index += 1) {
      store('shop', 'paris', `t-${index}`);
      await idOf(stageSet('shop', 'paris'));
    }
    expect(clusters.size).to.equal(2 + 1 + 4);
  });

  it('serve the deletion of those who had them, when their Secrets are gone, and of nobody else', async () => {
    store('shop', 'paris', 'one');
    const known = await idOf(stageSet('shop', 'paris'));
    secrets.clear();
    const deleted = stageSet('shop', 'paris', '2026-01-01T00:00:00Z');
    expect(await idOf(deleted)).to.equal(known);
    const stranger = { ...deleted, metadata: { ...deleted.metadata, uid: 'another' } };
    expect(await caught(idOf(stranger))).to.match(/does not exist/);
  });
});
