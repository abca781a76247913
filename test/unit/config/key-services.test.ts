import { expect } from 'chai';
import { configOf, refusalOf } from './parse.ts';

describe('key services', () => {
  it('are asked as ServiceAccounts where the operator says so', () => {
    const { keyServices } = configOf(['--object-level-kms']);
    expect(keyServices.identity).to.equal('ServiceAccount');
  });

  it('have the Vault that the environment names', () => {
    const { keyServices } = configOf([], {
      VAULT_ADDR: ' HTTPS://Vault.example:8200/ ',
      VAULT_NAMESPACE: 'team',
      VAULT_CACERT: '/etc/vault/ca.crt',
      VAULT_TOKEN: 'hvs.secret',
    });
    expect(keyServices.vault).to.deep.equal({
      address: 'https://vault.example:8200',
      namespace: 'team',
      caFile: '/etc/vault/ca.crt',
    });
  });

  it('have no Vault at what is no address, and nobody is told what was in it', () => {
    for (const address of [
      'vault',
      'ftp://vault',
      'https://user:hunter2@vault',
      'https://v?x=hunter2',
    ]) {
      const refusal = refusalOf([], { VAULT_ADDR: address });
      expect(refusal).to.include('VAULT_ADDR: the value is not accepted');
      expect(refusal).not.to.include('hunter2');
    }
  });
});
