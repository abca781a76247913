import { expect } from 'chai';
import { InFlight } from '../../../../src/server/aggregated/in-flight.ts';
import { checkBounds, parseJson } from '../../../../src/server/aggregated/json-text.ts';
import { bodyFormOf, formOf, parseAccept } from '../../../../src/server/aggregated/media-type.ts';
import {
  fieldValidationOf,
  isDryRun,
  isPretty,
  isWatch,
  timeoutOf,
} from '../../../../src/server/aggregated/query-options.ts';
import {
  canExist,
  parseTarget,
  type ResourceInfo,
  requestInfo,
  verbOf,
} from '../../../../src/server/aggregated/request-info.ts';
import { StatusError } from '../../../../src/server/aggregated/status-error.ts';

const served = { group: 'subresources.stages.metio.wtf', version: 'v1' };
const base = '/apis/subresources.stages.metio.wtf/v1';

describe('what an aggregated request asks for', () => {
  const resource = (fields: Partial<ResourceInfo>): ResourceInfo => ({
    kind: 'Resource',
    namespace: undefined,
    resource: 'stageplans',
    subresource: '',
    name: undefined,
    ...fields,
  });

  for (const [path, wanted] of [
    [`${base}/stageplans`, resource({})],
    [`${base}/stageplans/shop`, resource({ name: 'shop' })],
    [`${base}/namespaces/a/stageplans`, resource({ namespace: 'a' })],
    [`${base}/namespaces/a/stageplans/shop`, resource({ namespace: 'a', name: 'shop' })],
    [
      `${base}/namespaces/a/stagesets/shop/plan`,
      resource({ namespace: 'a', resource: 'stagesets', name: 'shop', subresource: 'plan' }),
    ],
    [`${base}/namespaces/a/stagesets/shop/plan/x`, undefined],
    [`${base}/namespaces/a`, undefined],
    [`${base}/namespaces`, undefined],
    [`${base}/namespaces/a/stageplans/`, undefined],
    ['/apis/other/v1/stageplans', undefined],
    ['/metrics', undefined],
  ] as const) {
    it(`reads ${path}`, () => {
      expect(requestInfo(path, served)).to.deep.equal(wanted ?? { kind: 'Path', path });
    });
  }

  it('takes methods for the verbs of RBAC', () => {
    const one = resource({ name: 'shop' });
    const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE'];
    expect(verbs.map((method) => verbOf(method, one))).to.deep.equal([
      ...['get', 'get', 'create', 'update', 'patch', 'delete', undefined],
    ]);
    expect(verbOf('GET', resource({}))).to.equal('list');
    expect(verbOf('DELETE', resource({}))).to.equal('deletecollection');
  });

  it('keeps the query apart from the path', () => {
    const { path, query } = parseTarget('/apis?a=%2e%2e&b=/x//y;z');
    expect(path).to.equal('/apis');
    expect(query.get('a')).to.equal('..');
    expect(query.get('b')).to.equal('/x//y;z');
  });

  it('knows names that no object can have', () => {
    for (const name of ['A', 'a_b', '-a', 'a-', 'a..b', 'a'.repeat(254)]) {
      expect(canExist(resource({ namespace: 'a', name })), name).to.equal(false);
    }
    expect(canExist(resource({ namespace: 'a.b', name: 'a' }))).to.equal(false);
    expect(canExist(resource({ namespace: 'a-b', name: 'a.b-c.9' }))).to.equal(true);
  });
});

