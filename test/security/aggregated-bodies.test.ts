import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import type { Playground } from '../../dev/playground.ts';
import { deferred } from '../../src/kubernetes/wait.ts';
import { apiVersion } from '../aggregated/sample-resources.ts';
import {
  type AggregatedStand,
  grant,
  openSocket,
  type Reply,
  shopPath,
  startAggregated,
} from '../aggregated/stand.ts';
import { sharedPlayground } from '../playground.ts';

const planPath = `${shopPath}/plan`;

describe('attacks on the aggregated API by what is sent', () => {
  let playground: Playground;
  let stand: AggregatedStand;

  before(async () => {
    playground = await sharedPlayground();
    const timeouts = {
      headersTimeout: 500,
      requestTimeout: 1_000,
      connectionsCheckingInterval: 100,
    };
    stand = await startAggregated(playground, {}, timeouts);
    await grant(playground, 'olga', 'get,create,patch', 'stagesets/plan,stagesets/advance');
  });

  after(async () => stand.stop());

  beforeEach(() => {
    stand.samples.asked.length = 0;
  });

  /** Posts a body to `advance` as somebody who may. */
  const post = async (
    body: string,
    contentType = 'application/json',
    more: Record<string, string> = {},
  ): Promise<Reply> =>
    await stand.askFor('olga', {
      method: 'POST',
      path: `${shopPath}/advance`,
      headers: { 'Content-Type': contentType, ...more },
      body,
    });

  /** Nobody must have come as far as a handler. */
  const expectRefused = (reply: Reply, status: number): void => {
    expect(reply.status, reply.body).to.equal(status);
    expect(JSON.parse(reply.body)).to.include({ kind: 'Status', code: status });
    expect(stand.samples.asked).to.deep.equal([]);
  };

  describe('attack 10: bodies and headers that are too big or too slow (3 MiB, and timeouts against slow clients, aggregated API 3)', () => {
    it('refuses a giant body by its length, without reading it', async () => {
      const reply = await post('x'.repeat(4 * 1024 * 1024));
      expectRefused(reply, 413);
    });

    it('refuses a giant body that does not tell its length', async () => {
      const socket = await openSocket(stand);
      socket.write(
        `POST ${shopPath}/advance HTTP/1.1\r\nHost: x\r\nX-Remote-User: olga\r\n` +
          'Transfer-Encoding: chunked\r\n\r\n',
      );
      const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`;
      socket.write(chunk.repeat(4));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).to.match(/^HTTP\/1.1 413 /);
      socket.destroy();
      expect(stand.samples.asked).to.deep.equal([]);
    });

    it('gives up on a body that does not come', async () => {
      const socket = await openSocket(stand);
      socket.write(
        `POST ${shopPath}/advance HTTP/1.1\r\nHost: x\r\nX-Remote-User: olga\r\n` +
          'Content-Length: 100\r\n\r\n{',
      );
      expect(await text(socket)).to.match(/^HTTP\/1.1 (408|504) /);
    });

    it('gives up on headers that do not end', async () => {
      const socket = await openSocket(stand);
      socket.write(`GET ${planPath} HTTP/1.1\r\nHost: x\r\n`);
      expect(await text(socket)).to.match(/^HTTP\/1.1 408 /);
    });

    it('refuses headers without end', async () => {
      const socket = await openSocket(stand);
      // The server closes while we still write: whether its answer arrives is up to the network.
      socket.on('error', () => undefined);
      let answer = '';
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
      });
      socket.write(`GET ${planPath} HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(70_000)}\r\n\r\n`);
      await once(socket, 'close');
      expect(answer).to.match(/^(HTTP\/1.1 431 |$)/);
      expect(stand.samples.asked).to.deep.equal([]);
    });
  });

  describe('attack 43: an answer that nobody reads (requests under way are limited, aggregated API 3)', () => {
    it('counts as a request under way until it is read, or its reader goes', async () => {
      const few = { most: 10, mostOfOneUser: 1 };
      const small = await startAggregated(playground, { limits: { reading: few, writing: few } });
      try {
        const answered = deferred<undefined>();
        small.samples.special.set('large', async () => {
          answered.resolve(undefined);
          const status = { text: 'x'.repeat(64 * 1024 * 1024) };
          return await Promise.resolve({ object: { apiVersion, kind: 'StagePlan', status } });
        });
        const path = planPath.replace('/shop/', '/large/');
        const socket = await openSocket(small);
        socket.pause();
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nX-Remote-User: olga\r\n\r\n`);
        await answered.promise;
        await once(socket, 'readable');
        expect((await small.askFor('olga', { path: planPath })).status).to.equal(429);
        const gone = once(socket, 'close');
        socket.destroy();
        await gone;
        let status = 429;
        for (const until = Date.now() + 10_000; status === 429 && Date.now() < until; ) {
          status = (await small.askFor('olga', { path: planPath })).status;
        }
        expect(status).to.equal(200);
      } finally {
        await small.stop();
      }
    });
  });

  describe('attack 11: JSON that hurts its reader (depth and keys are bounded, aggregated API 3)', () => {
    const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const keys = Array.from({ length: 30_000 }, (_, index) => `"k${index}":0`).join();
    for (const [what, body] of [
      ['great depth', `{"spec":${deep(100_000)}}`],
      ['very many fields', `{"spec":{${keys}}}`],
      ['__proto__', '{"spec":{"stage":"a","runId":"b","__proto__":{"override":true}}}'],
      ['__proto__ in disguise', '{"\\u005f_proto__":{"spec":{}}}'],
      ['a field twice', '{"spec":{"stage":"a","runId":"b","stage":"c"}}'],
      ['a field twice in disguise', '{"spec":{"stage":"a","runId":"b","st\\u0061ge":"c"}}'],
      ['no object', '[1]'],
      ['no JSON', '{"spec":'],
      ['no UTF-8 in the eyes of a strict reader', '{"spec":NaN}'],
      ['nothing', ''],
    ] as const) {
      it(`is refused: ${what}`, async () => expectRefused(await post(body), 400));
    }

    it('does not take constructors for fields', async () => {
      const reply = await post('{"spec":{"stage":"a","runId":"b","constructor":{"x":1}}}');
      expectRefused(reply, 400);
      expect(reply.body).to.include('unknown field \\"spec.constructor\\"');
    });
  });

  describe('attack 12: YAML that grows (aliases are bounded, aggregated API 3)', () => {
    it('is refused before it has grown', async () => {
      const levels = Array.from(
        { length: 12 },
        (_, at) => `l${at + 1}: &l${at + 1} [${Array.from({ length: 9 }, () => `*l${at}`).join()}]`,
      );
      const began = performance.now();
      expectRefused(await post(`l0: &l0 lol\n${levels.join('\n')}\n`, 'application/yaml'), 400);
      expect(performance.now() - began).to.be.below(2_000);
    });

    it('is refused when it contains itself', async () => {
      expectRefused(await post('spec: &a\n  stage: *a\n', 'application/yaml'), 400);
    });

    it('is refused when it is long, since it takes so much longer than JSON', async () => {
      expectRefused(await post(`a: ${'x'.repeat(300 * 1024)}`, 'application/yaml'), 413);
    });

    it('is refused with tags, merged prototypes and fields twice', async () => {
      for (const body of [
        'spec: !!js/function "x"',
        '__proto__: {spec: {}}',
        'spec: {stage: a, stage: b}',
        '{"spec":{"stage":"a","stage":"b"}}',
        'a: 1\n---\nb: 2\n',
      ]) {
        expectRefused(await post(body, 'application/yaml'), 400);
      }
    });
  });

  describe('attack 13: a content type that is not what it says (other types are refused, aggregated API 3)', () => {
    const body = JSON.stringify({ spec: { stage: 'a', runId: 'b' } });
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/vnd.kubernetes.protobuf',
      'application/cbor',
      'application/merge-patch+json',
      'application/json; charset=utf-16',
      'application/json, application/yaml',
    ]) {
      it(`is refused: ${type}`, async () => expectRefused(await post(body, type), 415));
    }

    it('refuses compressed bodies', async () => {
      expectRefused(await post(body, 'application/json', { 'Content-Encoding': 'gzip' }), 415);
    });

    it('takes no patch but a merge patch', async () => {
      for (const type of ['application/json', 'application/json-patch+json', 'text/json']) {
        const headers = { 'Content-Type': type };
        const path = `${shopPath}/advance`;
        expectRefused(await stand.askFor('olga', { method: 'PATCH', path, headers, body }), 415);
      }
    });

    it('refuses a body about another object than the path', async () => {
      for (const other of [
        { kind: 'StagePlan' },
        { apiVersion: 'v1' },
        { metadata: { name: 'other' } },
        { metadata: { namespace: 'kube-system' } },
        { metadata: [] },
      ]) {
        expectRefused(await post(JSON.stringify({ apiVersion, ...other })), 400);
      }
    });
  });
});
