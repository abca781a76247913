import { expect } from 'chai';
import fc from 'fast-check';
import { DeniedError, RetryableError, TerminalError } from '../../../src/core/errors.ts';
import { instant } from '../../../src/core/time.ts';
import {
  type ApiError,
  denialOf,
  errorFromAnswer,
  isGone,
  isNotFound,
  treatmentOf,
} from '../../../src/kubernetes/api-error.ts';
import { backoffDelay, REFLECTOR_BACKOFF } from '../../../src/kubernetes/backoff.ts';
import { DelayHeap } from '../../../src/kubernetes/delay-heap.ts';
import {
  readAggregated,
  readLegacyGroups,
  readResourceList,
} from '../../../src/kubernetes/discovery-documents.ts';
import { InFlightLimit } from '../../../src/kubernetes/in-flight-limit.ts';
import { LineSplitter } from '../../../src/kubernetes/lines.ts';
import { toMicroTime } from '../../../src/kubernetes/micro-time.ts';
import { parseApiVersion } from '../../../src/kubernetes/paths.ts';

describe('line splitting', () => {
  it('gives whole lines however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc
            .string({ unit: 'grapheme' })
            .map((text) => text.replaceAll('\n', ' '))
            .filter((text) => text !== ''),
        ),
        fc.integer({ min: 1, max: 7 }),
        (lines, size) => {
          const splitter = new LineSplitter(1_000_000);
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          const found: string[] = [];
          for (let at = 0; at < bytes.length; at += size) {
            found.push(...splitter.push(bytes.subarray(at, at + size)));
          }
          expect(found).to.deep.equal(lines);
          expect(splitter.pending).to.equal(0);
        },
      ),
    );
  });

  it('looks at each byte of a long line once', () => {
    const splitter = new LineSplitter(64 * 1024 * 1024);
    const chunk = Buffer.alloc(1024, 'x');
    const began = performance.now();
    for (let i = 0; i < 30_000; i += 1) splitter.push(chunk);
    expect(splitter.push(Buffer.from('\n'))[0]?.length).to.equal(30_000 * 1024);
    expect(performance.now() - began).to.be.lessThan(2_000);
  });

  it('refuses a line beyond the bound', () => {
    const splitter = new LineSplitter(10);
    expect(() => splitter.push(Buffer.from('0123456789x'))).to.throw(RetryableError);
  });
});

describe('API errors', () => {
  const status = (fields: object) => JSON.stringify({ kind: 'Status', ...fields });
  const request = 'GET /api/v1/namespaces/shop/secrets/x';

  it('carry code, reason, causes and Retry-After', () => {
    const error = errorFromAnswer({
      status: 422,
      request,
      retryAfter: '7',
      body: status({
        code: 422,
        reason: 'Invalid',
        message: 'spec.replicas: must be positive',
        details: {
          kind: 'Deployment',
          causes: [{ field: 'spec.replicas', reason: 'FieldValueInvalid' }],
        },
      }),
    });
    expect(error.reason).to.equal('Invalid');
    expect(error.causes).to.deep.equal([{ field: 'spec.replicas', reason: 'FieldValueInvalid' }]);
    expect(error.retryAfter).to.equal(7000);
    expect(error.details).to.deep.equal({ kind: 'Deployment' });
  });

  it('are known by reason, and by code when a proxy answered', () => {
    expect(
      isNotFound(
        errorFromAnswer({ status: 404, request, body: status({ code: 404, reason: 'NotFound' }) }),
      ),
    ).to.equal(true);
    expect(
      isNotFound(errorFromAnswer({ status: 404, request, body: '404 page not found' })),
    ).to.equal(true);
    expect(
      isGone(
        errorFromAnswer({ status: 410, request, body: status({ code: 410, reason: 'Expired' }) }),
      ),
    ).to.equal(true);
    expect(errorFromAnswer({ status: 502, request, body: 'Bad Gateway' }).message).to.equal(
      `${request}: the API server answered 502: Bad Gateway`,
    );
  });

  it('say who was denied what', () => {
    const error = forbidden();
    expect(denialOf(error)).to.deep.equal({
      identity: 'system:serviceaccount:shop:deployer',
      verb: 'patch',
      resource: 'deployments',
      group: 'apps',
      namespace: 'shop',
    });
  });

  it('are treated as part A 2.9 says', () => {
    const object = { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'x' };
    const of = (code: number, reason: string) =>
      treatmentOf(
        errorFromAnswer({ status: code, request, body: status({ code, reason }) }),
        object,
      );
    expect(treatmentOf(forbidden(), object)).to.be.instanceOf(DeniedError);
    expect(of(404, 'NoKindMatch')).to.be.instanceOf(TerminalError);
    for (const [code, reason] of [
      [404, 'NotFound'],
      [409, 'Conflict'],
      [422, 'Invalid'],
      [500, 'InternalError'],
    ] as const) {
      expect(of(code, reason)).to.be.instanceOf(RetryableError);
    }
  });

  it('withhold what may quote a secret', () => {
    const error = errorFromAnswer({
      status: 422,
      request,
      sensitive: true,
      body: status({
        reason: 'Invalid',
        message: 'data.key: Invalid value: "hunter2"',
        details: { causes: [{ field: 'data.key', message: '"hunter2"' }] },
      }),
    });
    expect(error.message + JSON.stringify(error)).not.to.contain('hunter2');
    expect(error.message).to.contain('data.key');
  });

  it('say who may not do what to secrets, and nothing that follows', () => {
    const denial =
      'secrets "password" is forbidden: User "system:serviceaccount:shop:deployer" cannot patch ' +
      'resource "secrets" in API group "" in the namespace "shop"';
    const withheld = (message: string): string =>
      errorFromAnswer({
        status: 403,
        request,
        sensitive: true,
        body: status({ code: 403, reason: 'Forbidden', message }),
      }).message;
    expect(withheld(`${denial}: hunter2`)).to.equal(denial);
    expect(withheld('secrets "password" is forbidden: must not be hunter2')).not.to.contain(
      'hunter2',
    );
  });

  function forbidden(): ApiError {
    return errorFromAnswer({
      status: 403,
      request,
      body: status({
        code: 403,
        reason: 'Forbidden',
        message:
          'deployments.apps "web" is forbidden: User "system:serviceaccount:shop:deployer" cannot patch resource "deployments" in API group "apps" in the namespace "shop"',
      }),
    });
  }
});

