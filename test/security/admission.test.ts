import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { controller, requestFor, stageSet } from '../admission/reviews.ts';
import {
  type AdmissionStand,
  bodyOf,
  contract,
  patchOf,
  paths,
  type Reply,
  startAdmission,
} from '../admission/stand.ts';

const annotation = 'stages.metio.wtf/default-service-account';
const stages = [{ name: 'dev', sourceRef: { name: 'app' } }];
const review = requestFor('StageSet', { object: stageSet({ stages }) });

describe('attacks on the admission webhooks', () => {
  let stand: AdmissionStand;

  before(async () => {
    stand = await startAdmission({
      namespaceAnnotations: async (namespace) =>
        await Promise.resolve({ [annotation]: `of-${namespace}`, 'example.com/secret': 'hunter2' }),
    });
  });

  after(async () => stand.stop());

  const expectRefused = (reply: Reply, status: number): void => {
    expect(reply.status, reply.body).to.equal(status);
    const failure: unknown = JSON.parse(reply.body);
    expect(contract.validateResponse('Status', failure)).to.deep.equal([]);
    expect(failure).to.include({ kind: 'Status', code: status });
  };

  const eachPath = async (act: (path: string) => Promise<void>): Promise<void> => {
    for (const path of Object.values(paths)) await act(path);
  };

  const openSocket = async (): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: stand.port });
    await once(socket, 'connect');
    return socket;
  };

  describe('attack 44: reviews that are too big or too slow (the webhook bounds what it reads, aggregated API 3)', () => {
    it('refuses a giant body by its length', async () => {
      const body = 'x'.repeat(3 * 1024 * 1024 + 1);
      await eachPath(async (path) => expectRefused(await stand.send({ path, body }), 413));
    });

    it('refuses a giant body that does not tell its length, and cuts the connection', async () => {
      const socket = await openSocket();
      // The server closes while we still write: whether all is written is up to the network.
      socket.on('error', () => undefined);
      socket.write(
        `POST ${paths.validateStageSet} HTTP/1.1\r\nHost: x\r\n` +
          'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
      );
      socket.write(`100000\r\n${' '.repeat(0x100000)}\r\n`.repeat(4));
      const [answer] = (await once(socket, 'data')) as [Buffer];
      expect(answer.toString()).to.match(/^HTTP\/1.1 413 [^]*\r\nConnection: close\r\n/i);
      socket.destroy();
    });

    it('takes a body of the greatest size', async () => {
      const body = bodyOf(review);
      const padded = body + ' '.repeat(3 * 1024 * 1024 - body.length);
      const reply = await stand.send({ path: paths.validateStageSet, body: padded });
      expect(reply.status).to.equal(200);
    });

    it('gives up on a body that does not come, within the time for the answer', async () => {
      const socket = await openSocket();
      const began = performance.now();
      socket.write(
        `POST ${paths.validateStageSet}?timeout=300ms HTTP/1.1\r\nHost: x\r\n` +
          'Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
      );
      expect(await text(socket)).to.match(/^HTTP\/1.1 504 /);
      expect(performance.now() - began).to.be.below(2_000);
    });

    it('judges the largest update of a record without holding up others for long', async () => {
      const entries = Array.from({ length: 12_000 }, (_, index) => ({
        id: `team_web-${index}-with-a-name_apps_Deployment`,
        v: 'v1',
      }));
      const object = { metadata: { name: 'shop' }, spec: { entries } };
      const update = requestFor('StageInventory', { object, oldObject: object });
      const userInfo = { username: controller };
      const began = performance.now();
      expect(
        await stand.review(paths.validateStageInventory, { ...update, userInfo }),
      ).to.deep.equal({ uid: 'review-1', allowed: true });
      expect(await stand.review(paths.validateStageInventory, update)).to.deep.equal({
        uid: 'review-1',
        allowed: true,
      });
      expect(performance.now() - began).to.be.below(2_000);
    });
  });

  describe('attack 45: a review whose JSON hurts its reader (depth and keys are bounded, aggregated API 3)', () => {
    const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
    const request = JSON.stringify(review);
    const around = (inner: string): string =>
      `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview",${inner}}`;
    const fields = Array.from({ length: 151_000 }, (_, index) => `"${index}":0`).join();
    for (const [what, body] of [
      ['great depth', around(`"request":${request},"x":${deep(100_000)}`)],
      ['64 levels below the review', around(`"request":${request},"x":${deep(64)}`)],
      ['very many fields', around(`"request":${request},"x":{${fields}}`)],
      ['a request twice', around(`"request":${request},"request":${request}`)],
      ['a request twice in disguise', around(`"request":${request},"re\\u0071uest":{}`)],
      [
        'an object twice',
        bodyOf(review).replace('"object":', '"object":{"spec":{"stages":[]}},"object":'),
      ],
      ['__proto__', bodyOf(review).replace('"object":{', '"object":{"__proto__":{"a":1},')],
      [
        '__proto__ in disguise',
        bodyOf(review).replace('"object":{', '"object":{"\\u005f_proto__":{"a":1},'),
      ],
      ['no JSON', around('"request":NaN')],
      ['nothing', ''],
    ] as const) {
      it(`is refused: ${what}`, async () => {
        await eachPath(async (path) => expectRefused(await stand.send({ path, body }), 400));
      });
    }

    it('is read as data where it has the names of what every object has', async () => {
      const object = stageSet(
        { constructor: { prototype: { allowed: true } }, toString: 'x', stages },
        { annotations: { hasOwnProperty: 'x', constructor: 'y' } },
      );
      const answer = await stand.review(
        paths.mutateStageSet,
        requestFor('StageSet', { object, namespace: 'constructor' }),
      );
      expect(patchOf(answer)[0]).to.deep.equal({
        op: 'add',
        path: '/spec/serviceAccountName',
        value: 'of-constructor',
      });
      expect(({} as Record<string, unknown>)['allowed']).to.equal(undefined);
    });
  });

  describe('attack 46: a review whose content type is not what it says (other types are refused, aggregated API 3)', () => {
    for (const type of [
      'text/plain',
      'text/json',
      'application/x-www-form-urlencoded',
      'application/yaml',
      'application/json-patch+json',
      'application/vnd.kubernetes.protobuf',
      'application/json; charset=utf-16',
      'application/json, text/plain',
      '',
    ]) {
      it(`is refused: ${type === '' ? 'none' : type}`, async () => {
        const headers = { 'Content-Type': type };
        await eachPath(async (path) =>
          expectRefused(await stand.send({ path, headers, body: bodyOf(review) }), 415),
        );
      });
    }

    it('refuses compressed bodies', async () => {
      const headers = { 'Content-Encoding': 'gzip' };
      await eachPath(async (path) =>
        expectRefused(await stand.send({ path, headers, body: bodyOf(review) }), 415),
      );
    });

    it('takes JSON that says that it is UTF-8', async () => {
      const headers = { 'Content-Type': 'Application/JSON;charset="UTF-8"' };
      const reply = await stand.send({
        path: paths.validateStageSet,
        headers,
        body: bodyOf(review),
      });
      expect(reply.status).to.equal(200);
    });
  });

  describe('attack 47: a review in the name of the controller or of somebody else (records have one writer, StageRun)', () => {
    it('cannot be put into the note of who asked', async () => {
      const annotations = {
        'stages.metio.wtf/promote': 'dev@1',
        'stages.metio.wtf/requested-by':
          '{"stages.metio.wtf/promote":{"value":"dev@1","user":"root"}}',
      };
      const object = stageSet({ serviceAccountName: 'deployer', stages }, { annotations });
      const forged = requestFor('StageSet', { object, userInfo: { username: 'mallory' } });
      const [note] = patchOf(await stand.review(paths.mutateStageSet, forged));
      expect(note).to.deep.equal({
        op: 'replace',
        path: '/metadata/annotations/stages.metio.wtf~1requested-by',
        value: '{"stages.metio.wtf/promote":{"user":"mallory","value":"dev@1"}}',
      });
      // Also where the mutating webhook was passed by.
      expect(await stand.review(paths.validateStageSet, forged)).to.include({ allowed: false });
    });

    it('is not that of the controller for looking like it', async () => {
      const object = { metadata: { name: 'shop-1' } };
      for (const username of [
        controller.toUpperCase(),
        `${controller} `,
        `${controller}\u0000`,
        'system:serviceaccount:evil:stageset-controller',
        '',
      ]) {
        const userInfo = { username, groups: ['system:masters', controller] };
        const answer = await stand.review(
          paths.validateStageRun,
          requestFor('StageRun', { object, userInfo }),
        );
        expect(answer.allowed, JSON.stringify(username)).to.equal(false);
      }
    });
  });

  describe('attack 41: a webhook called by somebody else than the API server (it tells nothing that it looks up, aggregated API 4)', () => {
    it('hears of a namespace its default ServiceAccount and nothing else', async () => {
      const answer = await stand.review(
        paths.mutateStageSet,
        requestFor('StageSet', { object: stageSet({ stages }), namespace: 'kube-system' }),
      );
      const told = JSON.stringify([answer, patchOf(answer)]);
      expect(told).to.include('of-kube-system');
      expect(told).not.to.include('hunter2');
      expect(stand.asked.at(-1)).to.equal('kube-system');
    });

    it('has nothing else looked up, whatever it names', async () => {
      const before = stand.asked.length;
      const spec = {
        serviceAccountName: 'admin',
        dependsOn: [{ name: 'other', namespace: 'kube-system' }],
        stages: [
          {
            name: 'dev',
            sourceRef: { kind: 'GitRepository', name: 'app', namespace: 'kube-system' },
            postBuild: { substituteFrom: [{ kind: 'Secret', name: 'other' }] },
          },
        ],
      };
      const object = stageSet(spec, { name: 'exists', uid: 'a-uid' });
      const named = requestFor('StageSet', { object, namespace: 'kube-system', name: 'exists' });
      await stand.review(paths.mutateStageSet, named);
      await stand.review(paths.validateStageSet, named);
      for (const [path, kind] of [
        [paths.mutateStageInventory, 'StageInventory'],
        [paths.validateStageInventory, 'StageInventory'],
        [paths.validateStageRun, 'StageRun'],
      ] as const) {
        for (const operation of ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const) {
          await stand.review(path, requestFor(kind, { object, name: 'exists', operation }));
        }
      }
      expect(stand.asked.length).to.equal(before);
    });

    it('hears the same of what exists and of what does not', async () => {
      // An answer follows from the question alone: nothing here could know what is stored.
      const answers = await Promise.all(
        ['exists', 'nothing'].map(async (name) => {
          const object = { metadata: { name } };
          const asked = requestFor('StageRun', { object, name, operation: 'DELETE' });
          return JSON.stringify(await stand.review(paths.validateStageRun, asked));
        }),
      );
      expect(answers[0]?.replaceAll('exists', 'x')).to.equal(
        answers[1]?.replaceAll('nothing', 'x'),
      );
    });

    it('finds nothing else to call', async () => {
      for (const path of ['/', '/metrics', '/apis', '/openapi/v3', '/version', '/livez', '//']) {
        for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
          expectRefused(await stand.send({ path, method }), 404);
        }
      }
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        await eachPath(async (path) => expectRefused(await stand.send({ path, method }), 405));
      }
    });

    it('leaves no trace on the answers of others', async () => {
      const headers = { 'X-Remote-User': 'root', 'X-Remote-Group': 'system:masters' };
      const body = bodyOf(requestFor('StageRun', { object: {}, operation: 'DELETE' }));
      const reply = await stand.send({ path: paths.validateStageRun, headers, body });
      expect(reply.status).to.equal(200);
      expect(reply.body).to.include('"allowed":false');
      expect(reply.headers['cache-control']).to.equal('no-store');
      expect(reply.headers['x-content-type-options']).to.equal('nosniff');
      expect(reply.headers['x-powered-by']).to.equal(undefined);
    });
  });
});
