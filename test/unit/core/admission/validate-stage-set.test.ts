import { expect } from 'chai';
import { validateStageSet } from '../../../../src/core/admission/validate-stage-set.ts';
import type { AdmissionRequest } from '../../../../src/types/generated/admission.k8s.io.v1.ts';
import type { JsonObject } from '../../../../src/types/kubernetes.ts';
import { requestFor, settings, stageSet } from '../../../admission/reviews.ts';

const sourceRef = { name: 'app' };
const dev = { name: 'dev', sourceRef };
const account = { serviceAccountName: 'deployer' };
const good = { ...account, stages: [dev] };

function judge(fields: Partial<AdmissionRequest>, rules = settings): unknown {
  return validateStageSet(requestFor('StageSet', fields), rules);
}

function messageFor(spec: JsonObject, rules = settings): string | undefined {
  const verdict = validateStageSet(requestFor('StageSet', { object: stageSet(spec) }), rules);
  return verdict.kind === 'Refused' ? verdict.refusal.message : undefined;
}

function warningsFor(spec: JsonObject): readonly string[] {
  const verdict = validateStageSet(requestFor('StageSet', { object: stageSet(spec) }), settings);
  return verdict.warnings;
}

const allowed = { kind: 'Allowed', warnings: [] };

describe('a StageSet at the door', () => {
  it('is let in when nothing is wrong with it', () => {
    expect(judge({ object: stageSet(good) })).to.deep.equal(allowed);
  });

  it('hears of all that is wrong at once, by field, as Kubernetes says it', () => {
    const spec = {
      ...account,
      interval: '-10m',
      dependsOn: [{ name: 'shop' }, { name: 'base', minVersion: 'one' }],
      stages: [dev, { ...dev, sourceRef: { kind: 'Recipe', name: 'cake' } }],
    };
    const causes = [
      [
        'spec.stages[1].name',
        'is dev, which spec.stages[0] is called already; give it another name',
      ],
      [
        'spec.stages[1].sourceRef.apiVersion',
        'sourceRef to Recipe cake has no apiVersion: the API group of a producer of ' +
          'ExternalArtifacts is needed to find its artifact; set sourceRef.apiVersion',
      ],
      ['spec.dependsOn[1].minVersion', 'is one, which is no semantic version such as 1.4.0'],
      ['spec.interval', 'must not be negative; leave it out for the default'],
      ['spec.dependsOn[0]', 'is this StageSet itself; remove it'],
    ] as const;
    expect(judge({ object: stageSet(spec) })).to.deep.equal({
      kind: 'Refused',
      warnings: [],
      refusal: {
        code: 422,
        reason: 'Invalid',
        message:
          'StageSet.stages.metio.wtf "shop" is invalid: ' +
          `[${causes.map(([field, message]) => `${field}: ${message}`).join(', ')}]`,
        details: {
          group: 'stages.metio.wtf',
          kind: 'StageSet',
          name: 'shop',
          causes: causes.map(([field, message]) => ({
            reason: 'FieldValueInvalid',
            message,
            field,
          })),
        },
      },
    });
  });

  it('is judged by the schema as well, so that nothing depends on who was asked before', () => {
    expect(messageFor({ stages: [{ name: 'dev' }] })).to.equal(
      'StageSet.stages.metio.wtf "shop" is invalid: spec.stages[0].sourceRef: is required',
    );
    expect(judge({ object: null })).to.include({ kind: 'Refused' });
  });

  it('hears of fifty problems, and how many more there are', () => {
    const stages = Array.from({ length: 60 }, () => dev);
    const verdict = validateStageSet(
      requestFor('StageSet', { object: stageSet({ ...account, stages }) }),
      settings,
    );
    if (verdict.kind !== 'Refused') throw new Error('it must be refused');
    expect(verdict.refusal.details.causes).to.have.length(50);
    expect(verdict.refusal.message).to.match(/, and 9 more\]$/);
  });

  it('hears no value that is long, and none that may be a secret', () => {
    const secret = 'hunter2';
    const message = messageFor({
      ...account,
      stages: [
        { name: 'a'.repeat(1000), sourceRef },
        { name: 'a'.repeat(1000), sourceRef: { kind: 'K'.repeat(1000), name: 'n'.repeat(1000) } },
        { ...dev, postBuild: { substitute: { 'no name': secret, [secret.repeat(100)]: secret } } },
      ],
    });
    expect(message).not.to.include(`${secret} `);
    expect(message).not.to.match(/a{65}|K{65}|n{65}|(hunter2){10}/);
  });

  it('may not refer to other namespaces where that is forbidden', () => {
    const spec = {
      ...account,
      dependsOn: [
        { name: 'base', namespace: 'platform' },
        { name: 'own', namespace: 'team' },
      ],
      stages: [
        { ...dev, sourceRef: { name: 'app', namespace: 'platform' } },
        { name: 'prod', sourceRef: { name: 'app', namespace: 'team' } },
      ],
    };
    const why =
      'is another namespace than that of the StageSet, and references to other namespaces are ' +
      'forbidden here (--no-cross-namespace-refs); leave it out';
    expect(messageFor(spec)).to.equal(undefined);
    expect(messageFor(spec, { ...settings, crossNamespaceReferences: 'Refused' })).to.equal(
      'StageSet.stages.metio.wtf "shop" is invalid: ' +
        `[spec.stages[0].sourceRef.namespace: ${why}, spec.dependsOn[0].namespace: ${why}]`,
    );
  });

  it('is placed by the request, whatever its manifest leaves out', () => {
    const object = { ...stageSet({ ...account, stages: [dev], dependsOn: [{ name: 'shop' }] }) };
    object['metadata'] = { name: 'shop' };
    expect(judge({ object })).to.include({ kind: 'Refused' });
  });
});

