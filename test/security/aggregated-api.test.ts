import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import type { Playground } from '../../dev/playground.ts';
import { createAuthority, type KeyAndCertificate } from '../../src/certs/authority.ts';
import { issueCertificate, type LeafRequest } from '../../src/certs/issue.ts';
import { type Instant, instant, minutes } from '../../src/core/time.ts';
import { ContinueTokens } from '../../src/server/aggregated/continue-token.ts';
import { StatusError } from '../../src/server/aggregated/status-error.ts';
import {
  type AggregatedStand,
  grant,
  groupPath,
  openSocket,
  type Reply,
  shopPath,
  startAggregated,
} from '../aggregated/stand.ts';
import { sharedPlayground } from '../playground.ts';

const planPath = `${shopPath}/plan`;
const now = (): Instant => instant(Date.now());

describe('attacks on the aggregated API', () => {
  let playground: Playground;
  let stand: AggregatedStand;

  before(async () => {
    playground = await sharedPlayground();
    stand = await startAggregated(playground);
    const resources = 'stagesets,stagesets/plan,stagesets/advance,stageplans';
    await grant(playground, 'olga', 'get,list,create,update,patch', resources);
  });

  after(async () => stand.stop());

  beforeEach(() => {
    stand.samples.asked.length = 0;
    stand.samples.special.clear();
  });

  const client = async (
    authority: AggregatedStand['ca'],
    changes: Partial<LeafRequest> = {},
  ): Promise<KeyAndCertificate> =>
    await issueCertificate(authority, {
      commonName: 'front-proxy-client',
      usage: 'client',
      validFor: minutes(5),
      now: now(),
      ...changes,
    });

  const asAdmin = ['X-Remote-User', 'admin', 'X-Remote-Group', 'system:masters'];

  /** Nobody must have come as far as a handler. */
  const expectRefused = (reply: Reply, status: number): void => {
    expect(reply.status, reply.body).to.equal(status);
    expect(JSON.parse(reply.body)).to.include({ kind: 'Status', code: status });
    expect(stand.samples.asked).to.deep.equal([]);
  };

  describe('attack 1: X-Remote-User without a certificate (the headers count with the certificate of the proxy alone, aggregated API 2)', () => {
    it('counts for nothing', async () => {
      expectRefused(await stand.ask({ path: planPath, headers: asAdmin }), 401);
    });
  });

  describe('attack 2: X-Remote-User with a certificate of the client authority (the authority of clients makes no proxy, aggregated API 2)', () => {
    it('leaves the sender who the certificate says', async () => {
      const as = await client(stand.clusterCa, { commonName: 'mallory' });
      const reply = await stand.ask({ path: planPath, headers: asAdmin, as });
      expectRefused(reply, 403);
      expect(reply.body).to.include('User \\"mallory\\" cannot get');
    });

    it('does so also where it bears the name of the front proxy', async () => {
      const as = await client(stand.clusterCa);
      const reply = await stand.ask({ path: planPath, headers: asAdmin, as });
      expectRefused(reply, 403);
      expect(reply.body).to.include('User \\"front-proxy-client\\" cannot get');
    });
  });

  describe('attack 3: X-Remote-User with a certificate of a foreign authority (the certificate is verified, aggregated API 2)', () => {
    it('counts for nothing, though the authority has the right name', async () => {
      const foreign = await createAuthority({
        commonName: 'front-proxy-ca',
        validFor: minutes(5),
        now: now(),
      });
      const as = await client(foreign);
      expectRefused(await stand.ask({ path: planPath, headers: asAdmin, as }), 401);
    });
  });

  describe('attack 4: a certificate of the front proxy outside its time or purpose (it is valid now, and for clients, aggregated API 2)', () => {
    it('counts for nothing once it has ended', async () => {
      const as = await client(stand.frontProxyCa, { now: instant(Date.now() - minutes(30)) });
      expectRefused(await stand.ask({ path: planPath, headers: asAdmin, as }), 401);
    });

    it('counts for nothing before it begins', async () => {
      const as = await client(stand.frontProxyCa, { now: instant(Date.now() + minutes(120)) });
      expectRefused(await stand.ask({ path: planPath, headers: asAdmin, as }), 401);
    });

    it('counts for nothing when it is one for servers', async () => {
      const as = await client(stand.frontProxyCa, { usage: 'server' });
      expectRefused(await stand.ask({ path: planPath, headers: asAdmin, as }), 401);
    });
  });

  describe('attack 5: a certificate of the right authority with a name that is not allowed (only the allowed names are the proxy, aggregated API 2)', () => {
    for (const commonName of ['front-proxy', 'Front-Proxy-Client', 'front-proxy-client\n']) {
      it(`counts for nothing as ${JSON.stringify(commonName)}`, async () => {
        const as = await client(stand.frontProxyCa, { commonName });
        expectRefused(await stand.ask({ path: planPath, headers: asAdmin, as }), 401);
      });
    }
  });

  describe('attack 6: identity headers in odd spellings and numbers (they are dropped before anything looks at them, aggregated API 2)', () => {
    it('drops every spelling from somebody who is no proxy', async () => {
      const as = await client(stand.clusterCa, { commonName: 'olga' });
      const headers = [
        ...['x-rEmOtE-uSeR', 'admin', 'X-REMOTE-USER', 'root', 'x-remote-group', 'system:masters'],
        ...['X-Remote-GROUP', 'system:masters', 'X-Remote-Extra-Scopes', 'all'],
        ...[
          'X-Remote-Uid',
          '0',
          'Impersonate-User',
          'admin',
          'impersonate-group',
          'system:masters',
        ],
      ];
      expect((await stand.ask({ path: planPath, headers, as })).status).to.equal(200);
      expect(stand.samples.asked[0]?.caller).to.deep.equal({
        user: 'olga',
        groups: ['system:authenticated'],
        extra: {},
      });
    });

    it('knows nobody by two names', async () => {
      const headers = ['X-Remote-User', 'olga', 'x-remote-user', 'admin'];
      expectRefused(await stand.ask({ path: planPath, headers, as: stand.proxy }), 401);
    });

    it('does not impersonate for a proxy either', async () => {
      const headers = { 'Impersonate-User': 'admin', 'Impersonate-Group': 'system:masters' };
      await stand.askFor('olga', { path: planPath, headers });
      expect(stand.samples.asked[0]?.caller.user).to.equal('olga');
    });
  });

  describe('attack 7: a body with two lengths (a smuggled request is not read, aggregated API 3)', () => {
    for (const headers of [
      ['Content-Length: 4', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked', 'Content-Length: 4'],
      ['Content-Length: 4', 'Content-Length: 40'],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding: xchunked'],
      ['Content-Length: +4'],
    ]) {
      it(`is not read: ${headers.join(' and ')}`, async () => {
        const socket = await openSocket(stand);
        const smuggled = `GET ${planPath} HTTP/1.1\r\nHost: x\r\nX-Remote-User: olga\r\n\r\n`;
        socket.write(
          `POST ${shopPath}/advance HTTP/1.1\r\nHost: x\r\nX-Remote-User: olga\r\n` +
            `${headers.join('\r\n')}\r\n\r\n0\r\n\r\n${smuggled}`,
        );
        const answer = await text(socket);
        expect(answer).to.match(/^HTTP\/1.1 400 /);
        expect(answer.match(/HTTP\/1.1/g)).to.have.length(1);
        expect(stand.samples.asked).to.deep.equal([]);
      });
    }
  });

  describe('attack 8: paths that mean something else to somebody else (nobody is authorized for one path and served another, aggregated API 2)', () => {
    for (const path of [
      `${groupPath}/namespaces/default/../other/stagesets/shop/plan`,
      `${groupPath}/namespaces/./default/stagesets/shop/plan`,
      `${groupPath}/namespaces/%2e%2e/stagesets/shop/plan`,
      `${groupPath}/namespaces/.%2E/stagesets/shop/plan`,
      `/${shopPath}/plan`,
      `${groupPath}/namespaces//stagesets/shop/plan`,
      `${shopPath};version=2/plan`,
      `${shopPath}%00/plan`,
      `${shopPath}%c0%ae/plan`,
      `${shopPath}\\plan`,
      `${shopPath}%/plan`,
      `${shopPath}#/plan`,
      `https://localhost${planPath}`,
      `/healthz/../${planPath}`,
      `${groupPath}/${'a/'.repeat(2_000)}`,
      `${planPath}?continue=${'a'.repeat(10_000)}`,
    ]) {
      it(`are refused: ${path.slice(0, 100)}`, async () => {
        expectRefused(await stand.askFor('olga', { path }, ['system:masters']), 400);
      });
    }
  });

  describe('attack 9: names with slashes after decoding (a name is one segment, aggregated API 2)', () => {
    for (const path of [
      `${groupPath}/namespaces/default%2Fstagesets%2Fshop/stagesets/shop/plan`,
      `${groupPath}/namespaces/default/stagesets/shop%2fplan`,
      `${groupPath}/namespaces/default/stagesets/..%2f..%2fsecrets/plan`,
      `${groupPath}/namespaces/default/stagesets/shop%252fplan`,
    ]) {
      it(`are refused: ${path.slice(groupPath.length)}`, async () => {
        expectRefused(await stand.askFor('olga', { path }, ['system:masters']), 400);
      });
    }

    it('finds nothing under names that no object can have', async () => {
      for (const name of ['Shop', '-shop', 'shop.', 'a'.repeat(254), 'shop_1', 'a:b']) {
        const path = `${groupPath}/namespaces/default/stagesets/${name}/plan`;
        expectRefused(await stand.askFor('olga', { path }), 404);
      }
    });
  });

  describe('attack 14: forged, old and foreign continue tokens (a token checks itself and is bound to its list, aggregated API 3)', () => {
    let time = 0;
    const tokens = new ContinueTokens({
      key: () => Buffer.alloc(32, 7),
      clock: () => instant(time),
    });

    before(() => {
      time = Date.now();
    });

    beforeEach(() => {
      stand.samples.special.set('paged', ({ namespace, query }) => {
        const position = tokens.read(['plan', namespace], query.get('continue'));
        return Promise.resolve({ object: { position } });
      });
    });

    const page = async (namespace: string, token: string): Promise<Reply> => {
      const query = new URLSearchParams({ continue: token }).toString();
      const path = `${groupPath}/namespaces/${namespace}/stagesets/paged/plan?${query}`;
      return await stand.askFor('root', { path }, ['system:masters']);
    };

    it('go on where they say', async () => {
      const reply = await page('default', tokens.issue(['plan', 'default'], { after: 'a' }));
      expect(JSON.parse(reply.body)).to.deep.equal({ position: { after: 'a' } });
    });

    it('are refused when they are forged', async () => {
      const [payload = '', signature = ''] = tokens.issue(['plan', 'default'], 1).split('.');
      const other = Buffer.from(JSON.stringify({ at: time, position: 2 })).toString('base64url');
      for (const token of [
        `${other}.${signature}`,
        `${payload}.`,
        payload,
        `${payload}.${signature}.x`,
        'x'.repeat(5_000),
      ]) {
        expect((await page('default', token)).status, token.slice(0, 80)).to.equal(400);
      }
    });

    it('are refused in another namespace', async () => {
      const reply = await page('kube-system', tokens.issue(['plan', 'default'], 1));
      expect(reply.status).to.equal(400);
    });

    it('are gone when they are old', async () => {
      const token = tokens.issue(['plan', 'default'], 1);
      time += minutes(6);
      const reply = await page('default', token);
      expect(reply.status).to.equal(410);
      expect(JSON.parse(reply.body)).to.include({ reason: 'Expired' });
    });
  });

  describe('attack 15: finding out what is there without being allowed to (authorize before looking anything up, aggregated API 2)', () => {
    it('gives the same answer for what is there and what is not', async () => {
      const answers = new Set<string>();
      for (const name of ['shop', 'none', 'Not_A_Name']) {
        const path = `${groupPath}/namespaces/default/stagesets/${name}/plan`;
        const reply = await stand.askFor('eve', { path });
        expectRefused(reply, 403);
        answers.add(reply.body.replaceAll(name, 'NAME'));
      }
      expect(answers.size).to.equal(1);
    });

    it('says nothing about namespaces, resources, methods and bodies either', async () => {
      for (const question of [
        { path: `${groupPath}/namespaces/none/stagesets/shop/plan` },
        { path: `${groupPath}/namespaces/default/nothings/shop` },
        { path: `${groupPath}/namespaces/default/stagesets/shop/nothing` },
        { path: shopPath, method: 'DELETE' },
        { path: `${shopPath}/advance`, method: 'POST', body: '{' },
        { path: `${groupPath}/stageplans?watch=true` },
        { path: '/metrics' },
        { path: '/nothing' },
      ]) {
        expectRefused(await stand.askFor('eve', question), 403);
      }
    });
  });

  describe('attack 16: a verdict about one request that serves another (verdicts are kept by all attributes, aggregated API 2)', () => {
    it('keeps apart whatever RBAC, or another authorizer, can tell apart', async () => {
      const other = `${groupPath}/namespaces/kube-system/stagesets/shop`;
      const questions: [string, Record<string, string>, string[]][] = [
        [planPath, {}, []],
        [planPath, {}, ['a', 'b']],
        [planPath, {}, ['a,b']],
        [planPath, { 'X-Remote-Uid': '1' }, []],
        [planPath, { 'X-Remote-Extra-A': '1' }, []],
        [planPath, { 'X-Remote-Extra-B': '1' }, []],
        [`${shopPath}-2/plan`, {}, []],
        [`${shopPath}/advance`, {}, []],
        [shopPath, {}, []],
        [`${other}/plan`, {}, []],
        [`${groupPath}/namespaces/default/stageplans`, {}, []],
        [`${groupPath}/namespaces/default/stageplans/shop`, {}, []],
        [`${groupPath}/stageplans`, {}, []],
      ];
      stand.reviews.length = 0;
      for (const [path, headers, groups] of [...questions, ...questions]) {
        await stand.askFor('zoe', { path, headers }, groups);
      }
      expect(stand.reviews).to.have.length(questions.length);
    });

    it('asks for Secrets of the namespace by themselves, whatever the resource', async () => {
      const answers: boolean[] = [];
      stand.samples.special.set('secrets', async ({ mayGetSecret }) => {
        answers.push(await mayGetSecret('login'));
        throw StatusError.badRequest('enough');
      });
      stand.reviews.length = 0;
      await stand.askFor('olga', {
        path: `${groupPath}/namespaces/default/stagesets/secrets/plan`,
      });
      expect(answers).to.deep.equal([false]);
      expect(stand.reviews).to.have.length(2);
    });

    it('does not lend the verdict of one user to another', async () => {
      expect((await stand.askFor('olga', { path: planPath })).status).to.equal(200);
      stand.samples.asked.length = 0;
      expectRefused(await stand.askFor('olga2', { path: planPath }), 403);
    });
  });
});