describe('backoff', () => {
  it('doubles from 0.8 s to 30 s, half of it at random', () => {
    const delays = [1, 2, 3, 6, 7, 100].map((n) =>
      Number(backoffDelay(REFLECTOR_BACKOFF, n, () => 0)),
    );
    expect(delays).to.deep.equal([800, 1600, 3200, 25_600, 30_000, 30_000]);
    expect(Number(backoffDelay(REFLECTOR_BACKOFF, 1, () => 1))).to.equal(400);
  });
});

describe('the delay heap', () => {
  it('gives keys in the order of their earliest times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 100 }))),
        fc.nat({ max: 20 }),
        (pushes, removed) => {
          const heap = new DelayHeap();
          const expected = new Map<string, number>();
          for (const [key, due] of pushes) {
            heap.push(`k${key}`, due);
            expected.set(`k${key}`, Math.min(due, expected.get(`k${key}`) ?? due));
          }
          heap.remove(`k${removed}`);
          expected.delete(`k${removed}`);
          const found: number[] = [];
          for (let next = heap.earliest(); next !== undefined; next = heap.earliest()) {
            const key = heap.popDue(next) ?? '';
            expect(expected.get(key)).to.equal(next);
            found.push(next);
          }
          expect(found).to.deep.equal([...expected.values()].sort((a, b) => a - b));
        },
      ),
    );
  });
});

describe('the limit of requests in flight', () => {
  it('admits in order, and forgets those who give up', async () => {
    const limit = new InFlightLimit(1);
    const { signal } = new AbortController();
    const impatient = new AbortController();
    await limit.enter(signal);
    const order: string[] = [];
    const gaveUp = limit.enter(impatient.signal).catch((error: unknown) => String(error));
    const second = limit.enter(signal).then(() => order.push('second'));
    impatient.abort(new Error('gave up'));
    expect(await gaveUp).to.equal('Error: gave up');
    expect([limit.active, limit.waiting]).to.deep.equal([1, 1]);
    limit.leave();
    await second;
    limit.leave();
    expect([limit.active, limit.waiting]).to.deep.equal([0, 0]);
  });
});

describe('discovery documents', () => {
  it('are read in their aggregated form', () => {
    const groups = readAggregated({
      kind: 'APIGroupDiscoveryList',
      items: [
        {
          metadata: { name: 'apps' },
          versions: [
            {
              version: 'v1',
              resources: [
                {
                  resource: 'deployments',
                  responseKind: { group: '', version: '', kind: 'Deployment' },
                  scope: 'Namespaced',
                  verbs: ['get'],
                  subresources: [{ subresource: 'status' }],
                },
              ],
            },
          ],
        },
      ],
    });
    expect(groups?.[0]?.versions[0]?.kinds.get('Deployment')).to.deep.equal({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      resource: 'deployments',
      scope: 'Namespaced',
      verbs: ['get'],
      subresources: ['status'],
    });
  });

  it('are read in their legacy form', () => {
    expect(readAggregated({ kind: 'APIGroupList', groups: [] })).to.equal(undefined);
    const kinds = readResourceList('batch/v1', {
      kind: 'APIResourceList',
      resources: [
        { name: 'jobs/status', kind: 'Job', namespaced: true },
        { name: 'jobs', kind: 'Job', namespaced: true, verbs: ['list'] },
      ],
    });
    expect(kinds.get('Job')?.resource).to.equal('jobs');
    expect(kinds.get('Job')?.subresources).to.deep.equal(['status']);
    expect(
      readLegacyGroups({
        kind: 'APIGroupList',
        groups: [
          {
            name: 'x',
            versions: [{ version: 'v1' }, { version: 'v2' }],
            preferredVersion: { version: 'v2' },
          },
        ],
      }),
    ).to.deep.equal([{ group: 'x', versions: ['v2', 'v1'] }]);
  });
});

describe('names on the wire', () => {
  it('split an apiVersion and refuse what is none', () => {
    expect(parseApiVersion('v1')).to.deep.equal({ group: '', version: 'v1' });
    expect(parseApiVersion('apps/v1')).to.deep.equal({ group: 'apps', version: 'v1' });
    for (const bad of ['', 'a/b/c', '../v1', 'apps/..', 'Apps/v1', '/v1', 'apps/']) {
      expect(() => parseApiVersion(bad), bad).to.throw(TerminalError);
    }
  });

  it('write times of leases with six digits', () => {
    expect(toMicroTime(instant(Date.parse('2025-01-02T03:04:05.678Z')))).to.equal(
      '2025-01-02T03:04:05.678000Z',
    );
  });
});