describe('a StageSet that has become invalid since it was stored', () => {
  const bad = { ...account, stages: [dev, dev] };

  it('can be paused, resumed and annotated', () => {
    const oldObject = stageSet(bad);
    expect(judge({ oldObject, object: stageSet({ ...bad, suspend: true }) })).to.deep.equal(
      allowed,
    );
    expect(
      judge({ oldObject: stageSet({ ...bad, suspend: true }), object: stageSet(bad) }),
    ).to.deep.equal(allowed);
    const object = stageSet(bad, { annotations: { 'reconcile.fluxcd.io/requestedAt': '1' } });
    expect(judge({ oldObject, object })).to.deep.equal(allowed);
  });

  it('cannot be changed into something that is still invalid', () => {
    const object = stageSet({ ...bad, interval: '5m', suspend: true });
    expect(judge({ oldObject: stageSet(bad), object })).to.include({ kind: 'Refused' });
  });

  it('can be deleted, and be changed while it is', () => {
    const oldObject = stageSet(bad, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    const object = stageSet({ ...bad, interval: '5m' }, { finalizers: [] });
    expect(judge({ oldObject, object })).to.deep.equal(allowed);
    expect(judge({ oldObject, object: null, operation: 'DELETE' })).to.deep.equal(allowed);
  });

  it('is not let in for saying that it is being deleted', () => {
    const object = stageSet(bad, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(judge({ object })).to.include({ kind: 'Refused' });
    expect(judge({ object, oldObject: stageSet(good) })).to.include({ kind: 'Refused' });
  });

  it('does not keep its status from being written', () => {
    const object = stageSet(bad);
    expect(judge({ oldObject: object, object, subResource: 'status' })).to.deep.equal(allowed);
  });
});

describe('a risk that a spec shows', () => {
  it('is told where nobody is named to act as', () => {
    expect(warningsFor({ stages: [dev] })).to.deep.equal([
      'spec.serviceAccountName: none is named; whoever may edit this StageSet can do what the ' +
        'controller may',
    ]);
  });

  it('is told of mutable sources, and of objects and data that may be lost', () => {
    const stages = [
      { ...dev, sourceRef: { kind: 'Bucket', name: 'app' }, force: true },
      {
        name: 'prod',
        sourceRef,
        force: true,
        conflictPolicy: {
          default: 'Recreate',
          rules: [
            { target: { kind: 'PersistentVolumeClaim' }, action: 'Recreate', allowDataLoss: true },
          ],
        },
      },
    ];
    expect(warningsFor({ ...account, stages })).to.deep.equal([
      'spec.stages[0].sourceRef: a Bucket is mutable; whoever may write to it decides what is released',
      'spec.stages[0].force: objects are deleted and created anew on conflicts',
      'spec.stages[1].force: has no effect beside conflictPolicy',
      'spec.stages[1].conflictPolicy.default: objects are deleted and created anew on conflicts',
      'spec.stages[1].conflictPolicy.rules[0].allowDataLoss: data may be lost on conflicts',
    ]);
  });

  it('is told of migrations that cannot be undone, also while this build refuses them', () => {
    const migrations = [{ name: 'split', to: '2.0.0' }];
    const version = { value: '2.0.0' };
    expect(warningsFor({ ...account, version, migrations, stages: [dev] })).to.deep.equal([
      'spec.migrations[0].down: there are no actions; this migration cannot be undone',
    ]);
  });

  it('is told when the spec changes, and not at every annotation', () => {
    const oldObject = stageSet({ stages: [dev] });
    const object = stageSet({ stages: [dev] }, { annotations: { 'example.com/a': 'b' } });
    expect(judge({ oldObject, object })).to.deep.equal(allowed);
  });
});
