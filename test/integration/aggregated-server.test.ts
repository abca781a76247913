import { expect } from 'chai';
import type { Playground } from '../../dev/playground.ts';
import { issueCertificate } from '../../src/certs/issue.ts';
import { instant, minutes } from '../../src/core/time.ts';
import { deferred } from '../../src/kubernetes/wait.ts';
import { validateResponse } from '../../src/server/aggregated/contract.ts';
import { aggregatedType } from '../../src/server/aggregated/discovery.ts';
import { apiVersion, group } from '../aggregated/sample-resources.ts';
import {
  type AggregatedStand,
  grant,
  groupPath,
  shopPath,
  startAggregated,
} from '../aggregated/stand.ts';
import { sharedPlayground } from '../playground.ts';

describe('an aggregated server beside a cluster', () => {
  let playground: Playground;
  let stand: AggregatedStand;

  before(async () => {
    playground = await sharedPlayground();
    stand = await startAggregated(playground);
    const resources = 'stagesets,stagesets/plan,stagesets/advance,stageplans';
    await grant(playground, 'olga', 'get,list,create,update,patch', resources);
    await grant(playground, 'vera', 'get', 'stagesets/plan');
  });

  after(async () => stand.stop());

  afterEach(function () {
    if (this.currentTest?.state === 'failed') process.stderr.write(stand.log.slice(-5).join(''));
  });

  beforeEach(() => {
    stand.samples.asked.length = 0;
    stand.samples.special.clear();
  });

  describe('finding out who asks', () => {
    it('believes the front proxy, with groups and extra', async () => {
      const { asked } = stand.samples;
      const answer = await stand.askFor(
        'olga',
        {
          path: `${shopPath}/plan`,
          headers: { 'X-Remote-Uid': 'u1', 'X-Remote-Extra-Example.com%2fRole': 'deputy' },
        },
        ['sales', 'system:authenticated'],
      );
      expect(answer.status, answer.body).to.equal(200);
      expect(asked[0]?.caller).to.deep.equal({
        user: 'olga',
        uid: 'u1',
        groups: ['sales', 'system:authenticated'],
        extra: { 'example.com/role': ['deputy'] },
      });
    });

    it('takes a client certificate of the cluster for who it names', async () => {
      const olga = await issueCertificate(stand.clusterCa, {
        commonName: 'olga',
        organizations: ['sales'],
        usage: 'client',
        validFor: minutes(5),
        now: instant(Date.now()),
      });
      const answer = await stand.ask({ path: `${shopPath}/plan`, as: olga });
      expect(answer.status, answer.body).to.equal(200);
      expect(stand.samples.asked[0]?.caller).to.deep.equal({
        user: 'olga',
        groups: ['sales', 'system:authenticated'],
        extra: {},
      });
    });

    it('has a bearer token reviewed, once for many requests', async () => {
      const { cluster } = playground;
      await cluster.kubectl(['create', 'serviceaccount', 'robot']);
      const token = (await cluster.kubectl(['create', 'token', 'robot'])).stdout.trim();
      const headers = { Authorization: `Bearer ${token}` };
      stand.reviews.length = 0;
      for (const path of [`${shopPath}/plan`, `${shopPath}/plan`]) {
        const answer = await stand.ask({ path, headers });
        expect(answer.status).to.equal(403);
        expect(answer.body).to.include('User \\"system:serviceaccount:default:robot\\" cannot get');
      }
      expect(stand.reviews).to.deep.equal(['TokenReview', 'SubjectAccessReview']);
    });

    it('refuses everybody else with 401, but for health and version', async () => {
      for (const path of [`${shopPath}/plan`, groupPath, '/openapi/v3', '/metrics']) {
        const answer = await stand.ask({ path });
        expect(answer.status, path).to.equal(401);
        expect(JSON.parse(answer.body)).to.include({ reason: 'Unauthorized', code: 401 });
      }
      for (const path of ['/healthz', '/livez', '/readyz', '/readyz/authentication', '/version']) {
        expect((await stand.ask({ path })).status, path).to.equal(200);
      }
    });
  });

  describe('finding out what somebody may', () => {
    it('refuses in the words of Kubernetes before it looks anything up', async () => {
      const answer = await stand.askFor('vera', { path: `${shopPath}/advance` });
      expect(answer.status).to.equal(403);
      expect(JSON.parse(answer.body)).to.deep.equal({
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message:
          'stagesets.subresources.stages.metio.wtf "shop" is forbidden: User "vera" cannot get resource "stagesets/advance" in API group "subresources.stages.metio.wtf" in the namespace "default"',
        reason: 'Forbidden',
        details: { name: 'shop', group, kind: 'stagesets' },
        code: 403,
      });
      expect(stand.samples.asked).to.deep.equal([]);
    });

    it('asks the cluster once for equal questions, however many come at once', async () => {
      stand.reviews.length = 0;
      const answers = await Promise.all(
        [1, 2, 3, 4].map(
          async () => await stand.askFor('vera', { path: `${shopPath}-2/plan` }, ['once']),
        ),
      );
      expect(answers.map(({ status }) => status)).to.deep.equal([404, 404, 404, 404]);
      expect(stand.reviews).to.deep.equal(['SubjectAccessReview']);
    });

    it('tells a handler of one more right', async () => {
      const rights: boolean[] = [];
      stand.samples.special.set('rights', async (request) => {
        rights.push(await request.may('patch'), await request.may('override'));
        return { object: {} };
      });
      const path = `${groupPath}/namespaces/default/stagesets/rights/advance`;
      expect((await stand.askFor('olga', { path })).status).to.equal(200);
      expect(rights).to.deep.equal([true, false]);
    });
  });

  describe('answers', () => {
    it('gives JSON, YAML, a Table or text, as asked for', async () => {
      const path = `${shopPath}/plan`;
      const json = await stand.askFor('olga', { path });
      expect(json.headers).to.include({
        'content-type': 'application/json',
        'cache-control': 'no-cache, private',
        'x-content-type-options': 'nosniff',
      });
      expect(validateResponse('StagePlan', JSON.parse(json.body))).to.deep.equal([]);
      const yaml = await stand.askFor('olga', { path, headers: { Accept: 'application/yaml' } });
      expect(yaml.headers['content-type']).to.equal('application/yaml');
      expect(yaml.body).to.match(
        /^apiVersion: subresources.stages.metio.wtf\/v1\nkind: StagePlan\n/,
      );
      const Accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
      const table = await stand.askFor('olga', { path, headers: { Accept } });
      expect(JSON.parse(table.body)).to.deep.include({
        kind: 'Table',
        apiVersion: 'meta.k8s.io/v1',
        rows: [
          {
            cells: ['shop', 'UpToDate', 'sha256:0'],
            object: {
              kind: 'PartialObjectMetadata',
              apiVersion: 'meta.k8s.io/v1',
              metadata: { name: 'shop', namespace: 'default' },
            },
          },
        ],
      });
      const text = await stand.askFor('olga', { path: `${path}?output=text` });
      expect(text.headers['content-type']).to.equal('text/plain; charset=utf-8');
      expect(text.body).to.equal('nothing to do\n');
      const protobuf = await stand.askFor('olga', {
        path,
        headers: { Accept: 'application/vnd.kubernetes.protobuf' },
      });
      expect(protobuf.status).to.equal(406);
    });

    it('echoes the audit id, indents for people, and warns of what it ignores', async () => {
      const answer = await stand.askFor('olga', {
        method: 'POST',
        path: `${shopPath}/plan?fieldValidation=Warn&pretty=true`,
        headers: { 'Audit-ID': 'abc-1' },
        body: JSON.stringify({ apiVersion, kind: 'StagePlan', spec: { verison: '2' } }),
      });
      expect(answer.status, answer.body).to.equal(201);
      expect(answer.headers['audit-id']).to.equal('abc-1');
      expect(answer.headers['warning']).to.equal('299 - "unknown field \\"spec.verison\\""');
      expect(answer.body).to.match(/^{\n {2}"apiVersion"/);
    });

    it('names the fields that the contract refuses', async () => {
      const answer = await stand.askFor('olga', {
        method: 'PATCH',
        path: `${shopPath}/advance`,
        headers: { 'Content-Type': 'application/merge-patch+json' },
        body: JSON.stringify({ spec: { stage: '', gate: 'Door', override: 'yes' } }),
      });
      expect(answer.status).to.equal(422);
      const status = JSON.parse(answer.body) as { details: { causes: { field: string }[] } };
      expect(status.details.causes.map(({ field }) => field).sort()).to.deep.equal([
        'spec.gate',
        'spec.override',
        'spec.runId',
        'spec.stage',
      ]);
      expect(validateResponse('Status', status)).to.deep.equal([]);
    });

    it('says which methods there are, and that nothing can be watched', async () => {
      await grant(playground, 'dora', '*', '*');
      const put = await stand.askFor('dora', {
        method: 'PUT',
        path: `${shopPath}/plan`,
        body: '{}',
      });
      expect(put.status).to.equal(405);
      expect(put.headers['allow']).to.equal('GET, POST');
      const watched = await stand.askFor('dora', {
        path: `${groupPath}/namespaces/default/stageplans?watch=true`,
      });
      expect(watched.status).to.equal(405);
      expect(watched.body).to.include('watch stageruns.stages.metio.wtf');
      for (const method of ['DELETE', 'TRACE']) {
        expect((await stand.askFor('dora', { method, path: shopPath })).status).to.equal(405);
      }
    });

    it('tells a handler to try without effect, and takes no other wish than All', async () => {
      const body = JSON.stringify({ spec: { stage: 'web', runId: 'abc' } });
      const ask = async (query: string): Promise<number> => {
        const question = { method: 'PUT', path: `${shopPath}/advance${query}`, body };
        return (await stand.askFor('olga', question)).status;
      };
      expect(await ask('')).to.equal(200);
      expect(await ask('?dryRun=All')).to.equal(200);
      expect(stand.samples.asked.map(({ dryRun }) => dryRun)).to.deep.equal([false, true]);
      expect(await ask('?dryRun=true')).to.equal(400);
    });

    it('gives up in time', async () => {
      stand.samples.special.set(
        'slow',
        async ({ signal }) =>
          await new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('aborted')));
          }),
      );
      const path = `${groupPath}/namespaces/default/stagesets/slow/plan?timeout=200ms`;
      const answer = await stand.askFor('olga', { path });
      expect(answer.status).to.equal(504);
      expect(JSON.parse(answer.body)).to.include({ reason: 'Timeout' });
    });

    it('tells nobody but its log what went wrong inside', async () => {
      stand.samples.special.set('broken', () => Promise.reject(new Error('at 10.0.0.7:6443')));
      const path = `${groupPath}/namespaces/default/stagesets/broken/plan`;
      const answer = await stand.askFor('olga', { path });
      expect(answer.status).to.equal(500);
      expect(answer.body).to.not.include('10.0.0.7');
      expect(stand.log.join('')).to.include('10.0.0.7');
    });

    it('gives one user a share only', async () => {
      const { promise, resolve } = deferred<undefined>();
      stand.samples.special.set('busy', async () => {
        await promise;
        return { object: {} };
      });
      const path = `${groupPath}/namespaces/default/stagesets/busy/plan`;
      const busy = Array.from({ length: 26 }, async () => {
        const answer = await stand.askFor('olga', { path });
        if (answer.status === 429) resolve(undefined);
        return answer;
      });
      const statuses = (await Promise.all(busy)).map(({ status }) => status).sort();
      expect(statuses).to.deep.equal([...Array.from({ length: 25 }, () => 200), 429]);
    });
  });

  describe('discovery', () => {
    const admin = ['system:masters'];

    it('lists group and resources', async () => {
      const groups = await stand.askFor('a', { path: '/apis' }, admin);
      expect(JSON.parse(groups.body)).to.have.nested.property('groups[0].name', group);
      const one = await stand.askFor('a', { path: `/apis/${group}` }, admin);
      expect(JSON.parse(one.body)).to.have.property('kind', 'APIGroup');
      const list = await stand.askFor('a', { path: groupPath }, admin);
      const { resources } = JSON.parse(list.body) as { resources: { name: string }[] };
      expect(resources.map(({ name }) => name)).to.deep.equal([
        'stagesets',
        'stagesets/plan',
        'stagesets/advance',
        'stageplans',
      ]);
    });

    it('answers aggregated discovery by its exact media type', async () => {
      for (const version of ['v2', 'v2beta1'] as const) {
        const Accept = `${aggregatedType(version)},application/json`;
        const answer = await stand.askFor('a', { path: '/apis', headers: { Accept } }, admin);
        expect(answer.headers['content-type']).to.equal(aggregatedType(version));
        expect(JSON.parse(answer.body)).to.include({
          kind: 'APIGroupDiscoveryList',
          apiVersion: `apidiscovery.k8s.io/${version}`,
        });
      }
    });

    it('serves the contract under a hash that may be kept for ever', async () => {
      const root = await stand.askFor('a', { path: '/openapi/v3' }, admin);
      const { paths } = JSON.parse(root.body) as {
        paths: Record<string, { serverRelativeURL: string }>;
      };
      const url = paths[`apis/${group}/v1`]?.serverRelativeURL ?? '';
      const found = await stand.askFor('a', { path: url }, admin);
      expect(found.headers['cache-control']).to.include('immutable');
      const etag = found.headers.etag ?? '';
      const again = await stand.askFor(
        'a',
        { path: url, headers: { 'If-None-Match': etag } },
        admin,
      );
      expect(again.status).to.equal(304);
      const older = await stand.askFor('a', { path: url.replace(/=.*/, '=0') }, admin);
      expect(older.status).to.equal(301);
      expect(older.headers.location).to.equal(url);
    });
  });
});
