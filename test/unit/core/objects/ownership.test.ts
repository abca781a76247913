import { expect } from 'chai';
import { TerminalError } from '../../../../src/core/errors.ts';
import {
  isOwnedBy,
  pruneDisabled,
  type ScopeOf,
  stampOwnership,
} from '../../../../src/core/objects/ownership.ts';

const owner = { name: 'shop', namespace: 'team-a', stage: 'dev' };
const labels = {
  'stages.metio.wtf/name': 'shop',
  'stages.metio.wtf/namespace': 'team-a',
  'stages.metio.wtf/stage': 'dev',
  'applyset.kubernetes.io/part-of': 'applyset-G4JEfwvv_nFjoGgVlE668AuQ8rItBMnbtuchM49jaIc-v1',
};
const scopeOf: ScopeOf = (_, kind) =>
  (({ ConfigMap: 'Namespaced', ClusterRole: 'Cluster' }) as const)[kind];

function configMap(metadata: {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'b' } };
}

describe('an object that is about to be applied', () => {
  it('gets the labels of its owner beside its own', () => {
    const object = configMap({ name: 'web', namespace: 'web', labels: { app: 'web' } });
    expect(stampOwnership([object], owner, scopeOf)).to.deep.equal([
      configMap({ name: 'web', namespace: 'web', labels: { app: 'web', ...labels } }),
    ]);
  });

  it('gets no labels in its Pod template, where they would restart its Pods (part A 4.8)', () => {
    const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [] } };
    const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } };
    const [stamped] = stampOwnership([{ ...object, spec: { template } }], owner, scopeOf);
    expect(stamped?.metadata.labels).to.deep.equal(labels);
    expect(stamped?.['spec']).to.deep.equal({ template });
  });

  it('cannot claim another owner', () => {
    const object = configMap({ name: 'web', labels: { 'stages.metio.wtf/name': 'other' } });
    expect(stampOwnership([object], owner, scopeOf)[0]?.metadata.labels).to.deep.equal(labels);
  });

  it('is left alone itself: the result is a copy', () => {
    const object = configMap({ name: 'web' });
    stampOwnership([object], owner, scopeOf);
    expect(object).to.deep.equal(configMap({ name: 'web' }));
  });

  it("gets the StageSet's namespace when its kind is namespaced and it names none", () => {
    for (const metadata of [{ name: 'web' }, { name: 'web', namespace: '' }]) {
      const [stamped] = stampOwnership([configMap(metadata)], owner, scopeOf);
      expect(stamped?.metadata.namespace).to.equal('team-a');
    }
  });

  it('loses its namespace when its kind is cluster-scoped', () => {
    const object = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'view', namespace: 'web' },
    };
    const [stamped] = stampOwnership([object], owner, scopeOf);
    expect(stamped?.metadata).to.deep.equal({ name: 'view', labels });
  });

  it('keeps what it says when nobody knows its kind', () => {
    const object = {
      apiVersion: 'example.com/v1',
      kind: 'Widget',
      metadata: { name: 'one', namespace: 'web' },
    };
    const [stamped] = stampOwnership([object], owner, scopeOf);
    expect(stamped?.metadata.namespace).to.equal('web');
  });

  it('is refused when another one turns out to be the same object', () => {
    const objects = [configMap({ name: 'web' }), configMap({ name: 'web', namespace: 'team-a' })];
    expect(() => stampOwnership(objects, owner, scopeOf)).to.throw(
      TerminalError,
      'the stage contains ConfigMap/team-a/web twice; remove one of its manifests',
    );
  });

  it('is refused when a name does not fit into a label', () => {
    const name = 's'.repeat(64);
    expect(() => stampOwnership([], { ...owner, name }, scopeOf))
      .to.throw(
        TerminalError,
        `the name of StageSet ${name} has 64 characters, but it labels every object that is ` +
          'applied, and a label value holds at most 63; give it a shorter name',
      )
      .with.property('reason', 'InvalidSpec');
    expect(() => stampOwnership([], { ...owner, stage: name }, scopeOf)).to.throw(TerminalError);
    expect(() => stampOwnership([], { ...owner, name: 's'.repeat(63) }, scopeOf)).not.to.throw();
  });
});

describe('a live object', () => {
  it('is owned only while it carries both labels of the StageSet', () => {
    const owned = (over: Record<string, string>) =>
      isOwnedBy(configMap({ name: 'web', labels: { ...labels, ...over } }), owner);
    expect(owned({})).to.equal(true);
    expect(owned({ 'stages.metio.wtf/stage': 'prod' })).to.equal(true);
    expect(owned({ 'stages.metio.wtf/name': 'other' })).to.equal(false);
    expect(owned({ 'stages.metio.wtf/namespace': 'other' })).to.equal(false);
    expect(isOwnedBy(configMap({ name: 'web' }), owner)).to.equal(false);
  });

  it('opts out of deletion by label or annotation, in any case', () => {
    for (const value of ['disabled', 'Disabled', 'DISABLED']) {
      const entry = { 'stages.metio.wtf/prune': value };
      for (const metadata of [{ labels: entry }, { annotations: entry }]) {
        const object = {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'web', ...metadata },
        };
        expect(pruneDisabled(object), value).to.equal(true);
      }
    }
  });

  it('does not opt out with another value or another key', () => {
    const entries: Record<string, string>[] = [
      { 'stages.metio.wtf/prune': 'enabled' },
      { 'stages.metio.wtf/prune': 'disabled ' },
      { 'stages.metio.wtf/prune': '' },
      { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' },
    ];
    for (const entry of entries) {
      expect(pruneDisabled(configMap({ name: 'web', labels: entry }))).to.equal(false);
    }
    expect(pruneDisabled(configMap({ name: 'web' }))).to.equal(false);
  });
});