describe('what an aggregated request wants to read', () => {
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';

  for (const [accept, wanted] of [
    [undefined, 'Json'],
    ['', 'Json'],
    ['*/*', 'Json'],
    ['application/json, */*', 'Json'],
    ['application/yaml', 'Yaml'],
    [`${table},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'Table'],
    [`application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json`, 'Json'],
    ['application/vnd.kubernetes.protobuf, application/json', 'Json'],
    ['application/json;q=0.5, application/yaml;q=0.9', 'Yaml'],
    ['application/json;q=0, application/yaml', 'Yaml'],
  ] as const) {
    it(`is ${wanted} for ${accept ?? 'no header'}`, () => {
      expect(formOf(accept, undefined)).to.equal(wanted);
    });
  }

  for (const accept of [
    'application/vnd.kubernetes.protobuf',
    'application/cbor',
    'text/html',
    'nonsense',
    'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    'application/json;q=0',
    'a/b,'.repeat(5_000),
  ]) {
    it(`is nothing that is there for ${accept.slice(0, 60)}`, () => {
      expectStatus(() => formOf(accept, undefined), 406);
    });
  }

  it('orders what is accepted by weight', () => {
    const types = parseAccept('a/b;q=0.1, c/d, e/f;q=0.5, g/h;q=2').map(({ type }) => type);
    expect(types).to.deep.equal(['c/d', 'e/f', 'a/b']);
  });

  it('takes a body without content type for JSON, but no patch', () => {
    expect(bodyFormOf(undefined, 'POST')).to.equal('Json');
    expect(bodyFormOf('Application/JSON; Charset="UTF-8"', 'PUT')).to.equal('Json');
    expect(bodyFormOf('application/merge-patch+json', 'PATCH')).to.equal('MergePatch');
    expectStatus(() => bodyFormOf(undefined, 'PATCH'), 415);
  });
});

describe('query parameters of aggregated requests', () => {
  const query = (text: string): URLSearchParams => new URLSearchParams(text);

  it('bound the time', () => {
    expect(timeoutOf(query(''))).to.equal(55_000);
    expect(timeoutOf(query('timeout=1m30s'))).to.equal(55_000);
    expect(timeoutOf(query('timeout=10s'))).to.equal(10_000);
    expect(timeoutOf(query('timeout=7'))).to.equal(7_000);
    for (const text of ['x', '-1s', '1e9', 'NaN', '9'.repeat(100)]) {
      expectStatus(() => timeoutOf(query(`timeout=${text}`)), 400);
    }
  });

  it('try without effect only where they say All', () => {
    expect(isDryRun(query(''))).to.equal(false);
    expect(isDryRun(query('dryRun=All'))).to.equal(true);
    for (const text of ['dryRun=', 'dryRun=all', 'dryRun=None', 'dryRun=All&dryRun=x']) {
      expectStatus(() => isDryRun(query(text)), 400);
    }
  });

  it('are strict about fields unless told otherwise', () => {
    expect(fieldValidationOf(query(''))).to.equal('Strict');
    expect(fieldValidationOf(query('fieldValidation=Warn'))).to.equal('Warn');
    expectStatus(() => fieldValidationOf(query('fieldValidation=strict')), 400);
  });

  it('have switches as Go has them', () => {
    expect(
      ['', 'pretty', 'pretty=false', 'pretty=true', 'pretty=1'].map((text) =>
        isPretty(query(text)),
      ),
    ).to.deep.equal([false, false, false, true, true]);
    expect(['', 'watch', 'watch=0', 'watch=1'].map((text) => isWatch(query(text)))).to.deep.equal([
      false,
      true,
      false,
      true,
    ]);
  });
});

describe('JSON bodies', () => {
  it('are read as JSON.parse reads them', () => {
    for (const text of [
      '{"a":{"b":[1,{"b":2},{"b":3}]},"b":"\\"a\\":{"}',
      '[{"a":1},{"a":2}]',
      '"a"',
      '{"constructor":1,"toString":2}',
      ' { "a" : "x" , "b" : [ "a" , "a" ] } ',
    ]) {
      expect(parseJson(text)).to.deep.equal(JSON.parse(text));
    }
  });

  it('have each field once in each object', () => {
    for (const text of ['{"a":1,"a":2}', '{"x":[{"a":1,"b":[],"a":2}]}', '{"a":1,"\\u0061":2}']) {
      expectStatus(() => parseJson(text), 400);
    }
  });

  it('do not make the reader run in circles', () => {
    for (const text of [
      ']]]]',
      '}{',
      '"',
      '{"a',
      '{"a\\',
      '"\\u12"',
      `{"a"${' '.repeat(100_000)}x`,
    ]) {
      expectStatus(() => parseJson(text), 400);
    }
  });

  it('have bounds that also hold for what was YAML', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 70; level += 1) deep = [deep];
    expectStatus(() => checkBounds(deep), 400);
    expectStatus(() => checkBounds(JSON.parse('{"a":{"__proto__":1}}')), 400);
    checkBounds({ a: [{ b: 1 }] });
  });
});

describe('requests in flight', () => {
  it('leave room for others, and come off once', () => {
    const inFlight = new InFlight({ most: 3, mostOfOneUser: 2 });
    const leave = inFlight.enter('a');
    inFlight.enter('a');
    expectStatus(() => inFlight.enter('a'), 429);
    inFlight.enter('b');
    expectStatus(() => inFlight.enter('c'), 429);
    leave();
    leave();
    inFlight.enter('c');
    expectStatus(() => inFlight.enter('d'), 429);
  });
});

function expectStatus(act: () => unknown, code: number): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    expect(error.code).to.equal(code);
    return;
  }
  expect.fail(`nothing was refused with ${code}`);
}
