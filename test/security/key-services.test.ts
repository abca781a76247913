import { expect } from 'chai';
import type { CloudCredentials } from '../../src/cloud/key-services/credentials.ts';
import { KeyServices } from '../../src/cloud/key-services/key-services.ts';
import { VaultTransit } from '../../src/cloud/key-services/vault-transit.ts';
import { TerminalError } from '../../src/core/errors.ts';
import type { KeyServiceKind, SealedDataKey } from '../../src/types/key-services.ts';
import { AwsKmsServer, awsKeyArn, awsKeys } from '../key-services/aws-kms-server.ts';
import { TestInternet, testCredentials } from '../key-services/clouds.ts';
import { GcpKmsServer, gcpKeyName, gcpToken } from '../key-services/gcp-kms-server.ts';
import {
  azureKeyVersion,
  azureToken,
  azureVaultUrl,
  challenge,
  KeyVaultServer,
} from '../key-services/key-vault-server.ts';
import { json, ServiceServer } from '../key-services/service-server.ts';
import { VaultServer, vaultToken } from '../key-services/vault-server.ts';

const dataKey = Buffer.from('0123456789abcdef0123456789abcdef');
const { signal } = new AbortController();

/** Whatever must be told to nobody but the service. */
const secrets = [
  vaultToken,
  gcpToken,
  azureToken,
  awsKeys.secretAccessKey,
  awsKeys.sessionToken,
  dataKey.toString(),
  dataKey.toString('base64').replace(/=+$/, ''),
];

