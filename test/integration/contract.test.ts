import { expect } from 'chai';
import { type RunningApi, startApi } from '../../dev/aggregated-api.ts';
import { isJsonObject } from '../../src/core/validate/json-object.ts';
import { configMap } from '../objects.ts';
import { removeStageSets, sharedPlayground, showLog } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';
import { base, DocumentedApi } from './documented-api.ts';

const apiVersion = 'subresources.stages.metio.wtf/v1';
const asTable = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/** Lacks every permission. */
const nobody = { user: 'nobody', groups: [] };
/** May pass gates, but not override. */
const olga = { user: 'olga', groups: [] };

describe('every answer of the aggregated API', () => {
  let process: RunningApi;
  let api: DocumentedApi;
  let shop: TestNamespace;
  let runId: string;
  let stageSet: string;

  before('start the API, with a StageSet that is held', async () => {
    const playground = await sharedPlayground();
    process = await startApi(playground, { flags: ['--log-level=debug'] });
    const flag = process.flags.find((each) => each.startsWith('--api-service-port='));
    api = await DocumentedApi.of(playground.cluster, Number(flag?.split('=')[1]));
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'passes' } };
    const call = { signal: AbortSignal.timeout(30_000) };
    const rules = [
      {
        apiGroups: ['subresources.stages.metio.wtf'],
        resources: ['stagesets/advance'],
        verbs: ['get', 'create', 'update', 'patch'],
      },
    ];
    await playground.client.create({ ...rbac, kind: 'ClusterRole', rules }, {}, call);
    const apiGroup = 'rbac.authorization.k8s.io';
    const roleRef = { apiGroup, kind: 'ClusterRole', name: 'passes' };
    const subjects = [{ apiGroup, kind: 'User', name: 'olga' }];
    const binding = { ...rbac, kind: 'ClusterRoleBinding', roleRef, subjects };
    await playground.client.create(binding, {}, call);
    shop = await TestNamespace.create(playground);
    await shop.publish('web', 'v1', [configMap('web', { a: '1' }), configMap('old')]);
    await shop.publish('api', 'v1', [configMap('api')]);
    const promotion = { requireManualPromotion: true };
    await shop.createStageSet([{ name: 'web', sourceRef: { name: 'web' }, promotion }, 'api']);
    await shop.untilReason('AwaitingPromotion');
    stageSet = `${base}/namespaces/${shop.name}/stagesets/shop`;
    runId = await currentRun();
  });
  afterEach('show what went wrong', function () {
    if (this.currentTest?.state === 'failed') showLog(process.process);
  });
  after('stop the API', async () => {
    const playground = await sharedPlayground();
    await removeStageSets(playground);
    await process.process.stop();
    await playground.cluster.kubectl(['delete', 'clusterrole,clusterrolebinding', 'passes']);
  });

  async function currentRun(): Promise<string> {
    const { json } = await api.expect(200, `${stageSet}/advance`);
    return textAt(json, 'status', 'runId');
  }

  /** Another run that is held as the first one was. */
  async function holdAgain(revision: string): Promise<void> {
    await shop.publish('web', revision, [configMap('web', { revision })]);
    await shop.untilReason('AwaitingPromotion');
    runId = await currentRun();
  }

  const plan = (spec: unknown): unknown => ({ apiVersion, kind: 'StagePlan', spec });
  const advance = (spec: unknown): unknown => ({ apiVersion, kind: 'StageAdvance', spec });
  const inNamespace = (path: string): string => `${base}/namespaces/${shop.name}/${path}`;

  it('to a StageSet', async () => {
    await api.expect(200, stageSet);
    await api.expect(200, stageSet, { accept: asTable });
    await api.expect(403, stageSet, nobody);
    await api.expect(404, inNamespace('stagesets/no-such'));
    await api.expect(406, stageSet, { accept: 'application/vnd.kubernetes.protobuf' });
  });

  for (const path of ['stagesets/shop/plan', 'stageplans/shop']) {
    it(`to a plan by ${path}`, async () => {
      const url = inNamespace(path);
      for (const query of ['', '?diff=false', '?stage=web', '?limit=1', '?pretty=true']) {
        await api.expect(200, `${url}${query}`);
      }
      await api.expect(200, `${url}?output=text`);
      await api.expect(200, url, { accept: asTable });
      await api.expect(400, `${url}?stage=no-such`);
      await api.expect(400, `${url}?limit=many`);
      await api.expect(400, `${url}?output=poem`);
      await api.expect(403, url, nobody);
      await api.expect(404, url.replace(/shop(?=\/plan|$)/, 'no-such'));
      await api.expect(405, `${url}?watch=true`);
    });
  }

  it('to a plan of what if: what would be created, changed, pruned, refused, and is invalid', async () => {
    const url = `${stageSet}/plan`;
    const ask = async (status: number, spec: unknown, query = ''): Promise<unknown> => {
      const { json } = await api.expect(status, `${url}${query}`, {
        method: 'POST',
        body: plan(spec),
      });
      return json;
    };
    const verbs = async (stages: unknown): Promise<string> =>
      JSON.stringify(await ask(201, { proposed: { interval: '1h', stages } }));
    await ask(201, {});
    await ask(201, {}, '?dryRun=All&diff=false');
    await api.expect(201, `${url}?output=text`, { method: 'POST', body: plan({}) });
    await api.expect(201, url, { method: 'POST', body: plan({}), accept: asTable });
    const invalid = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bad' }, data: 7 };
    await shop.publish('next', 'v2', [configMap('web', { a: '2' }), configMap('new'), invalid]);
    const next = await verbs([{ name: 'web', sourceRef: { name: 'next' } }]);
    for (const verb of ['Create', 'Update', 'Prune', 'error']) expect(next).to.include(`"${verb}"`);
    expect(await verbs([])).to.include('"Invalid"');
    expect(await verbs([{ name: 'web', sourceRef: { name: 'no-such' } }])).to.include('"Blocked"');
    expect(JSON.stringify(await ask(201, { at: '2031-01-01T00:00:00Z' }))).to.include('holds');
    await ask(422, { revisions: 7 });
    await api.expect(400, url, { method: 'POST', body: '{' });
    await api.expect(400, url, { method: 'POST', body: { apiVersion: 'v1', kind: 'Pod' } });
    await api.expect(403, url, { ...nobody, method: 'POST', body: plan({}) });
    const missing = url.replace('/shop/', '/no-such/');
    await api.expect(404, missing, { method: 'POST', body: plan({}) });
    await api.expect(415, url, { method: 'POST', body: 'x', contentType: 'text/html' });
  });

  it('to what holds a run', async () => {
    await api.expect(200, `${stageSet}/advance`);
    await api.expect(200, `${stageSet}/advance`, { accept: asTable });
    await api.expect(200, `${stageSet}/advance`, olga);
    await api.expect(403, `${stageSet}/advance`, nobody);
    await api.expect(404, inNamespace('stagesets/no-such/advance'));
  });

  for (const method of ['POST', 'PUT', 'PATCH']) {
    it(`to an advance by ${method}`, async () => {
      const url = `${stageSet}/advance`;
      if (method !== 'POST') await holdAgain(method);
      const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const code = method === 'POST' ? 201 : 200;
      const ask = async (
        status: number,
        spec: unknown,
        { path = url, ...who }: { path?: string; user?: string; groups?: string[] } = {},
      ): Promise<void> => {
        await api.expect(status, path, { method, contentType, body: advance(spec), ...who });
      };
      const spec = { stage: 'web', runId, reason: 'seen' };
      await ask(403, spec, nobody);
      await ask(403, { ...spec, override: true }, olga);
      await ask(404, spec, { path: url.replace('/shop/', '/no-such/') });
      await ask(409, { ...spec, runId: 'another' });
      await ask(409, { ...spec, planDigest: 'sha256:other' });
      await ask(422, { ...spec, stage: 'api' });
      await ask(422, { ...spec, runId: 7 });
      await ask(422, { ...spec, gate: 'Soak' });
      await api.expect(415, url, { method, body: 'x', contentType: 'text/html' });
      await ask(code, spec, { path: `${url}?dryRun=All` });
      // Recorded once; the same advance again is the same advance.
      await ask(code, spec);
      await ask(code, spec);
      await api.expect(code, url, { method, contentType, body: advance(spec), accept: asTable });
      await shop.untilReady();
    });
  }

  for (const path of ['stagesets/shop/history', 'stagehistories/shop']) {
    it(`to a history by ${path}`, async () => {
      const url = inNamespace(path);
      const queries = [
        '',
        '?limit=1',
        '?stage=web',
        '?outcome=Succeeded',
        '?since=1h',
        '?run=shop-1',
      ];
      for (const query of queries) await api.expect(200, `${url}${query}`);
      await api.expect(200, `${url}?output=text`);
      await api.expect(200, url, { accept: asTable });
      await api.expect(400, `${url}?since=yesterday`);
      await api.expect(400, `${url}?outcome=Great`);
      await api.expect(403, url, nobody);
      await api.expect(404, url.replace(/shop(?=\/history|$)/, 'no-such'));
      await api.expect(405, `${url}?watch=true`);
      await api.expect(400, `${url}?continue=forged`);
    });
  }

  for (const collection of ['stageplans', 'stagehistories']) {
    for (const everywhere of [true, false]) {
      it(`to a list of ${collection} of ${everywhere ? 'all namespaces' : 'one'}`, async () => {
        const url = everywhere ? `${base}/${collection}` : inNamespace(collection);
        await api.expect(200, url);
        await api.expect(200, `${url}?limit=1`);
        await api.expect(200, url, { accept: asTable });
        await api.expect(400, `${url}?limit=-1`);
        await api.expect(403, url, nobody);
        await api.expect(405, `${url}?watch=true`);
        await api.expect(400, `${url}?continue=forged`);
      });
    }
  }

  it('to whoever looks for what there is: resources and verbs are those of the document', async () => {
    const { json } = await api.ask(base);
    const resources = itemsOf(json, 'resources').flatMap(({ name, verbs }) =>
      Array.isArray(verbs) ? verbs.map((verb) => `${String(verb)} ${String(name)}`) : [],
    );
    const actions = { POST: 'create', PUT: 'update', PATCH: 'patch' } as Record<string, string>;
    const documented = api.operations.map((operation) => {
      const [method = '', path = ''] = operation.split(' ');
      const [resource = '', name, subresource] = path
        .slice(base.length + 1)
        .replace('namespaces/{namespace}/', '')
        .split('/');
      const verb = actions[method] ?? (name === undefined ? 'list' : 'get');
      return `${verb} ${subresource === undefined ? resource : `${resource}/${subresource}`}`;
    });
    expect([...resources].sort()).to.deep.equal([...new Set(documented)].sort());
  });

  it('to probes', async () => {
    for (const path of ['/healthz', '/livez', '/readyz']) {
      const { status, text, type } = await api.ask(path, nobody);
      expect([status, text, type]).to.deep.equal([200, 'ok', 'text/plain']);
    }
    expect((await api.ask('/version')).json).to.include({ compiler: 'node' });
  });

  it('is one of those that the document has, and there is none that was not got here', () => {
    expect(api.missing).to.deep.equal([]);
  });
});

function textAt(value: unknown, ...path: readonly string[]): string {
  let found: unknown = value;
  for (const name of path) found = isJsonObject(found) ? found[name] : undefined;
  if (typeof found !== 'string') throw new Error(`no text at ${path.join('.')}`);
  return found;
}

function itemsOf(value: unknown, name: string): Record<string, unknown>[] {
  const list = isJsonObject(value) ? value[name] : undefined;
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}
