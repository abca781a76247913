import { expect } from 'chai';
import { defaultStageSet } from '../../../../src/core/admission/default-stage-set.ts';
import { validateStageSet } from '../../../../src/core/admission/validate-stage-set.ts';
import { requesterOf } from '../../../../src/core/requested-by.ts';
import { parseStageSet } from '../../../../src/core/validate/schema.ts';
import type { AdmissionRequest } from '../../../../src/types/generated/admission.k8s.io.v1.ts';
import type { JsonObject } from '../../../../src/types/kubernetes.ts';
import { controller, patched, requestFor, settings, stageSet } from '../../../admission/reviews.ts';

const note = 'stages.metio.wtf/requested-by';
const promote = 'stages.metio.wtf/promote';
const approved = 'stages.metio.wtf/approved-version';
const sourceRef = { apiVersion: 'source.toolkit.fluxcd.io/v1', name: 'app' };

/** A StageSet with these annotations, to which nothing but a note can be added. */
function annotated(annotations: Record<string, string> | undefined): JsonObject {
  const spec = { serviceAccountName: 'deployer', stages: [{ name: 'dev', sourceRef }] };
  return stageSet(spec, annotations === undefined ? {} : { annotations });
}

function mutate(fields: Partial<AdmissionRequest>): unknown {
  const request = requestFor('StageSet', fields);
  return defaultStageSet(request, settings, { kind: 'Read', annotations: {} }).patch;
}

const path = '/metadata/annotations/stages.metio.wtf~1requested-by';
const janes = (value: string): object => ({
  groups: ['dev', 'system:authenticated'],
  uid: 'uid-of-jane',
  user: 'jane',
  value,
});
const bobs = JSON.stringify({ [promote]: { user: 'bob', value: 'dev@1' } });

describe('the note of who asks for something by an annotation', () => {
  it('names whoever sets one, with what they set it to', () => {
    expect(mutate({ object: annotated({ [promote]: 'dev@1' }) })).to.deep.equal([
      { op: 'add', path, value: JSON.stringify({ [promote]: janes('dev@1') }) },
    ]);
  });

  it('names them for every annotation by which one can ask', () => {
    const asking = [
      'reconcile.fluxcd.io/requestedAt',
      'stages.metio.wtf/approved-version',
      'stages.metio.wtf/budget-override',
      'stages.metio.wtf/promote',
      'stages.metio.wtf/reconcile-stage',
      'stages.metio.wtf/reset-scope',
      'stages.metio.wtf/rollback-to',
      'stages.metio.wtf/skip-image-verification',
      'stages.metio.wtf/update-now',
    ];
    const annotations = Object.fromEntries(asking.map((name) => [name, 'x']));
    const object = annotated({ ...annotations, 'example.com/other': 'y' });
    const expected = Object.fromEntries(asking.map((name) => [name, janes('x')]));
    expect(mutate({ object })).to.deep.equal([
      { op: 'add', path, value: JSON.stringify(expected) },
    ]);
  });

  it('is read back by the controller', () => {
    const object = annotated({ [promote]: 'dev@1' });
    const { patch } = defaultStageSet(requestFor('StageSet', { object }), settings, {
      kind: 'Read',
      annotations: {},
    });
    const parsed = parseStageSet(patched(object, patch));
    if (!parsed.ok) throw new Error('it cannot be parsed');
    expect(requesterOf(parsed.value, promote)).to.deep.equal({
      user: 'jane',
      uid: 'uid-of-jane',
      groups: ['dev', 'system:authenticated'],
    });
  });

  it('names 32 groups at most', () => {
    const groups = Array.from({ length: 40 }, (_, index) => `group-${index}`);
    const object = annotated({ [promote]: 'dev@1' });
    const value = JSON.stringify({
      [promote]: { groups: groups.slice(0, 32), user: 'jane', value: 'dev@1' },
    });
    expect(mutate({ object, userInfo: { username: 'jane', groups } })).to.deep.equal([
      { op: 'add', path, value },
    ]);
  });

  it('is not what the user wrote', () => {
    const object = annotated({ [promote]: 'dev@1', [note]: bobs });
    expect(mutate({ object })).to.deep.equal([
      { op: 'replace', path, value: JSON.stringify({ [promote]: janes('dev@1') }) },
    ]);
  });

  it('is absent where there is nothing to note, whatever the user wrote', () => {
    expect(mutate({ object: annotated(undefined) })).to.deep.equal([]);
    expect(mutate({ object: annotated({ 'example.com/other': 'y' }) })).to.deep.equal([]);
    for (const text of [bobs, 'no JSON', '{}', '']) {
      expect(mutate({ object: annotated({ [note]: text }) }), text).to.deep.equal([
        { op: 'remove', path },
      ]);
    }
  });

  it('keeps who set what this request leaves as it was', () => {
    const oldObject = annotated({ [promote]: 'dev@1', [note]: bobs });
    expect(mutate({ oldObject, object: structuredClone(oldObject) })).to.deep.equal([]);
    const more = annotated({ [promote]: 'dev@1', [approved]: '1.2.0', [note]: bobs });
    const value = JSON.stringify({
      [approved]: janes('1.2.0'),
      [promote]: { user: 'bob', value: 'dev@1' },
    });
    expect(mutate({ oldObject, object: more })).to.deep.equal([{ op: 'replace', path, value }]);
  });

  it('stays as it was when a user edits or removes it', () => {
    const oldObject = annotated({ [promote]: 'dev@1', [note]: bobs });
    const forged = JSON.stringify({ [promote]: { user: 'alice', value: 'dev@1' } });
    expect(
      mutate({ oldObject, object: annotated({ [promote]: 'dev@1', [note]: forged }) }),
    ).to.deep.equal([{ op: 'replace', path, value: bobs }]);
    expect(mutate({ oldObject, object: annotated({ [promote]: 'dev@1' }) })).to.deep.equal([
      { op: 'add', path, value: bobs },
    ]);
  });

  it('goes with the annotation, and is another for another value', () => {
    const oldObject = annotated({ [promote]: 'dev@1', [note]: bobs });
    expect(mutate({ oldObject, object: annotated({ [note]: bobs }) })).to.deep.equal([
      { op: 'remove', path },
    ]);
    const changed = annotated({ [promote]: 'dev@2', [note]: bobs });
    expect(mutate({ oldObject, object: changed })).to.deep.equal([
      { op: 'replace', path, value: JSON.stringify({ [promote]: janes('dev@2') }) },
    ]);
  });

  it('vouches for nobody where nobody was noted', () => {
    const oldObject = annotated({ [promote]: 'dev@1' });
    expect(mutate({ oldObject, object: annotated({ [promote]: 'dev@1' }) })).to.deep.equal([]);
    const object = annotated({ [promote]: 'dev@1' });
    expect(mutate({ object, userInfo: {} })).to.deep.equal([]);
  });

  it('is left alone by the controller, or taken away', () => {
    const userInfo = { username: controller };
    const oldObject = annotated({ [promote]: 'dev@1', [note]: bobs });
    expect(mutate({ oldObject, object: structuredClone(oldObject), userInfo })).to.deep.equal([]);
    expect(
      mutate({ oldObject, object: annotated({ [promote]: 'dev@1' }), userInfo }),
    ).to.deep.equal([]);
    const forged = JSON.stringify({ [promote]: { user: 'alice', value: 'dev@1' } });
    const object = annotated({ [promote]: 'dev@1', [note]: forged });
    expect(mutate({ oldObject, object, userInfo })).to.deep.equal([
      { op: 'replace', path, value: bobs },
    ]);
  });
});