describe('attack 113: a SOPS file whose metadata leads key services astray (nobody is asked, or shown a token, at an address of choice, part A 10.1)', () => {
  let aws: AwsKmsServer;
  let gcp: GcpKmsServer;
  let azure: KeyVaultServer;
  let vault: VaultServer;
  let attacker: ServiceServer;
  let internet: TestInternet;
  let services: KeyServices;

  before(async () => {
    [aws, gcp, azure, vault] = await Promise.all([
      AwsKmsServer.start(),
      GcpKmsServer.start(),
      KeyVaultServer.start(),
      VaultServer.start(),
    ]);
    attacker = await ServiceServer.start(() => json(200, {}));
    internet = new TestInternet({
      'https://kms.eu-west-1.amazonaws.com': aws.url,
      'https://sts.eu-west-1.amazonaws.com': aws.url,
      'https://cloudkms.googleapis.com': gcp.url,
      [azureVaultUrl]: azure.url,
    });
    services = new KeyServices({
      vault: new VaultTransit({
        address: vault.url,
        namespace: undefined,
        caFile: undefined,
        token: async () => await Promise.resolve(vaultToken),
      }),
      endpoints: {},
      transport: internet.transport,
    });
  });

  afterEach(() => {
    for (const server of [aws.server, gcp.server, azure.server, vault.server, attacker]) {
      server.reset();
    }
    internet.strangers.length = 0;
  });

  after(async () => {
    await internet.close();
    const servers = [aws.server, gcp.server, azure.server, vault.server, attacker];
    await Promise.all(servers.map(async (server) => await server.stop()));
  });

  function entryOf(kind: KeyServiceKind, fields: Record<string, string> = {}): SealedDataKey {
    const right: Record<KeyServiceKind, Record<string, string>> = {
      kms: { arn: awsKeyArn, enc: aws.seal(dataKey, awsKeyArn) },
      gcp_kms: { resource_id: gcpKeyName, enc: gcp.seal(dataKey) },
      azure_kv: {
        vault_url: azureVaultUrl,
        name: 'app',
        version: azureKeyVersion,
        enc: azure.seal(dataKey),
      },
      hc_vault: {
        vault_address: vault.url,
        engine_path: 'transit',
        key_name: 'app',
        enc: vault.seal(dataKey),
      },
    };
    const { enc = '', ...all } = { ...right[kind], ...fields };
    return { kind, sealed: enc, fields: new Map(Object.entries(all)), context: new Map() };
  }

  async function refusal(entry: SealedDataKey, credentials?: CloudCredentials): Promise<Error> {
    const outcome = await services.open(entry, credentials ?? testCredentials(), signal).then(
      () => 'it was opened',
      (error: unknown) => error,
    );
    if (!(outcome instanceof Error)) throw new Error(String(outcome));
    for (const secret of secrets) expect(outcome.message).not.to.include(secret);
    return outcome;
  }

  function expectNobodyAsked(): void {
    expect(internet.strangers).to.deep.equal([]);
    const servers = [aws.server, gcp.server, azure.server, vault.server, attacker];
    expect(servers.flatMap(({ asked }) => asked)).to.deep.equal([]);
  }

  const hostile: Record<KeyServiceKind, Record<string, string>[]> = {
    kms: [
      ...[
        '',
        'alias/app',
        'arn:aws:kms:eu-west-1.attacker.example/:111122223333:key/abc',
        'arn:aws:kms:attacker.example#:111122223333:key/abc',
        'arn:aws:kms:eu-west-1@attacker.example:111122223333:key/abc',
        'arn:aws:kms:127.0.0.1:111122223333:key/abc',
        'arn:aws:kms::111122223333:key/abc',
        'arn:aws:kms:eu-west-1:1:key/abc',
        'arn:aws:s3:eu-west-1:111122223333:key/abc',
        `${awsKeyArn}\n`,
        `${awsKeyArn}/../x`,
        `x${awsKeyArn}`,
      ].map((arn) => ({ arn })),
      { role: 'arn:aws:iam::111122223333:user/admin' },
      { role: 'https://attacker.example' },
      { role: 'arn:aws:iam::111122223333:role/a b' },
      { enc: '' },
      { enc: '*' },
      { enc: 'A'.repeat(9000) },
    ],
    gcp_kms: [
      ...[
        '',
        `${gcpKeyName}/cryptoKeyVersions/1`,
        `/${gcpKeyName}`,
        `${gcpKeyName}:encrypt`,
        `${gcpKeyName}?x=y`,
        `${gcpKeyName}#`,
        'https://attacker.example/v1/x',
        'projects/../locations/a/keyRings/b/cryptoKeys/c',
        'projects/a/locations/b/keyRings/../cryptoKeys/c',
        'projects/a%2fb/locations/b/keyRings/c/cryptoKeys/d',
      ].map((resource_id) => ({ resource_id })),
      { enc: '' },
      { enc: 'not base64!' },
    ],
    azure_kv: [
      ...[
        '',
        'http://shop.vault.azure.net',
        'https://vault.azure.net',
        'https://attacker.example',
        'https://shop.vault.azure.net.attacker.example',
        'https://attacker.example/.vault.azure.net',
        'https://attacker.example#.vault.azure.net',
        'https://attacker.example?.vault.azure.net',
        'https://attacker.example\\.vault.azure.net',
        'https://shop.vault.azure.net@attacker.example',
        'https://user:pass@shop.vault.azure.net',
        'https://shop.vault.azure.net:8443',
        'https://shop.vault.azure.net/secrets',
        'https://a.b.vault.azure.net',
        'https://shopvault.azure.net',
        'https://sh%6fp.vault.azure.net',
        'https://shop.vault.azure.net.',
        'https://shop。vault.azure.net',
        'https://127.0.0.1',
        'https://[::1]',
        'https://169.254.169.254',
      ].map((vault_url) => ({ vault_url })),
      { name: '' },
      { name: '../secrets/app' },
      { name: 'app/1' },
      { name: 'app?x' },
      { version: '../..' },
      { version: 'a/b' },
      { enc: '' },
    ],
    hc_vault: [
      ...[
        '',
        'https://attacker.example',
        'http://127.0.0.1',
        'http://localhost:8200',
        'file:///etc/passwd',
      ].map((vault_address) => ({ vault_address })),
      ...[
        '',
        '..',
        '../sys',
        'transit/../sys',
        'transit//x',
        'a%2f..',
        'transit?x',
        '.',
        'a\nb',
      ].map((engine_path) => ({ engine_path })),
      ...['', '..', 'app/x', 'app?x=y', '%2e%2e', 'app#'].map((key_name) => ({ key_name })),
      { enc: '' },
      { enc: 'plain' },
      { enc: 'vault:v1:' },
      { enc: 'vault:v1:"}, "x": "' },
    ],
  };

  for (const kind of ['kms', 'gcp_kms', 'azure_kv', 'hc_vault'] as const) {
    it(`is refused before anybody is asked: ${kind}`, async () => {
      let logins = 0;
      const counting: CloudCredentials = {
        kind: 'Controller',
        aws: async () => await Promise.reject(new Error(`login ${(logins += 1)}`)),
        gcp: async () => await Promise.reject(new Error(`login ${(logins += 1)}`)),
        azure: async () => await Promise.reject(new Error(`login ${(logins += 1)}`)),
      };
      for (const fields of hostile[kind]) {
        const error = await refusal(entryOf(kind, fields), counting);
        expect(error, JSON.stringify(fields)).to.be.instanceOf(TerminalError);
      }
      expect(logins).to.equal(0);
      expectNobodyAsked();
    });
  }

  it('gets no token of the controller for the Vault of a tenant', async () => {
    const { host } = new URL(attacker.url);
    const addresses = [
      attacker.url,
      `${attacker.url}/`,
      `http://${new URL(vault.url).host}@${host}`,
      `${vault.url}@${host}`,
      `${vault.url}/../..//${host}`,
      `${attacker.url}/#${vault.url}`,
      `${attacker.url}?${vault.url}`,
      vault.url.replace('127.0.0.1', 'localhost'),
    ];
    for (const vault_address of addresses) {
      const error = await refusal(entryOf('hc_vault', { vault_address }));
      expect(error.message).to.include('another vault_address');
    }
    expectNobodyAsked();
  });

  it('gets no token of another service for a vault in Azure', async () => {
    let logins = 0;
    const credentials: CloudCredentials = {
      ...testCredentials(),
      azure: async () => {
        logins += 1;
        return await testCredentials().azure('', signal);
      },
    };
    for (const resource of [
      'https://graph.microsoft.com',
      'https://management.azure.com',
      'https://azure.net',
      'https://attacker.example',
    ]) {
      azure.server.trouble = () => challenge(resource);
      await refusal(entryOf('azure_kv'), credentials);
    }
    expect(logins).to.equal(0);
    expect(azure.server.asked.every(({ headers }) => headers.authorization === undefined)).to.equal(
      true,
    );
  });

  it('takes along nothing where a service redirects', async () => {
    for (const kind of ['kms', 'gcp_kms', 'azure_kv', 'hc_vault'] as const) {
      const { server } = { kms: aws, gcp_kms: gcp, azure_kv: azure, hc_vault: vault }[kind];
      for (const status of [301, 302, 307, 308]) {
        const headers = { location: `${attacker.url}/` };
        server.trouble = () => ({ status, headers, body: '' });
        await refusal(entryOf(kind));
      }
    }
    expect(attacker.asked).to.deep.equal([]);
    expect(internet.strangers).to.deep.equal([]);
  });

  it('is told of no token, even if a service repeats what it was shown', async () => {
    for (const kind of ['kms', 'gcp_kms', 'azure_kv', 'hc_vault'] as const) {
      const { server } = { kms: aws, gcp_kms: gcp, azure_kv: azure, hc_vault: vault }[kind];
      server.trouble = ({ headers }) => {
        if (kind === 'azure_kv' && headers.authorization === undefined) return challenge();
        const said = `not with ${JSON.stringify(headers)}`;
        const error = { code: 403, message: said, status: 'PERMISSION_DENIED' };
        return json(403, { __type: 'AccessDeniedException', message: said, errors: [said], error });
      };
      const { message } = await refusal(entryOf(kind));
      expect(message).to.include('403');
    }
  });

  it('attack 114: a Vault, under --object-level-kms (edge case 27: it fails, and no ambient login takes its place, part A 10.1)', async () => {
    const error = await refusal(entryOf('hc_vault'), testCredentials('ServiceAccount'));
    expect(error).to.be.instanceOf(TerminalError);
    expect(error.message).to.include('--object-level-kms');
    expectNobodyAsked();
  });
});
