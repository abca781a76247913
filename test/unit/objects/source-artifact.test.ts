import { expect } from 'chai';
import {
  absentSource,
  artifactOf,
  chooseProduced,
  crossNamespaceFailure,
  leavesNamespace,
  type SourceRoute,
  sourceRoute,
} from '../../../src/core/objects/source-artifact.ts';
import type { KubernetesObject } from '../../../src/types/kubernetes.ts';

const artifact = {
  url: 'http://source-controller.flux-system.svc/a.tar.gz',
  digest: 'sha256:0123',
  revision: 'main@sha1:abc',
};

const source = (status: unknown, name = 'app', spec: unknown = {}): KubernetesObject => ({
  apiVersion: 'source.toolkit.fluxcd.io/v1',
  kind: 'ExternalArtifact',
  metadata: { name, namespace: 'shop' },
  spec,
  status,
});

const ready = { conditions: [{ type: 'Ready', status: 'True' }], artifact };

describe('the route to an artifact', () => {
  const direct = (apiVersion: string, kind: string, namespace = 'shop'): SourceRoute => ({
    kind: 'Direct',
    source: { apiVersion, kind, namespace, name: 'app' },
  });

  it('is the ExternalArtifact of that name by default', () => {
    const expected = direct('source.toolkit.fluxcd.io/v1', 'ExternalArtifact');
    expect(sourceRoute({ name: 'app' }, 'shop')).to.deep.equal(expected);
    expect(sourceRoute({ name: 'app', kind: '', namespace: '' }, 'shop')).to.deep.equal(expected);
    const foreign = { name: 'app', kind: 'ExternalArtifact', apiVersion: 'example.com/v1' };
    expect(sourceRoute(foreign, 'shop')).to.deep.equal(expected);
  });

  it("is one of Flux's own sources", () => {
    expect(
      sourceRoute({ name: 'app', kind: 'GitRepository', namespace: 'ops' }, 'shop'),
    ).to.deep.equal(direct('source.toolkit.fluxcd.io/v1', 'GitRepository', 'ops'));
    expect(
      sourceRoute(
        { name: 'app', kind: 'Bucket', apiVersion: 'source.toolkit.fluxcd.io/v1beta2' },
        'shop',
      ),
    ).to.deep.equal(direct('source.toolkit.fluxcd.io/v1beta2', 'Bucket'));
  });

  it('is what another kind has produced, by group and not by version', () => {
    const reference = { name: 'app', kind: 'GitRepository', apiVersion: 'example.com/v2' };
    expect(sourceRoute(reference, 'shop')).to.deep.equal({
      kind: 'Producer',
      artifacts: { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'ExternalArtifact' },
      namespace: 'shop',
      producer: { group: 'example.com', kind: 'GitRepository', name: 'app' },
    });
  });

  it('is invalid for a producer without apiVersion', () => {
    expect(sourceRoute({ name: 'app', kind: 'Chart' }, 'shop')).to.deep.equal({
      kind: 'Invalid',
      reason: 'InvalidSpec',
      message:
        'sourceRef to Chart app has no apiVersion: the API group of a producer of ExternalArtifacts ' +
        'is needed to find its artifact; set sourceRef.apiVersion',
    });
  });
});

describe('the artifact of a source', () => {
  it('is ready with its place, digest and revision', () => {
    expect(artifactOf(source(ready))).to.deep.equal({
      kind: 'Ready',
      artifact: { source: 'shop/app', ...artifact },
    });
  });

  it('is not ready while the source is not, whatever its status has', () => {
    const conditions = [{ type: 'Ready', status: 'False', message: 'cannot clone' }];
    expect(artifactOf(source({ ...ready, conditions }))).to.deep.equal({
      kind: 'NotReady',
      reason: 'SourceNotReady',
      message: 'ExternalArtifact shop/app is not ready: cannot clone',
    });
  });

  it('is not ready without conditions or status', () => {
    expect(artifactOf(source({ artifact }))).to.include({ reason: 'SourceNotReady' });
    expect(artifactOf(source(undefined))).to.include({ reason: 'SourceNotReady' });
  });

  it('is missing without a URL or digest', () => {
    expect(artifactOf(source({ ...ready, artifact: { url: 'http://x' } }))).to.deep.equal({
      kind: 'Missing',
      reason: 'ArtifactNotFound',
      message: 'ExternalArtifact shop/app has no artifact yet: status.artifact.digest is empty',
    });
    expect(artifactOf(source({ conditions: ready.conditions }))).to.include({
      message:
        'ExternalArtifact shop/app has no artifact yet: status.artifact.url and digest is empty',
    });
  });

  it('is missing when the source does not exist', () => {
    const reference = { apiVersion: 'x/v1', kind: 'Bucket', namespace: 'shop', name: 'app' };
    expect(absentSource(reference)).to.deep.equal({
      kind: 'Missing',
      reason: 'ArtifactNotFound',
      message: 'Bucket shop/app does not exist',
    });
  });
});

describe('the artifact of a producer', () => {
  const route = sourceRoute({ name: 'app', kind: 'Chart', apiVersion: 'example.com/v1' }, 'shop');
  const producer = route as Extract<SourceRoute, { kind: 'Producer' }>;
  const producedBy = (name: string, apiVersion: string, kind = 'Chart'): KubernetesObject =>
    source(ready, name, { sourceRef: { apiVersion, kind, name: 'app' } });

  it('is the one whose sourceRef has the same group, kind and name', () => {
    const others = [producedBy('a', 'example.org/v1'), producedBy('b', 'example.com/v1', 'Other')];
    const outcome = chooseProduced([...others, producedBy('c', 'example.com/v9')], producer);
    expect(outcome).to.deep.equal({
      kind: 'Ready',
      artifact: { source: 'shop/c', ...artifact },
    });
  });

  it('is missing when there is none', () => {
    expect(chooseProduced([source(ready)], producer)).to.deep.equal({
      kind: 'Missing',
      reason: 'ArtifactNotFound',
      message: 'no ExternalArtifact in namespace shop was produced by Chart.example.com shop/app',
    });
  });

  it('is unresolved when there are several', () => {
    const several = [producedBy('two', 'example.com/v1'), producedBy('one', 'example.com/v1')];
    expect(chooseProduced(several, producer)).to.deep.equal({
      kind: 'Unresolved',
      reason: 'ResolveFailed',
      message:
        'Chart.example.com shop/app produced more than one ExternalArtifact (one, two); refer to ' +
        'one of them by kind ExternalArtifact and its name',
    });
  });
});

describe('a reference to another namespace', () => {
  const reference = { name: 'app', kind: 'Bucket', namespace: 'ops' };

  it('is told from one to the own namespace', () => {
    expect(leavesNamespace(reference, 'shop')).to.equal(true);
    expect(leavesNamespace(reference, 'ops')).to.equal(false);
    expect(leavesNamespace({ name: 'app' }, 'shop')).to.equal(false);
  });

  it('fails in one sentence that says nothing about the other namespace', () => {
    expect(crossNamespaceFailure(reference, 'shop')).to.deep.equal({
      kind: 'Unresolved',
      reason: 'ResolveFailed',
      message:
        'Bucket app in namespace ops cannot be used: references to other namespaces are forbidden ' +
        'here, or it has no artifact that is ready',
    });
  });
});
