import { expect } from 'chai';
import {
  type ParseOptions,
  parseFleetRollout,
  parseImageVerificationPolicy,
  parseStageInventory,
  parseStageLedger,
  parseStageSet,
} from '../../../src/core/validate/schema.ts';
import type { KubernetesObject } from '../../../src/types/kubernetes.ts';

type Fields = Record<string, unknown>;

const stage: Fields = { name: 'backend', sourceRef: { name: 'shop' } };

function stageSet(spec: Fields): Fields {
  return {
    apiVersion: 'stages.metio.wtf/v1',
    kind: 'StageSet',
    metadata: { name: 'shop', namespace: 'default' },
    spec: { stages: [stage], ...spec },
  };
}

function withStage(fields: Fields): Fields {
  return stageSet({ stages: [{ ...stage, ...fields }] });
}

/** The problems of a StageSet, one line each. */
function problemsOf(value: unknown, options?: ParseOptions): string[] {
  const parsed = parseStageSet(value, options);
  return parsed.ok ? [] : parsed.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('parsing a StageSet', () => {
  it('gives an object that can be used wherever a Kubernetes object is expected', () => {
    const parsed = parseStageSet(stageSet({}));
    if (!parsed.ok) throw new Error('the minimal StageSet was refused');
    const object: KubernetesObject = parsed.value;
    expect(object.metadata.name).to.equal('shop');
    expect(parsed.value.spec?.stages[0]?.sourceRef.name).to.equal('shop');
  });

  it('carries fields that it does not know', () => {
    const object = { ...withStage({ later: { deep: [1] } }), extra: true };
    expect(parseStageSet(object)).to.deep.equal({ ok: true, value: object });
  });

  it('accepts an object without spec, as the API server does', () => {
    const object = stageSet({});
    delete object['spec'];
    expect(problemsOf(object)).to.deep.equal([]);
  });

  it('names what is missing', () => {
    expect(problemsOf(stageSet({ stages: [{ sourceRef: {} }] }))).to.deep.equal([
      'spec.stages[0].name: is required',
      'spec.stages[0].sourceRef.name: is required',
    ]);
  });

  it('refuses another kind, another version, and what is no object at all', () => {
    expect(problemsOf({ ...stageSet({}), kind: 'StageLedger' })).to.deep.equal([
      'kind: must be "StageSet"; got a string of 11 characters',
    ]);
    expect(problemsOf({ ...stageSet({}), apiVersion: 'stages.metio.wtf/v2' })).to.deep.equal([
      'apiVersion: must be "stages.metio.wtf/v1"; got a string of 19 characters',
    ]);
    expect(problemsOf(null)).to.deep.equal(['StageSet: must be an object; got null']);
    expect(problemsOf([])).to.deep.equal(['StageSet: must be an object; got an empty list']);
    expect(problemsOf({})).to.deep.equal([
      'apiVersion: is required',
      'kind: is required',
      'metadata: is required',
    ]);
  });

  it('refuses metadata that nobody could use', () => {
    const object = { ...stageSet({}), metadata: { name: 'Shop', labels: { tier: 1 } } };
    expect(problemsOf(object)).to.deep.equal([
      'metadata.name: must be of lower case letters, digits, "-" and ".", with a letter or digit at both ends; got a string of 4 characters',
      'metadata.labels[tier]: must be a string; got a number (put it in quotes)',
    ]);
  });

  it('accepts every duration that Go accepts', () => {
    const durations = [
      '0',
      '0s',
      '+0',
      '90s',
      '1h30m',
      '1.5h',
      '.5s',
      '1.s',
      '-5m',
      '100us',
      '1µs',
      '1μs',
      '3ns',
    ];
    for (const interval of durations) {
      expect(problemsOf(stageSet({ interval })), interval).to.deep.equal([]);
    }
  });

  it('refuses what Go does not take for a duration', () => {
    for (const interval of ['', '5', '1d', '1h 30m', '1h-30m', 'h', '.s', '1m\n', ' 1m', '00']) {
      expect(problemsOf(stageSet({ interval })), JSON.stringify(interval)).to.have.length(1);
    }
    expect(problemsOf(stageSet({ interval: '1d' }))).to.deep.equal([
      'spec.interval: must be a duration with units of h, m, s or ms, such as "90s" or "1h30m"; got a string of 2 characters',
    ]);
  });

  it('says which values are allowed, and hints at upper and lower case', () => {
    expect(problemsOf(stageSet({ onTimeout: 'hold', windowScope: 'Some' }))).to.deep.equal([
      'spec.onTimeout: must be one of "Hold", "Rollback"; got a string of 4 characters that differs in upper and lower case',
      'spec.windowScope: must be one of "Updates", "All"; got a string of 4 characters',
    ]);
  });

  it('asks for quotes around a threshold that YAML reads as a number', () => {
    const errorBudget = { source: {}, freezeThreshold: 0.1 };
    expect(problemsOf(stageSet({ errorBudget }))).to.deep.equal([
      'spec.errorBudget.freezeThreshold: must be a string; got a number (put it in quotes)',
    ]);
  });

  it('wants one of two kubeConfig references, as the CEL rules of the CRD do', () => {
    const secretRef = { name: 'remote' };
    expect(problemsOf(stageSet({ kubeConfig: { secretRef } }))).to.deep.equal([]);
    expect(problemsOf(stageSet({ kubeConfig: {} }))).to.deep.equal([
      'spec.kubeConfig: exactly one of configMapRef and secretRef must be specified; got none',
    ]);
    expect(
      problemsOf(stageSet({ kubeConfig: { secretRef, configMapRef: { name: 'remote' } } })),
    ).to.deep.equal([
      'spec.kubeConfig: exactly one of configMapRef and secretRef must be specified; got both',
    ]);
  });

  it('finds checks of the same name in a gate', () => {
    const checks = ['api', 'worker', 'api'].map((name) => ({ name, selector: {} }));
    expect(problemsOf(withStage({ promotion: { restartGate: { checks } } }))).to.deep.equal([
      'spec.stages[0].promotion.restartGate.checks[2]: must have another name than item 0; got the same',
    ]);
  });

  it('keeps numbers within their range, and exact', () => {
    const pre = [
      { name: 'a', retries: 101 },
      { name: 'b', retries: 1.5 },
      { name: 'c', http: { url: 'https://a.example', expectedStatus: [200, 600] } },
    ];
    expect(problemsOf(withStage({ actions: { pre } }))).to.deep.equal([
      'spec.stages[0].actions.pre[0].retries: must be at most 100; got 101',
      'spec.stages[0].actions.pre[1].retries: must be an integer; got a number',
      'spec.stages[0].actions.pre[2].http.expectedStatus[1]: must be at most 599; got 600',
    ]);
    expect(problemsOf({ ...stageSet({}), status: { observedGeneration: 2 ** 53 } })).to.deep.equal([
      'status.observedGeneration: must be between -9007199254740991 and 9007199254740991; got a number',
    ]);
  });

  it('refuses a day that does not exist', () => {
    const window = (from: string): Fields => ({ updateWindows: [{ type: 'Deny', from }] });
    expect(problemsOf(stageSet(window('2028-02-29T00:00:00+01:00')))).to.deep.equal([]);
    expect(problemsOf(stageSet(window('2030-02-29T00:00:00Z')))).to.deep.equal([
      'spec.updateWindows[0].from: must be an RFC 3339 time such as "2030-12-20T00:00:00Z"; got a string of 20 characters',
    ]);
  });

  it('never repeats a value, which may be a secret in the wrong place', () => {
    const secret = 'hunter2-hunter2';
    const lines = problemsOf(
      withStage({
        name: secret.toUpperCase(),
        timeout: secret,
        onTimeout: secret,
        prune: secret,
        actions: secret,
        postBuild: { substitute: { password: [secret] } },
      }),
    );
    expect(lines).to.have.length(6);
    expect(lines.join('\n').toLowerCase()).to.not.include(secret);
  });

  it('names at most a hundred problems, and cuts names that are too long to read', () => {
    const substitute = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [`${index}-${'x'.repeat(2000)}`, 1]),
    );
    const lines = problemsOf(withStage({ postBuild: { substitute } }));
    expect(lines).to.have.length(100);
    expect(Math.max(...lines.map((line) => line.length))).to.be.below(250);
  });

  it('is not misled by names of Object.prototype', () => {
    const object: unknown = JSON.parse(
      '{"apiVersion":"stages.metio.wtf/v1","kind":"StageSet","metadata":{"name":"a"},"spec":{"__proto__":{"stages":[]}}}',
    );
    expect(problemsOf(object, { defaults: 'Apply' })).to.deep.equal(['spec.stages: is required']);
    expect(problemsOf(object, { unknownFields: 'Report' })).to.include(
      'spec.__proto__: unknown field "spec.__proto__"; check its spelling and its place',
    );
  });
});

