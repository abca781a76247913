import { expect } from 'chai';
import { defaultStageSet } from '../../../../src/core/admission/default-stage-set.ts';
import { shownRevision } from '../../../../src/core/admission/shown-revision.ts';
import { validateStageSet } from '../../../../src/core/admission/validate-stage-set.ts';
import { promoteRequest } from '../../../../src/core/gates/promote-annotation.ts';
import { parseStageSet } from '../../../../src/core/validate/schema.ts';
import type { JsonObject } from '../../../../src/types/kubernetes.ts';
import { patched, requestFor, settings, stageSet } from '../../../admission/reviews.ts';

const promote = 'stages.metio.wtf/promote';

function source(name: string, kind = 'GitRepository', namespace?: string): JsonObject {
  return { kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** Stage `dev` is at its gates with v1; v2 is about to come, for it and for `prod`. */
function shown(
  stages: JsonObject[] = [
    { name: 'dev', sourceRef: source('app') },
    { name: 'prod', sourceRef: source('app') },
  ],
): JsonObject {
  return {
    ...stageSet({ serviceAccountName: 'deployer', stages }),
    status: {
      stages: [
        { name: 'dev', appliedRevision: 'v1', promotionState: { phase: 'AwaitingManual' } },
        { name: 'prod', appliedRevision: 'v0', promotionState: { phase: 'Promoted' } },
      ],
      lastAttemptedRevisions: { 'team/app': 'v2' },
    },
  };
}

describe('the revision that whoever promotes a stage was shown', () => {
  it('is the one at the gates of the stage', () => {
    expect(shownRevision(promote, 'dev@1', shown())).to.equal('v1');
  });

  it('is the one to be delivered, where the stage is not at its gates', () => {
    expect(shownRevision(promote, 'prod@1', shown())).to.equal('v2');
    const elsewhere = [{ name: 'prod', sourceRef: source('app', 'GitRepository', 'other') }];
    expect(shownRevision(promote, 'prod@1', shown(elsewhere))).to.equal(undefined);
  });

  it('is told by the annotation, where that names one', () => {
    expect(shownRevision(promote, 'dev@1@v0', shown())).to.equal(undefined);
  });

  it('is not guessed', () => {
    const twins = [
      { name: 'dev', sourceRef: source('app', 'OCIRepository') },
      { name: 'prod', sourceRef: source('app') },
    ];
    expect(shownRevision(promote, 'prod@1', shown(twins))).to.equal(undefined);
    expect(shownRevision(promote, 'test@1', shown())).to.equal(undefined);
    expect(shownRevision(promote, 'dev', shown())).to.equal(undefined);
    expect(shownRevision('stages.metio.wtf/update-now', 'dev@1', shown())).to.equal(undefined);
    for (const object of [undefined, null, {}, { status: 'no', spec: { stages: [7] } }]) {
      expect(shownRevision(promote, 'dev@1', object)).to.equal(undefined);
    }
  });

  it('[gap] is noted with the token, which promotes no other (part B 3.7)', () => {
    const oldObject = shown();
    const metadata = { name: 'shop', namespace: 'team', annotations: { [promote]: 'dev@1' } };
    const object = { ...oldObject, metadata };
    const request = requestFor('StageSet', { oldObject, object });
    const { patch } = defaultStageSet(request, settings, { kind: 'Read', annotations: {} });
    const stored = patched(object, patch);
    const parsed = parseStageSet(stored);
    if (!parsed.ok) throw new Error('it cannot be parsed');
    expect(promoteRequest(parsed.value)).to.deep.equal({
      stage: 'dev',
      token: '1',
      revision: 'v1',
    });
    const verdict = validateStageSet(
      requestFor('StageSet', { oldObject, object: stored }),
      settings,
    );
    expect(verdict.kind).to.not.equal('Refused');
    // It stays noted, also when v2 has come.
    const later = { ...stored, status: { lastAttemptedRevisions: { 'team/app': 'v3' } } };
    const again = requestFor('StageSet', { oldObject: later, object: structuredClone(later) });
    const untouched = defaultStageSet(again, settings, { kind: 'Read', annotations: {} });
    expect(untouched.patch).to.deep.equal([]);
  });
});
