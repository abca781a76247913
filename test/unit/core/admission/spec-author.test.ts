import { expect } from 'chai';
import { defaultStageSet } from '../../../../src/core/admission/default-stage-set.ts';
import { validateStageSet } from '../../../../src/core/admission/validate-stage-set.ts';
import { specAuthorOf, specDigest } from '../../../../src/core/spec-author.ts';
import { parseStageSet } from '../../../../src/core/validate/schema.ts';
import type { AdmissionRequest } from '../../../../src/types/generated/admission.k8s.io.v1.ts';
import type { JsonObject } from '../../../../src/types/kubernetes.ts';
import { patched, requestFor, settings, stageSet } from '../../../admission/reviews.ts';

const note = 'stages.metio.wtf/spec-changed-by';
const bob = { username: 'bob', uid: 'uid-of-bob', groups: ['ops'] };

function spec(fields: JsonObject = {}, excludeSpecAuthor = true): JsonObject {
  return {
    serviceAccountName: 'deployer',
    stages: [
      { name: 'dev', sourceRef: { apiVersion: 'source.toolkit.fluxcd.io/v1', name: 'app' } },
    ],
    version: { value: '1.0.0', approvalMode: 'Always', approvals: { excludeSpecAuthor } },
    ...fields,
  };
}

/** The object as it would be stored after the mutating webhook. */
function stored(fields: Partial<AdmissionRequest>): JsonObject {
  const request = requestFor('StageSet', fields);
  const { patch } = defaultStageSet(request, settings, { kind: 'Read', annotations: {} });
  return patched(request.object ?? {}, patch);
}

function authorOf(object: JsonObject): string | undefined {
  const parsed = parseStageSet(object);
  if (!parsed.ok) throw new Error('it cannot be parsed');
  return specAuthorOf(parsed.value)?.user;
}

function annotated(object: JsonObject, text: string | undefined): JsonObject {
  return stageSet(object, text === undefined ? {} : { annotations: { [note]: text } });
}

function noteOf(object: JsonObject): string | undefined {
  const { annotations } = object['metadata'] as { annotations?: Record<string, string> };
  return annotations?.[note];
}

function noting(object: JsonObject, user: string): string {
  return JSON.stringify({ spec: specDigest(object), user });
}

describe('the note of who changed the spec', () => {
  it('names whoever creates the StageSet', () => {
    const object = stored({ object: stageSet(spec()) });
    expect(authorOf(object)).to.equal('jane');
    expect(noteOf(object)).to.equal(
      JSON.stringify({
        groups: ['dev', 'system:authenticated'],
        spec: specDigest(spec()),
        uid: 'uid-of-jane',
        user: 'jane',
      }),
    );
  });

  it('is there only where the spec asks for it', () => {
    expect(noteOf(stored({ object: stageSet(spec({}, false)) }))).to.equal(undefined);
    expect(noteOf(stored({ object: annotated(spec({ version: {} }), 'x') }))).to.equal(undefined);
    const strange = stageSet({ version: { approvals: [] } });
    expect(noteOf(stored({ object: strange }))).to.equal(undefined);
  });

  it('is about the spec as the webhook leaves it', () => {
    const sourceRef = { kind: 'GitRepository', name: 'app' };
    const object = stored({ object: stageSet(spec({ stages: [{ name: 'dev', sourceRef }] })) });
    expect(authorOf(object)).to.equal('jane');
  });

  it('names whoever changes it, and stays while it stays', () => {
    const first = stored({ object: stageSet(spec()) });
    const changed = { ...first, spec: spec({ interval: '5m' }) };
    const second = stored({ oldObject: first, object: changed, userInfo: bob });
    expect(authorOf(second)).to.equal('bob');
    const paused = { ...second, spec: spec({ interval: '5m', suspend: true }) };
    const third = stored({ oldObject: second, object: paused });
    expect(authorOf(third)).to.equal('bob');
  });

  it('is not what the user wrote, nor can they take it away', () => {
    const forged = annotated(spec(), noting(spec(), 'alice'));
    expect(authorOf(stored({ object: forged }))).to.equal('jane');
    const before = stored({ object: stageSet(spec()) });
    for (const text of [noting(spec(), 'alice'), undefined, 'no JSON']) {
      const object = stored({ oldObject: before, object: annotated(spec(), text), userInfo: bob });
      expect(authorOf(object)).to.equal('jane');
    }
  });

  it('vouches for nobody where the API server names nobody, or nobody was noted', () => {
    expect(noteOf(stored({ object: stageSet(spec()), userInfo: {} }))).to.equal(undefined);
    const unnoted = stageSet(spec());
    expect(noteOf(stored({ oldObject: unnoted, object: unnoted, userInfo: bob }))).to.equal(
      undefined,
    );
  });

  it('is believed about no other spec', () => {
    const object = annotated(spec({ interval: '5m' }), noting(spec(), 'alice'));
    expect(authorOf(object)).to.equal(undefined);
  });
});

describe('a note of who changed the spec that did not come from the webhook', () => {
  const refusal = (fields: Partial<AdmissionRequest>): string | undefined => {
    const verdict = validateStageSet(requestFor('StageSet', fields), settings);
    return verdict.kind === 'Refused' ? verdict.refusal.message : undefined;
  };

  it('is refused where it would be believed', () => {
    const forged = annotated(spec(), noting(spec(), 'alice'));
    expect(refusal({ object: forged })).to.match(
      /metadata.annotations\[stages.metio.wtf\/spec-changed-by\]: says who changed the spec, which only/,
    );
    expect(refusal({ oldObject: stageSet(spec()), object: forged })).to.match(/says who changed/);
    const back = annotated(spec({ interval: '5m' }), noting(spec({ interval: '5m' }), 'bob'));
    expect(refusal({ oldObject: back, object: forged })).to.match(/says who changed/);
  });

  it('is let pass where it says the truth, or is about another spec', () => {
    const own = stored({ object: stageSet(spec()) });
    expect(refusal({ object: own })).not.to.match(/says who changed/);
    expect(refusal({ oldObject: own, object: own, userInfo: bob })).not.to.match(
      /says who changed/,
    );
    const stale = annotated(spec({ interval: '5m' }), noteOf(own));
    expect(refusal({ oldObject: own, object: stale, userInfo: bob })).not.to.match(
      /says who changed/,
    );
  });
});