describe('parsing strictly', () => {
  it('names unknown fields at any depth', () => {
    const object = {
      ...withStage({ sourceref: {}, promotion: { soakTime: '1m' } }),
      data: {},
    };
    expect(problemsOf(object, { unknownFields: 'Report' })).to.deep.equal([
      'spec.stages[0].sourceref: unknown field "spec.stages[0].sourceref"; check its spelling and its place',
      'spec.stages[0].promotion.soakTime: unknown field "spec.stages[0].promotion.soakTime"; check its spelling and its place',
      'data: unknown field "data"; check its spelling and its place',
    ]);
  });

  it('takes the keys of a map for what they are', () => {
    const postBuild = { substitute: { anything: 'goes' } };
    expect(problemsOf(withStage({ postBuild }), { unknownFields: 'Report' })).to.deep.equal([]);
  });
});

describe('parsing an object that has not gone through an API server', () => {
  it('gives a minimal StageSet the documented defaults and nothing else', () => {
    expect(parseStageSet(withStage({ conflictPolicy: {} }), { defaults: 'Apply' })).to.deep.equal({
      ok: true,
      value: withStage({
        sourceRef: { name: 'shop', kind: 'ExternalArtifact' },
        conflictPolicy: { default: 'Fail' },
      }),
    });
  });

  it('leaves the given object as it was', () => {
    const object = withStage({ conflictPolicy: {} });
    parseStageSet(object, { defaults: 'Apply' });
    expect(object).to.deep.equal(withStage({ conflictPolicy: {} }));
  });

  it('takes a null for an absent field, as Go clients write it', () => {
    const object = withStage({ path: null, sourceRef: { name: 'shop', kind: null } });
    expect(problemsOf(object)).to.have.length(2);
    expect(parseStageSet(object, { defaults: 'Apply' })).to.deep.equal({
      ok: true,
      value: withStage({ sourceRef: { name: 'shop', kind: 'ExternalArtifact' } }),
    });
  });

  it('makes Halt the answer to a regression before the rule about Rollback is asked', () => {
    const rollout = (spec: Fields): Fields => ({
      apiVersion: 'stages.metio.wtf/v1',
      kind: 'FleetRollout',
      metadata: { name: 'may' },
      spec: { selector: {}, waves: [{ name: 'all', selector: {} }], ...spec },
    });
    const parsed = parseFleetRollout(rollout({}), { defaults: 'Apply' });
    expect(parsed).to.deep.equal({ ok: true, value: rollout({ onRegression: 'Halt' }) });
    expect(parseFleetRollout(rollout({ onRegression: 'Rollback' }))).to.deep.equal({
      ok: false,
      problems: [
        { path: 'spec', message: 'previousVersion is required when onRegression is Rollback' },
      ],
    });
  });
});

