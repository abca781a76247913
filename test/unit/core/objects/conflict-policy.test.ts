import { expect } from 'chai';
import { TerminalError } from '../../../../src/core/errors.ts';
import {
  type ConflictHandling,
  type ConflictSettings,
  conflictHandling,
  refuseDataLoss,
} from '../../../../src/core/objects/conflict-policy.ts';
import type { KubernetesObject } from '../../../../src/types/kubernetes.ts';
import type { ConflictRule } from '../../../../src/types/stages.ts';

function object(
  kind = 'Deployment',
  metadata: Partial<KubernetesObject['metadata']> = {},
): KubernetesObject {
  const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'v1';
  return { apiVersion, kind, metadata: { name: 'web', namespace: 'team', ...metadata } };
}

const forced = { annotations: { 'stages.metio.wtf/force': 'yes' } };
const recreate: ConflictRule = { target: { kind: 'Deployment' }, action: 'Recreate' };
const keep: ConflictRule = { target: { name: 'web' }, action: 'KeepExisting' };

describe('a conflict over an object', () => {
  const cases: [string, ConflictSettings, KubernetesObject, ConflictHandling][] = [
    [
      'fails the stage where nobody says anything',
      {},
      object(),
      { action: 'Fail', origin: 'Nobody' },
    ],
    [
      'is solved by replacing with force',
      { force: true },
      object(),
      { action: 'Recreate', origin: 'Force' },
    ],
    [
      'fails the stage with a conflictPolicy that has only the default of the CRD, in spite of force',
      { force: true, conflictPolicy: { default: 'Fail' } },
      object(),
      { action: 'Fail', origin: 'Default' },
    ],
    [
      'fails the stage with a conflictPolicy without default, in spite of force',
      { force: true, conflictPolicy: {} },
      object(),
      { action: 'Fail', origin: 'Default' },
    ],
    [
      'is solved as the default says',
      { conflictPolicy: { default: 'KeepExisting' } },
      object(),
      { action: 'KeepExisting', origin: 'Default' },
    ],
    [
      'is solved as the first rule says that matches',
      { conflictPolicy: { default: 'Fail', rules: [recreate, keep] } },
      object(),
      { action: 'Recreate', origin: 'Rule' },
    ],
    [
      'passes over rules that do not match',
      { conflictPolicy: { default: 'Fail', rules: [recreate, keep] } },
      object('ConfigMap'),
      { action: 'KeepExisting', origin: 'Rule' },
    ],
    [
      'is solved by replacing where the object itself says so, before all rules',
      { conflictPolicy: { default: 'Fail', rules: [keep] } },
      object('ConfigMap', forced),
      { action: 'Recreate', origin: 'Annotation' },
    ],
    [
      'is not decided by an annotation without a value',
      { conflictPolicy: { default: 'Fail' } },
      object('ConfigMap', { annotations: { 'stages.metio.wtf/force': '' } }),
      { action: 'Fail', origin: 'Default' },
    ],
  ];
  for (const [title, settings, rendered, expected] of cases) {
    it(title, () => {
      expect(conflictHandling(rendered, settings)).to.deep.equal(expected);
    });
  }

  const targets: [string, ConflictRule['target'], boolean][] = [
    ['an empty target', {}, true],
    ['empty fields', { apiVersion: '', kind: '', namespace: '', name: '' }, true],
    [
      'all fields',
      { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'team', name: 'web' },
      true,
    ],
    ['another apiVersion', { apiVersion: 'apps/v1beta1' }, false],
    ['only the group', { apiVersion: 'apps' }, false],
    ['another case', { kind: 'deployment' }, false],
    ['another namespace', { namespace: 'other' }, false],
    ['a part of the name', { name: 'we' }, false],
  ];
  for (const [title, target, matches] of targets) {
    it(`${matches ? 'is decided' : 'is not decided'} by a rule for ${title}`, () => {
      const settings: ConflictSettings = {
        conflictPolicy: { default: 'Fail', rules: [{ ...recreate, target }] },
      };
      expect(conflictHandling(object(), settings).origin).to.equal(matches ? 'Rule' : 'Default');
    });
  }

  it('may be over a cluster-scoped object, which no rule with a namespace means', () => {
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'web' },
    };
    const inNamespace = { target: { namespace: 'team' }, action: 'Recreate' } as const;
    expect(
      conflictHandling(role, { conflictPolicy: { default: 'Fail', rules: [inNamespace] } }).action,
    ).to.equal('Fail');
  });
});

describe('the data of a volume', () => {
  const rule = (more: Partial<ConflictRule> = {}): ConflictSettings => ({
    conflictPolicy: { default: 'Fail', rules: [{ target: {}, action: 'Recreate', ...more }] },
  });
  const claim = object('PersistentVolumeClaim', { name: 'data' });
  const volume: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: 'disk' },
  };

  it('is not put at risk by a rule that does not say so, even without a conflict', () => {
    expect(() => {
      refuseDataLoss([object(), claim, volume], rule());
    })
      .to.throw(
        TerminalError,
        'a conflictPolicy rule may replace PersistentVolumeClaim/team/data, PersistentVolume/disk, ' +
          'and what is stored there would be lost; set allowDataLoss: true in the rule, or give it ' +
          'another action',
      )
      .with.property('reason', 'StageFailed');
  });

  const allowed: [string, ConflictSettings, KubernetesObject][] = [
    ['by a rule with allowDataLoss', rule({ allowDataLoss: true }), claim],
    ['by the default', { conflictPolicy: { default: 'Recreate' } }, claim],
    ['by force', { force: true }, claim],
    ['by its own annotation', rule(), object('PersistentVolumeClaim', forced)],
    ['by a rule that keeps it', rule({ action: 'KeepExisting' }), claim],
    ['by a rule for something else', rule({ target: { kind: 'ConfigMap' } }), claim],
    ['where only the kind has that name', rule(), { ...claim, apiVersion: 'example.com/v1' }],
  ];
  for (const [title, settings, rendered] of allowed) {
    it(`may be put at risk ${title}`, () => {
      expect(() => {
        refuseDataLoss([rendered], settings);
      }).not.to.throw();
    });
  }
});
