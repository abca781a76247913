import { expect } from 'chai';
import fc from 'fast-check';
import {
  defaultStageSet,
  type NamespaceAnnotations,
  needsNamespace,
} from '../../../../src/core/admission/default-stage-set.ts';
import type { JsonObject } from '../../../../src/types/kubernetes.ts';
import { patched, requestFor, settings, stageSet } from '../../../admission/reviews.ts';

const nothing: NamespaceAnnotations = { kind: 'Read', annotations: {} };
const annotation = 'stages.metio.wtf/default-service-account';
const flux = 'source.toolkit.fluxcd.io/v1';

function namespace(account: string): NamespaceAnnotations {
  return { kind: 'Read', annotations: { [annotation]: account } };
}

/** A stage whose source needs no default. */
const stage = { name: 'dev', sourceRef: { apiVersion: flux, name: 'app' } };
const named = { serviceAccountName: 'deployer' };

describe('the ServiceAccount of a StageSet that names none', () => {
  const request = requestFor('StageSet', { object: stageSet({ stages: [stage] }) });
  const withFlag = { ...settings, defaultServiceAccount: 'fallback' };
  const account = (name: string): unknown => ({
    patch: [{ op: 'add', path: '/spec/serviceAccountName', value: name }],
    warnings: [],
  });

  it('is that of the namespace before that of the flag', () => {
    expect(defaultStageSet(request, withFlag, namespace('deployer'))).to.deep.equal(
      account('deployer'),
    );
  });

  it('is that of the flag where the namespace has none', () => {
    expect(defaultStageSet(request, withFlag, nothing)).to.deep.equal(account('fallback'));
    expect(defaultStageSet(request, withFlag, namespace(''))).to.deep.equal(account('fallback'));
  });

  it('stays away where neither says one', () => {
    expect(defaultStageSet(request, settings, nothing)).to.deep.equal({ patch: [], warnings: [] });
  });

  it('is the same for a remote cluster', () => {
    const object = stageSet({ stages: [stage], kubeConfig: { secretRef: { name: 'far' } } });
    const remote = requestFor('StageSet', { object });
    expect(defaultStageSet(remote, settings, namespace('deployer'))).to.deep.equal(
      account('deployer'),
    );
  });

  it('replaces an empty name, which else would be the identity of the controller', () => {
    const object = stageSet({ stages: [stage], serviceAccountName: '' });
    const empty = requestFor('StageSet', { object });
    expect(defaultStageSet(empty, settings, namespace('deployer')).patch).to.deep.equal([
      { op: 'replace', path: '/spec/serviceAccountName', value: 'deployer' },
    ]);
  });

  it('is nobody while the annotation names what no ServiceAccount can be called', () => {
    for (const bad of ['Deployer', '../admin', 'a/b', ' ']) {
      expect(defaultStageSet(request, withFlag, namespace(bad)), bad).to.deep.equal({
        patch: [],
        warnings: [
          'spec.serviceAccountName: the annotation stages.metio.wtf/default-service-account is ' +
            `not the name of a ServiceAccount: ${JSON.stringify(bad)}; correct it`,
        ],
      });
    }
  });

  it('is not guessed while the namespace cannot be read', () => {
    expect(defaultStageSet(request, withFlag, { kind: 'Unreadable' })).to.deep.equal({
      patch: [],
      warnings: [
        'spec.serviceAccountName: the default of the namespace could not be read and is not ' +
          'filled in; name a ServiceAccount, or apply the StageSet again',
      ],
    });
  });

  it('asks for the namespace only where it matters', () => {
    expect(needsNamespace(request)).to.equal(true);
    const asks = (fields: object): boolean =>
      needsNamespace(requestFor('StageSet', { object: request.object ?? null, ...fields }));
    expect(asks({ object: stageSet({ ...named, stages: [stage] }) })).to.equal(false);
    expect(asks({ subResource: 'status', operation: 'UPDATE' })).to.equal(false);
    expect(asks({ operation: 'DELETE' })).to.equal(false);
    expect(asks({ object: { apiVersion: 'stages.metio.wtf/v1', kind: 'StageSet' } })).to.equal(
      false,
    );
    const deleted = stageSet({ stages: [stage] }, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(asks({ oldObject: deleted, operation: 'UPDATE' })).to.equal(false);
    // Before it is stored, the user may have written that.
    expect(asks({ object: deleted })).to.equal(true);
  });
});

describe('the apiVersion of a source', () => {
  it('is the one of Flux for the kinds of Flux, and nobody guesses that of a producer', () => {
    const sources: JsonObject[] = [
      { name: 'a' },
      { name: 'b', kind: 'ExternalArtifact' },
      { name: 'c', kind: 'GitRepository', apiVersion: '' },
      { name: 'd', kind: 'OCIRepository' },
      { name: 'e', kind: 'Bucket', apiVersion: 'source.toolkit.fluxcd.io/v1beta2' },
      { name: 'f', kind: 'JsonnetSnippet' },
    ];
    const stages = sources.map((sourceRef, index) => ({ name: `s${index}`, sourceRef }));
    const object = stageSet({ ...named, stages });
    const { patch } = defaultStageSet(requestFor('StageSet', { object }), settings, nothing);
    expect(patch).to.deep.equal([
      { op: 'add', path: '/spec/stages/0/sourceRef/apiVersion', value: flux },
      { op: 'add', path: '/spec/stages/1/sourceRef/apiVersion', value: flux },
      { op: 'replace', path: '/spec/stages/2/sourceRef/apiVersion', value: flux },
      { op: 'add', path: '/spec/stages/3/sourceRef/apiVersion', value: flux },
    ]);
  });
});

describe('what is filled in', () => {
  it('is nothing where the object is not what it should be', () => {
    for (const object of [
      null,
      {},
      { metadata: [], spec: 'x' },
      { metadata: {}, spec: { stages: { 0: stage } } },
      { metadata: {}, spec: { ...named, stages: [null, 'x', { sourceRef: [] }] } },
      { metadata: {}, spec: { ...named, stages: [{ sourceRef: { kind: 3 } }] } },
    ] as (JsonObject | null)[]) {
      const request = requestFor('StageSet', { object });
      const filled = defaultStageSet({ ...request, namespace: '' }, settings, nothing);
      expect(filled).to.deep.equal({ patch: [], warnings: [] });
    }
  });

  it('is nothing for a status, a deletion, and an object that is being deleted', () => {
    const object = stageSet({ stages: [{ name: 'dev', sourceRef: { name: 'app' } }] });
    const oldObject = stageSet({ stages: [] }, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    for (const fields of [
      { object, oldObject: object, subResource: 'status' },
      { object, oldObject: object, operation: 'DELETE' as const },
      { object, oldObject },
    ]) {
      const request = requestFor('StageSet', fields);
      expect(defaultStageSet(request, settings, namespace('x')).patch).to.deep.equal([]);
    }
  });

  it('is nothing more the second time, and in the order of the paths', () => {
    const optional = (values: readonly string[]): fc.Arbitrary<string | undefined> =>
      fc.option(fc.constantFrom(...values), { nil: undefined });
    const annotations = fc.option(
      fc.dictionary(
        fc.constantFrom(
          ...['promote', 'update-now', 'requested-by', 'other'].map((n) => `stages.metio.wtf/${n}`),
          'reconcile.fluxcd.io/requestedAt',
        ),
        fc.constantFrom(
          'a',
          'dev@1',
          '{}',
          '{"stages.metio.wtf/promote":{"value":"a","user":"x"}}',
        ),
      ),
      { nil: undefined },
    );
    const objects = fc
      .record({
        serviceAccountName: optional(['', 'deployer']),
        kinds: fc.array(optional(['', 'ExternalArtifact', 'Bucket', 'Recipe']), { maxLength: 12 }),
        annotations,
      })
      .map(({ serviceAccountName, kinds, annotations: set }) => {
        const stages = kinds.map((kind, index) => ({
          name: `s${index}`,
          sourceRef: { name: 'app', ...(kind === undefined ? {} : { kind }) },
        }));
        const account = serviceAccountName === undefined ? {} : { serviceAccountName };
        return stageSet({ ...account, stages }, set === undefined ? {} : { annotations: set });
      });
    fc.assert(
      fc.property(objects, fc.option(objects, { nil: undefined }), (object, oldObject) => {
        const of = (each: JsonObject): ReturnType<typeof defaultStageSet> => {
          const old = oldObject === undefined ? {} : { oldObject };
          const request = requestFor('StageSet', { object: each, ...old });
          return defaultStageSet(request, settings, namespace('deployer'));
        };
        const { patch } = of(object);
        const paths = patch.map(({ path }) => path);
        expect(paths).to.deep.equal([...new Set(paths)].sort());
        expect(of(patched(object, patch)).patch).to.deep.equal([]);
      }),
    );
  });
});
