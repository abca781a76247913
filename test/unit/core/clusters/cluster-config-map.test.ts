import { expect } from 'chai';
import { readClusterConfigMap } from '../../../../src/core/clusters/cluster-config-map.ts';
import { TerminalError } from '../../../../src/core/errors.ts';

const generic = {
  provider: 'generic',
  address: 'https://paris.example.com',
  serviceAccountName: 'deployer',
};

const aks =
  '/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/shops/providers/' +
  'Microsoft.ContainerService/managedClusters/paris';

describe('a ConfigMap that describes a cluster', () => {
  it('names the ServiceAccount, and the address is the audience unless others are named', () => {
    expect(readClusterConfigMap({ ...generic, 'ca.crt': 'PEM\n' })).to.deep.equal({
      kind: 'Generic',
      server: new URL('https://paris.example.com'),
      ca: 'PEM',
      serviceAccountName: 'deployer',
      audiences: ['https://paris.example.com'],
    });
    const described = readClusterConfigMap({ ...generic, audiences: ' paris \n\nlyon\n' });
    expect(described).to.have.deep.property('audiences', ['paris', 'lyon']);
  });

  const clouds: [Record<string, string>, unknown][] = [
    [
      { provider: 'aws', cluster: 'arn:aws:eks:eu-central-1:123456789012:cluster/paris' },
      { provider: 'aws', region: 'eu-central-1', name: 'paris' },
    ],
    [
      { provider: 'aws', cluster: 'arn:aws-us-gov:eks:us-gov-west-1:123456789012:cluster/a_b' },
      { provider: 'aws', region: 'us-gov-west-1', name: 'a_b' },
    ],
    [
      { provider: 'gcp', cluster: 'projects/shop-1/locations/europe-west3/clusters/paris' },
      { provider: 'gcp', path: 'projects/shop-1/locations/europe-west3/clusters/paris' },
    ],
    [
      { provider: 'azure', cluster: aks },
      { provider: 'azure', resourceId: aks },
    ],
  ];
  for (const [data, name] of clouds) {
    it(`names the managed cluster ${data['cluster']}`, () => {
      expect(readClusterConfigMap({ ...data, serviceAccountName: 'courier' })).to.deep.equal({
        kind: 'Cloud',
        name,
        serviceAccountName: 'courier',
      });
    });
  }

  const invalid: [string, unknown, string][] = [
    ['no data', undefined, 'key provider is missing'],
    ['no provider', { ...generic, provider: '' }, 'key provider is missing'],
    ['an unknown provider', { ...generic, provider: 'ibm' }, 'one of generic, aws, azure, gcp'],
    ['no cluster of a cloud', { ...generic, provider: 'aws' }, 'key cluster is missing'],
    ['a strange ARN', { provider: 'aws', cluster: 'arn:aws:eks:x' }, 'is not of the form arn:aws'],
    [
      'an ARN whose region leads elsewhere',
      { provider: 'aws', cluster: 'arn:aws:eks:evil.example.com/:123456789012:cluster/a' },
      'is not of the form arn:aws',
    ],
    [
      'a cluster that climbs out of its path',
      { provider: 'gcp', cluster: 'projects/../locations/eu/clusters/a' },
      'is not of the form projects/',
    ],
    [
      'a resource ID that climbs out of its path',
      { provider: 'azure', cluster: aks.replace('shops', '..') },
      'is not of the form /subscriptions/',
    ],
    [
      'audiences for a cloud',
      { provider: 'azure', cluster: aks, audiences: 'paris' },
      'is for the provider generic',
    ],
    ['no address', { ...generic, address: '' }, 'key address is missing'],
    ['an address without TLS', { ...generic, address: 'http://a' }, 'only https'],
    ['no account', { ...generic, serviceAccountName: '' }, 'key serviceAccountName is missing'],
    ['a strange account', { ...generic, serviceAccountName: '../x' }, 'is no name'],
    ['too many audiences', { ...generic, audiences: 'a\n'.repeat(21) }, 'are more than 20'],
  ];
  for (const [what, data, why] of invalid) {
    it(`with ${what} is an invalid spec`, () => {
      expect(() => readClusterConfigMap(data))
        .to.throw(TerminalError, why)
        .with.property('reason', 'InvalidSpec');
    });
  }
});
