import { expect } from 'chai';
import { foreignOwner } from '../../../../src/core/objects/foreign-owner.ts';
import type { KubernetesObject } from '../../../../src/types/kubernetes.ts';

type Map = Record<string, string>;

function configMap(labels: Map = {}, annotations: Map = {}): KubernetesObject {
  const metadata = { name: 'web', namespace: 'team', labels, annotations };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata };
}

function stageSetLabels(namespace: string, name: string): Map {
  return { 'stages.metio.wtf/name': name, 'stages.metio.wtf/namespace': namespace };
}

const us = { name: 'shop', namespace: 'team' };
const ours = stageSetLabels('team', 'shop');

/** StageSet team/shop wants to apply the object as rendered; all other StageSets but `gone` exist. */
function ownerOf(live: KubernetesObject, rendered = configMap(ours)): string | undefined {
  return foreignOwner(live, rendered, us, (_, name) => name !== 'gone');
}

const helm = {
  'meta.helm.sh/release-name': 'web',
  'meta.helm.sh/release-namespace': 'charts',
};

describe('the other owner of an object', () => {
  const owned: [string, Map, Map, string][] = [
    ['a StageSet', stageSetLabels('team', 'other'), {}, 'StageSet team/other'],
    [
      'a StageSet of our name elsewhere',
      stageSetLabels('elsewhere', 'shop'),
      {},
      'StageSet elsewhere/shop',
    ],
    ['a Helm release', { 'app.kubernetes.io/managed-by': 'Helm' }, helm, 'Helm release charts/web'],
    [
      'a Kustomization of Flux',
      {
        'kustomize.toolkit.fluxcd.io/name': 'apps',
        'kustomize.toolkit.fluxcd.io/namespace': 'flux-system',
      },
      {},
      'Flux Kustomization flux-system/apps',
    ],
    [
      'a HelmRelease of Flux, before the release of Helm that it makes',
      {
        'app.kubernetes.io/managed-by': 'Helm',
        'helm.toolkit.fluxcd.io/name': 'web',
        'helm.toolkit.fluxcd.io/namespace': 'flux-system',
      },
      helm,
      'Flux HelmRelease flux-system/web',
    ],
    [
      'an ApplySet',
      { 'applyset.kubernetes.io/part-of': 'applyset-abc-v1' },
      {},
      'ApplySet applyset-abc-v1',
    ],
    [
      'an application of Argo CD',
      {},
      { 'argocd.argoproj.io/tracking-id': 'guestbook:/ConfigMap:team/web' },
      'Argo CD application guestbook',
    ],
  ];
  for (const [title, labels, annotations, expected] of owned) {
    it(`is ${title}`, () => {
      expect(ownerOf(configMap(labels, annotations))).to.equal(expected);
    });

    it(`is ${title}, also of an object that was ours before`, () => {
      if (expected.startsWith('StageSet') || expected.startsWith('ApplySet')) return;
      expect(ownerOf(configMap({ ...ours, ...labels }, annotations))).to.equal(expected);
    });

    it(`is not ${title} where the manifest itself carries the same marks`, () => {
      if (expected.startsWith('StageSet')) return;
      const rendered = configMap({ ...labels, ...ours }, annotations);
      expect(ownerOf(configMap(labels, annotations), rendered)).to.equal(undefined);
    });
  }

  const unowned: [string, Map, Map][] = [
    ['where there are no marks', { app: 'web' }, { note: 'made by hand' }],
    [
      'where they are our own, of whatever stage',
      { ...ours, 'stages.metio.wtf/stage': 'other' },
      {},
    ],
    ['where the StageSet exists no more', stageSetLabels('team', 'gone'), {}],
    [
      'where the ApplySet is the one of a StageSet that exists no more',
      { ...stageSetLabels('team', 'gone'), 'applyset.kubernetes.io/part-of': 'applyset-abc-v1' },
      {},
    ],
    [
      'where the ApplySet is the one of another stage of ours',
      { ...ours, 'applyset.kubernetes.io/part-of': 'applyset-abc-v1' },
      {},
    ],
    [
      'where only a label says Helm, as helm template renders it',
      { 'app.kubernetes.io/managed-by': 'Helm' },
      {},
    ],
    [
      'where the tracking id is a copy that names another object',
      {},
      { 'argocd.argoproj.io/tracking-id': 'guestbook:/ConfigMap:team/other' },
    ],
    ['where half of the marks is missing', { 'kustomize.toolkit.fluxcd.io/name': 'apps' }, {}],
  ];
  for (const [title, labels, annotations] of unowned) {
    it(`is nobody ${title}`, () => {
      expect(ownerOf(configMap(labels, annotations))).to.equal(undefined);
    });
  }
});