describe('parsing the other kinds', () => {
  const object = (kind: string, spec: Fields): Fields => ({
    apiVersion: 'stages.metio.wtf/v1',
    kind,
    metadata: { name: 'shop' },
    spec,
  });

  it('narrows a StageInventory', () => {
    const spec = { stagePosition: 0, entries: [{ id: 'shop_api_apps_Deployment', v: 'v1' }] };
    expect(parseStageInventory(object('StageInventory', spec)).ok).to.equal(true);
    expect(parseStageInventory(object('StageInventory', { entries: [{ id: 'a' }] }))).to.deep.equal(
      {
        ok: false,
        problems: [{ path: 'spec.entries[0].v', message: 'is required' }],
      },
    );
  });

  it('narrows a StageLedger', () => {
    const spec = { baseline: [{ stage: 'backend', action: 'create-schema' }] };
    expect(parseStageLedger(object('StageLedger', spec)).ok).to.equal(true);
    const status = { completedActions: [{ stage: 'a', action: 'b', origin: 'Dreamt' }] };
    expect(parseStageLedger({ ...object('StageLedger', {}), status })).to.deep.equal({
      ok: false,
      problems: [
        { path: 'status.completedActions[0].completedAt', message: 'is required' },
        {
          path: 'status.completedActions[0].origin',
          message: 'must be one of "Executed", "Baselined"; got a string of 6 characters',
        },
      ],
    });
  });

  it('narrows an ImageVerificationPolicy', () => {
    const parse = parseImageVerificationPolicy;
    expect(parse(object('ImageVerificationPolicy', { images: ['ghcr.io/**'] })).ok).to.equal(true);
    expect(parse(object('ImageVerificationPolicy', { images: [] }))).to.deep.equal({
      ok: false,
      problems: [{ path: 'spec.images', message: 'must have at least 1 item; got an empty list' }],
    });
  });
});
