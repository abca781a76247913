import { expect } from 'chai';
import { bundlePatch, bundlesIn, isInjected } from '../../../src/certs/bundle-patch.ts';
import type { KubernetesObject } from '../../../src/types/kubernetes.ts';

const encoded = Buffer.from('NEW').toString('base64');

function configuration(...bundles: (string | undefined)[]): KubernetesObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'stageset', resourceVersion: '7' },
    webhooks: bundles.map((bundle, index) => ({
      name: `hook-${index}.stages.metio.wtf`,
      clientConfig: {
        service: { namespace: 'system', name: 'webhook' },
        ...(bundle === undefined ? {} : { caBundle: Buffer.from(bundle).toString('base64') }),
      },
    })),
  };
}

describe('the patch of a caBundle', () => {
  it('touches the webhooks whose bundle differs and nothing else', () => {
    expect(bundlePatch(configuration('NEW', 'OLD', undefined), 'NEW')).to.deep.equal([
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
      { op: 'add', path: '/webhooks/1/clientConfig/caBundle', value: encoded },
      { op: 'add', path: '/webhooks/2/clientConfig/caBundle', value: encoded },
    ]);
  });

  it('is none when every webhook has the bundle, or there is no webhook', () => {
    expect(bundlePatch(configuration('NEW', 'NEW'), 'NEW')).to.equal(undefined);
    expect(bundlePatch(configuration(), 'NEW')).to.equal(undefined);
    const { apiVersion, kind, metadata } = configuration();
    expect(bundlePatch({ apiVersion, kind, metadata }, 'NEW')).to.equal(undefined);
  });

  it('reads back the bundles that are there', () => {
    expect(bundlesIn(configuration('OLD', undefined))).to.deep.equal(['OLD', '']);
  });

  it('is not for what cert-manager fills', () => {
    const filled = configuration('OLD');
    expect(isInjected(filled)).to.equal(false);
    filled.metadata.annotations = { 'cert-manager.io/inject-ca-from': 'system/serving' };
    expect(isInjected(filled)).to.equal(true);
  });
});
