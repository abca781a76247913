import { expect } from 'chai';
import { supposedSecrets } from '../../../../src/server/aggregated/plan/supposed-secrets.ts';
import type { StagePlanSpec } from '../../../../src/types/generated/subresources.stages.metio.wtf.v1.ts';
import type { KubernetesObject } from '../../../../src/types/kubernetes.ts';
import { stagesApiVersion } from '../../../../src/types/stages.ts';

const from = (kind: string, name: string): object => ({ kind, name });
const stage = (name: string, ...substituteFrom: object[]): Record<string, unknown> => ({
  name,
  sourceRef: { name },
  postBuild: { substituteFrom },
});
const web = stage('web', from('Secret', 'web'), from('ConfigMap', 'colors'));
const api = stage('api', from('Secret', 'api'));

function secrets(suppose: StagePlanSpec, spec: Record<string, unknown> = {}): string[] {
  const object: KubernetesObject = {
    apiVersion: stagesApiVersion,
    kind: 'StageSet',
    metadata: { name: 'shop', namespace: 'shop' },
    spec: { interval: '1h', stages: [web, api], ...spec },
  };
  return supposedSecrets(object, suppose);
}

describe('the Secrets that whoever asks what if must be allowed to read', () => {
  it('are none where nothing is built otherwise', () => {
    expect(secrets({})).to.deep.equal([]);
    expect(secrets({ at: '2026-01-31T12:00:00Z', revisions: {} })).to.deep.equal([]);
    expect(
      secrets({ proposed: { interval: '2h', suspend: true, stages: [web, api] } }),
    ).to.deep.equal([]);
    expect(secrets({ proposed: { interval: '1h', stages: [api, web] } })).to.deep.equal([]);
  });

  it('are those of a stage with another artifact', () => {
    expect(secrets({ revisions: { web: { sourceRef: { name: 'next' } } } })).to.deep.equal(['web']);
    expect(secrets({ revisions: { api: { url: 'http://a/b', digest: 'c' } } })).to.deep.equal([
      'api',
    ]);
  });

  it('are those of a stage that is patched or named otherwise, and of a new one', () => {
    const patches = [{ patch: '- {op: replace, path: /metadata/name, value: "${password}"}' }];
    expect(secrets({ proposed: { stages: [{ ...web, patches }, api] } })).to.deep.equal(['web']);
    expect(secrets({ proposed: { stages: [{ ...web, name: 'web2' }] } })).to.deep.equal(['web']);
    const more = stage('more', from('Secret', 'tls'));
    expect(secrets({ proposed: { stages: [web, api, more] } })).to.deep.equal(['tls']);
  });

  it('are all where another account reads them', () => {
    const proposed = { serviceAccountName: 'powerful', stages: [web, api] };
    expect(secrets({ proposed })).to.deep.equal(['web', 'api']);
  });

  it('are the keys that anything is decrypted by, too', () => {
    const decryption = { provider: 'sops', secretRef: { name: 'keys' } };
    expect(secrets({ proposed: { decryption, stages: [web] } })).to.deep.equal(['web', 'keys']);
    const revisions = { web: { sourceRef: { name: 'next' } } };
    expect(secrets({ revisions }, { decryption })).to.deep.equal(['web', 'keys']);
  });

  it('are none of a spec that is not valid: nothing of it is built', () => {
    expect(secrets({ proposed: { stages: 'all' } })).to.deep.equal([]);
  });
});
