import { expect } from 'chai';
import { instant } from '../../../../src/core/time.ts';
import { controller, requestFor, settings, stageSet } from '../../../admission/reviews.ts';
import {
  type AdmissionStand,
  bodyOf,
  contract,
  patchOf,
  paths,
  startAdmission,
} from '../../../admission/stand.ts';

const stages = [{ name: 'dev', sourceRef: { name: 'app' } }];
const open = requestFor('StageSet', { object: stageSet({ stages }) });
const annotation = 'stages.metio.wtf/default-service-account';

/** Never, but as long as the caller waits. */
async function silence(_namespace: string, signal: AbortSignal): Promise<Record<string, string>> {
  return await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('nobody waits any more')));
  });
}

describe('the admission webhooks', () => {
  let stand: AdmissionStand;

  before(async () => {
    stand = await startAdmission({
      namespaceAnnotations: async () => await Promise.resolve({ [annotation]: 'deployer' }),
    });
  });

  after(async () => stand.stop());

  it('fill in what a StageSet leaves open, by a JSON Patch', async () => {
    const { patch, ...rest } = await stand.review(paths.mutateStageSet, open);
    expect(rest).to.deep.equal({ uid: 'review-1', allowed: true, patchType: 'JSONPatch' });
    expect(patchOf({ ...rest, patch: patch ?? '' })).to.deep.equal([
      { op: 'add', path: '/spec/serviceAccountName', value: 'deployer' },
      {
        op: 'add',
        path: '/spec/stages/0/sourceRef/apiVersion',
        value: 'source.toolkit.fluxcd.io/v1',
      },
    ]);
  });

  it('send no patch where there is nothing to fill in', async () => {
    const full = stageSet({
      serviceAccountName: 'deployer',
      stages: [{ name: 'dev', sourceRef: { name: 'app', apiVersion: 'x/v1', kind: 'Recipe' } }],
    });
    expect(
      await stand.review(paths.mutateStageSet, requestFor('StageSet', { object: full })),
    ).to.deep.equal({ uid: 'review-1', allowed: true });
    const object = { metadata: { name: 'shop-dev-01-0123456789' } };
    expect(
      await stand.review(paths.mutateStageInventory, requestFor('StageInventory', { object })),
    ).to.deep.equal({ uid: 'review-1', allowed: true });
  });

  it('refuse what is invalid with a Status, and warn also then', async () => {
    const object = stageSet({ stages: [...stages, ...stages] });
    const message = 'is dev, which spec.stages[0] is called already; give it another name';
    expect(
      await stand.review(paths.validateStageSet, requestFor('StageSet', { object })),
    ).to.deep.equal({
      uid: 'review-1',
      allowed: false,
      status: {
        apiVersion: 'v1',
        kind: 'Status',
        metadata: {},
        status: 'Failure',
        code: 422,
        reason: 'Invalid',
        message: `StageSet.stages.metio.wtf "shop" is invalid: spec.stages[1].name: ${message}`,
        details: {
          group: 'stages.metio.wtf',
          kind: 'StageSet',
          name: 'shop',
          causes: [{ reason: 'FieldValueInvalid', message, field: 'spec.stages[1].name' }],
        },
      },
      warnings: [
        'spec.serviceAccountName: none is named; whoever may edit this StageSet can do what the ' +
          'controller may',
      ],
    });
  });

  it('keep the records of the controller for the controller', async () => {
    const object = { metadata: { name: 'shop' } };
    for (const [path, kind] of [
      [paths.validateStageRun, 'StageRun'],
      [paths.validateStageInventory, 'StageInventory'],
    ] as const) {
      const refused = await stand.review(path, requestFor(kind, { object }));
      expect(refused.allowed).to.equal(false);
      expect(refused.status).to.include({ code: 403, reason: 'Forbidden' });
      const userInfo = { username: controller };
      expect(await stand.review(path, requestFor(kind, { object, userInfo }))).to.deep.equal({
        uid: 'review-1',
        allowed: true,
      });
    }
  });

  it('take what kube-apiserver sends beyond what they read', async () => {
    const review = {
      ...open,
      requestKind: open.kind,
      requestResource: open.resource,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
      oldObject: null,
      dryRun: true,
      userInfo: { username: 'jane', extra: { 'example.com/a': ['b'] } },
    };
    expect(await stand.review(paths.validateStageSet, review)).to.include({ allowed: true });
  });

  it('tell of each review what it was, whether it was allowed, and how long it took', async () => {
    stand = await restart(stand, {});
    await stand.review(paths.mutateStageSet, open);
    const object = stageSet({ stages: [...stages, ...stages] });
    await stand.review(paths.validateStageSet, requestFor('StageSet', { object }));
    await stand.send({ path: paths.validateStageSet, body: '{}' });
    expect(stand.observed).to.deep.equal([
      { webhook: 'mutate', kind: 'StageSet', allowed: true, milliseconds: 'number' },
      { webhook: 'validate', kind: 'StageSet', allowed: false, milliseconds: 'number' },
    ]);
  });

  it('say that they are there', async () => {
    for (const path of ['/healthz', '/readyz']) {
      expect(await stand.send({ path, method: 'GET' })).to.include({ status: 200, body: 'ok' });
      const posted = await stand.send({ path });
      expect(posted).to.include({ status: 405 });
      expect(posted.headers['allow']).to.equal('GET, HEAD');
    }
  });
});

