import { expect } from 'chai';
import {
  type LadderSourceRules,
  sourceVerdict,
} from '../../../../src/core/version/ladder-source.ts';
import type { KubernetesObject } from '../../../../src/types/kubernetes.ts';

const lenient: LadderSourceRules = { verified: 'Optional', pinned: 'Optional' };

function source(kind: string, ref: object | undefined, verified?: string): KubernetesObject {
  const conditions = [
    { type: 'Ready', status: 'True' },
    ...(verified === undefined ? [] : [{ type: 'SourceVerified', status: verified }]),
  ];
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind,
    metadata: { name: 'ladder', namespace: 'shop' },
    spec: ref === undefined ? {} : { ref },
    status: { conditions },
  };
}

const pinned = source('OCIRepository', { digest: 'sha256:0123' });

function reason(object: KubernetesObject, rules: Partial<LadderSourceRules> = {}): string {
  const verdict = sourceVerdict(object, { ...lenient, ...rules });
  if (verdict.kind === 'Refused') return verdict.reason;
  return verdict.warning === undefined ? 'Open' : verdict.warning.reason;
}

describe('the source of a ladder', () => {
  it('is refused where its signature could not be verified, whatever is asked for', () => {
    const bad = source('OCIRepository', { digest: 'sha256:0123' }, 'False');
    expect(reason(bad)).to.equal('MigrationSourceNotVerified');
    expect(reason(bad, { verified: 'Required' })).to.equal('MigrationSourceNotVerified');
  });

  it('needs a verified signature only where the installation asks for one', () => {
    expect(reason(pinned)).to.equal('Open');
    expect(reason(pinned, { verified: 'Required' })).to.equal('MigrationSourceNotVerified');
    const unknown = source('OCIRepository', { digest: 'sha256:0123' }, 'Unknown');
    expect(reason(unknown, { verified: 'Required' })).to.equal('MigrationSourceNotVerified');
    const good = source('OCIRepository', { digest: 'sha256:0123' }, 'True');
    expect(reason(good, { verified: 'Required' })).to.equal('Open');
  });

  const references: [string, object | undefined, 'Open' | 'MigrationSourceMutable'][] = [
    ['OCIRepository', { digest: 'sha256:0123' }, 'Open'],
    ['OCIRepository', { tag: 'latest' }, 'MigrationSourceMutable'],
    ['OCIRepository', { digest: '' }, 'MigrationSourceMutable'],
    ['OCIRepository', undefined, 'MigrationSourceMutable'],
    ['GitRepository', { commit: 'abc', branch: 'main' }, 'Open'],
    ['GitRepository', { tag: 'v1.0.0' }, 'MigrationSourceMutable'],
    ['Bucket', undefined, 'MigrationSourceMutable'],
    ['ExternalArtifact', undefined, 'Open'],
  ];
  for (const [kind, ref, expected] of references) {
    it(`${kind} with ${JSON.stringify(ref)} is ${expected}`, () => {
      expect(reason(source(kind, ref))).to.equal(expected);
      expect(reason(source(kind, ref), { pinned: 'Required' })).to.equal(
        expected === 'Open' ? 'Open' : 'MigrationSourceNotPinned',
      );
    });
  }

  it('is told with what would pin it', () => {
    expect(sourceVerdict(source('GitRepository', { branch: 'main' }), lenient)).to.deep.equal({
      kind: 'Open',
      warning: {
        reason: 'MigrationSourceMutable',
        message:
          'GitRepository shop/ladder, which has the migrations, can be moved to other content; set ' +
          'spec.ref.commit of the source',
      },
    });
  });
});
