import { expect } from 'chai';
import { readClusterConfigMap } from '../../../../src/core/clusters/cluster-config-map.ts';
import { TerminalError } from '../../../../src/core/errors.ts';

const generic = {
  provider: 'generic',
  address: 'https://paris.example.com',
  serviceAccountName: 'deployer',
};

describe('a ConfigMap that describes a cluster', () => {
  it('names the ServiceAccount, and the address is the audience unless others are named', () => {
    const { server, ...rest } = readClusterConfigMap({ ...generic, 'ca.crt': 'PEM\n' });
    expect(server.host).to.equal('paris.example.com');
    expect(rest).to.deep.equal({
      ca: 'PEM',
      serviceAccountName: 'deployer',
      audiences: ['https://paris.example.com'],
    });
    const { audiences } = readClusterConfigMap({ ...generic, audiences: ' paris \n\nlyon\n' });
    expect(audiences).to.deep.equal(['paris', 'lyon']);
  });

  const invalid: [string, unknown, string][] = [
    ['no data', undefined, 'key provider is missing'],
    ['no provider', { ...generic, provider: '' }, 'key provider is missing'],
    ['an unknown provider', { ...generic, provider: 'ibm' }, 'this build knows generic'],
    ['a cloud provider', { ...generic, provider: 'aws' }, 'has the provider generic only'],
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