describe('a note that did not come from the mutating webhook', () => {
  const refusal = (fields: Partial<AdmissionRequest>): unknown => {
    const verdict = validateStageSet(requestFor('StageSet', fields), settings);
    return verdict.kind === 'Refused' ? verdict.refusal.message : undefined;
  };
  const told =
    'StageSet.stages.metio.wtf "shop" is invalid: ' +
    'metadata.annotations[stages.metio.wtf/requested-by]: says who set stages.metio.wtf/promote, ' +
    'which only the admission webhook may note; remove the annotation';

  it('is refused where it names another user', () => {
    expect(refusal({ object: annotated({ [promote]: 'dev@1', [note]: bobs }) })).to.equal(told);
  });

  it('is refused where it was put beside an older request, also while the spec stays', () => {
    const oldObject = annotated({ [promote]: 'dev@1' });
    const object = annotated({ [promote]: 'dev@1', [note]: bobs });
    expect(refusal({ oldObject, object })).to.equal(told);
  });

  it('is refused where it is about a value of before', () => {
    const oldObject = annotated({ [promote]: 'dev@1', [note]: bobs });
    const object = annotated({ [promote]: 'dev@2', [note]: bobs });
    expect(refusal({ oldObject, object })).to.equal(told);
  });

  it('is let pass where it says the truth, or nothing', () => {
    const own = JSON.stringify({ [promote]: janes('dev@1') });
    for (const text of [own, '', 'no JSON', '{}']) {
      expect(refusal({ object: annotated({ [promote]: 'dev@1', [note]: text }) })).to.equal(
        undefined,
      );
    }
    const stored = annotated({ [promote]: 'dev@1', [note]: bobs });
    expect(refusal({ oldObject: stored, object: stored })).to.equal(undefined);
  });
});