describe('a request that is no review', () => {
  let stand: AdmissionStand;

  before(async () => {
    stand = await startAdmission();
  });

  after(async () => stand.stop());

  for (const [what, status, sent] of [
    ['has another method', 405, { method: 'GET', path: paths.mutateStageSet }],
    ['has another path', 404, { path: '/mutate' }],
    ['has a path in other letters', 404, { path: paths.mutateStageSet.toUpperCase() }],
    ['has a path with more behind it', 404, { path: `${paths.mutateStageSet}/` }],
    [
      'is YAML',
      415,
      { path: paths.mutateStageSet, headers: { 'Content-Type': 'application/yaml' } },
    ],
    ['is no JSON', 400, { path: paths.mutateStageSet, body: '{' }],
    ['is no object', 400, { path: paths.mutateStageSet, body: '[]' }],
    ['is a review without a request', 400, { path: paths.mutateStageSet, body: bodyOf(undefined) }],
    [
      'is a review of v1beta1',
      400,
      { path: paths.mutateStageSet, body: bodyOf(open).replace('io/v1', 'io/v1beta1') },
    ],
    ['is a review of another kind', 400, { path: paths.validateStageRun, body: bodyOf(open) }],
    [
      'asks for an answer in no time that there is',
      400,
      { path: `${paths.mutateStageSet}?timeout=soon`, body: bodyOf(open) },
    ],
  ] as const) {
    it(`is answered with ${status} where it ${what}`, async () => {
      const reply = await stand.send(sent);
      expect(reply.status, reply.body).to.equal(status);
      const failure: unknown = JSON.parse(reply.body);
      expect(contract.validateResponse('Status', failure)).to.deep.equal([]);
      expect(failure).to.include({ kind: 'Status', code: status });
      if (status === 405) expect(reply.headers['allow']).to.equal('POST');
    });
  }

  it('hears which of its fields are wrong, and no value of them', async () => {
    const body = bodyOf({ ...open, uid: 3, operation: 'secret', userInfo: undefined });
    const { body: text } = await stand.send({ path: paths.mutateStageSet, body });
    expect((JSON.parse(text) as { message: string }).message).to.equal(
      'the body is no AdmissionReview of admission.k8s.io/v1: request.userInfo: is required, ' +
        'request.uid: must be a string; got a number (put it in quotes), request.operation: must ' +
        'be one of "CREATE", "UPDATE", "DELETE", "CONNECT"; got a string of 6 characters',
    );
  });
});

describe('an answer that takes too long', () => {
  let stand: AdmissionStand | undefined;

  afterEach(async () => stand?.stop());

  it('comes in time without the default of the namespace, and says so', async () => {
    stand = await startAdmission({ namespaceAnnotations: silence });
    const annotations = { 'stages.metio.wtf/promote': 'dev@1' };
    const object = stageSet({ stages }, { annotations });
    const began = performance.now();
    const review = requestFor('StageSet', { object });
    const answer = await stand.review(paths.mutateStageSet, review, '?timeout=300ms');
    expect(performance.now() - began).to.be.within(200, 2_000);
    expect(answer.warnings).to.deep.equal([
      'spec.serviceAccountName: the default of the namespace could not be read and is not filled ' +
        'in; name a ServiceAccount, or apply the StageSet again',
    ]);
    // Who asks for something is noted all the same.
    expect(patchOf(answer).map(({ path }) => path)).to.deep.equal([
      '/metadata/annotations/stages.metio.wtf~1requested-by',
      '/spec/stages/0/sourceRef/apiVersion',
    ]);
  });

  it('comes without it as well where the namespace cannot be read', async () => {
    stand = await startAdmission({
      namespaceAnnotations: async () => await Promise.reject(new Error('secret reason')),
    });
    const answer = await stand.review(paths.mutateStageSet, open);
    expect(answer.warnings).to.have.length(1);
    expect(JSON.stringify(answer)).not.to.include('secret');
  });

  it('refuses what should have been judged, and lets pass what should have been filled in', async () => {
    let now = 0;
    stand = await startAdmission({ clock: () => instant((now += 4_600)) });
    expect(await stand.review(paths.validateStageSet, open)).to.deep.include({
      allowed: false,
      status: {
        apiVersion: 'v1',
        kind: 'Status',
        metadata: {},
        status: 'Failure',
        code: 504,
        reason: 'Timeout',
        message: 'StageSet.stages.metio.wtf "shop" could not be judged in time; try again',
        details: { group: 'stages.metio.wtf', kind: 'StageSet', name: 'shop' },
      },
    });
    expect(await stand.review(paths.mutateStageSet, open)).to.deep.equal({
      uid: 'review-1',
      allowed: true,
      warnings: ['the defaults of this StageSet could not be filled in in time'],
    });
    expect(await stand.review(paths.validateStageSet, open, '?timeout=10s')).to.include({
      allowed: true,
    });
  });
});

async function restart(
  stand: AdmissionStand,
  options: Parameters<typeof startAdmission>[0],
): Promise<AdmissionStand> {
  await stand.stop();
  return await startAdmission({ settings, ...options });
}
