import { Buffer } from 'node:buffer';
import { expect } from 'chai';
import { normalise } from '../../../../src/core/objects/normalise.ts';
import type { KubernetesObject } from '../../../../src/types/kubernetes.ts';

function definition(caBundle?: unknown): KubernetesObject {
  const service = { name: 'convert', namespace: 'team' };
  const clientConfig = caBundle === undefined ? { service } : { service, caBundle };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'toys.example.com' },
    spec: {
      group: 'example.com',
      conversion: {
        strategy: 'Webhook',
        webhook: { clientConfig, conversionReviewVersions: ['v1'] },
      },
    },
  };
}

const certificate = Buffer.from(
  '-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n',
).toString('base64');

describe('the CA bundle of a conversion webhook', () => {
  for (const placeholder of ['Cg==', '', 'bm90IGEgY2VydGlmaWNhdGU=', '%%%', null, 7]) {
    it(`is left to whoever fills it in where it is ${JSON.stringify(placeholder)}`, () => {
      expect(normalise(definition(placeholder))).to.deep.equal(definition());
    });
  }

  it('is applied where it is a certificate', () => {
    expect(normalise(definition(certificate))).to.deep.equal(definition(certificate));
  });

  it('may be missing, and so may all around it', () => {
    expect(normalise(definition())).to.deep.equal(definition());
    const bare = {
      ...definition(),
      spec: { group: 'example.com', conversion: { strategy: 'None' } },
    };
    expect(normalise(bare)).to.deep.equal(bare);
  });
});
