import { expect } from 'chai';
import { KeyServices } from '../../../../src/cloud/key-services/key-services.ts';
import { VaultTransit } from '../../../../src/cloud/key-services/vault-transit.ts';
import { RetryableError, TerminalError } from '../../../../src/core/errors.ts';
import type { KeyServiceKind, SealedDataKey } from '../../../../src/types/key-services.ts';
import {
  AwsKmsServer,
  awsKeyArn,
  awsRoleArn,
  awsRoleKeyArn,
} from '../../../key-services/aws-kms-server.ts';
import { TestInternet, testCredentials } from '../../../key-services/clouds.ts';
import { GcpKmsServer, gcpKeyName } from '../../../key-services/gcp-kms-server.ts';
import {
  azureKeyVersion,
  azureVaultUrl,
  KeyVaultServer,
} from '../../../key-services/key-vault-server.ts';
import { json } from '../../../key-services/service-server.ts';
import { VaultServer, vaultToken } from '../../../key-services/vault-server.ts';

const dataKey = Buffer.from('0123456789abcdef0123456789abcdef');
const { signal } = new AbortController();

describe('key services', () => {
  let aws: AwsKmsServer;
  let gcp: GcpKmsServer;
  let azure: KeyVaultServer;
  let vault: VaultServer;
  let internet: TestInternet;
  let services: KeyServices;

  before(async () => {
    [aws, gcp, azure, vault] = await Promise.all([
      AwsKmsServer.start(),
      GcpKmsServer.start(),
      KeyVaultServer.start(),
      VaultServer.start(),
    ]);
    internet = new TestInternet({
      'https://kms.eu-west-1.amazonaws.com': aws.url,
      'https://sts.eu-west-1.amazonaws.com': aws.url,
      'https://cloudkms.googleapis.com': gcp.url,
      [azureVaultUrl]: azure.url,
    });
    const settings = {
      address: vault.url,
      namespace: 'team',
      caFile: undefined,
      token: async () => await Promise.resolve(vaultToken),
    };
    services = new KeyServices({
      vault: new VaultTransit(settings),
      endpoints: {},
      transport: internet.transport,
    });
  });

  afterEach(() => {
    for (const { server } of [aws, gcp, azure, vault]) server.reset();
    internet.strangers.length = 0;
  });

  after(async () => {
    await internet.close();
    await Promise.all([aws, gcp, azure, vault].map(async ({ server }) => await server.stop()));
  });

  /** An entry that is right. */
  function entryOf(kind: KeyServiceKind, fields: Record<string, string> = {}): SealedDataKey {
    const right: Record<KeyServiceKind, () => [sealed: string, fields: Record<string, string>]> = {
      kms: () => [aws.seal(dataKey, fields['arn'] ?? awsKeyArn), { arn: awsKeyArn }],
      gcp_kms: () => [gcp.seal(dataKey), { resource_id: gcpKeyName }],
      azure_kv: () => [
        azure.seal(dataKey),
        { vault_url: azureVaultUrl, name: 'app', version: azureKeyVersion },
      ],
      hc_vault: () => [
        vault.seal(dataKey),
        { vault_address: vault.url, engine_path: 'transit', key_name: 'app' },
      ],
    };
    const [sealed, usual] = right[kind]();
    const all = { created_at: '2026-01-31T12:00:00Z', ...usual, ...fields };
    return { kind, sealed, fields: new Map(Object.entries(all)), context: new Map() };
  }

  async function open(entry: SealedDataKey): Promise<string> {
    return Buffer.from(await services.open(entry, testCredentials(), signal)).toString();
  }

  async function failure(entry: SealedDataKey): Promise<Error> {
    return await open(entry).then(
      () => {
        throw new Error('it was opened');
      },
      (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
    );
  }

  for (const kind of ['kms', 'gcp_kms', 'azure_kv', 'hc_vault'] as const) {
    it(`open a data key: ${kind}`, async () => {
      expect(await open(entryOf(kind))).to.equal(dataKey.toString());
    });

    it(`refuse what was not sealed by them: ${kind}`, async () => {
      const { sealed, ...entry } = entryOf(kind);
      const changed = sealed.replace(/.{4}(?==*$)/, (end) => (end === 'AAAA' ? 'BBBB' : 'AAAA'));
      const error = await failure({ ...entry, sealed: changed });
      expect(error).to.be.instanceOf(TerminalError);
    });

    it(`may answer the next time when they are out of order: ${kind}`, async () => {
      for (const status of [500, 503, 429]) {
        const { server } = { kms: aws, gcp_kms: gcp, azure_kv: azure, hc_vault: vault }[kind];
        server.trouble = () => json(status, {});
        expect(await failure(entryOf(kind))).to.be.instanceOf(RetryableError);
      }
    });

    it(`may answer the next time when they are silent: ${kind}`, async () => {
      const { server } = { kms: aws, gcp_kms: gcp, azure_kv: azure, hc_vault: vault }[kind];
      server.trouble = () => 'Silence';
      const deadline = AbortSignal.timeout(1000);
      const opening = services.open(entryOf(kind), testCredentials(), deadline);
      const begun = performance.now();
      await opening.then(
        () => expect.fail('it was opened'),
        () => undefined,
      );
      expect(performance.now() - begun).to.be.below(3000);
    });

    it(`are not read without end: ${kind}`, async () => {
      const { server } = { kms: aws, gcp_kms: gcp, azure_kv: azure, hc_vault: vault }[kind];
      server.trouble = () => 'Endless';
      const error = await failure(entryOf(kind));
      expect(error.message.length).to.be.below(1000);
    });

    it(`are not believed when they answer something else: ${kind}`, async () => {
      const { server } = { kms: aws, gcp_kms: gcp, azure_kv: azure, hc_vault: vault }[kind];
      for (const body of ['', 'null', '[]', '{"data":1}', '{"Plaintext":7}', '<html>']) {
        server.trouble = () => ({ status: 200, body });
        expect((await failure(entryOf(kind))).message).not.to.equal('it was opened');
      }
    });

    it(`are not followed to other servers: ${kind}`, async () => {
      const { server } = { kms: aws, gcp_kms: gcp, azure_kv: azure, hc_vault: vault }[kind];
      server.trouble = () => ({
        status: 307,
        headers: { location: 'https://attacker.example/' },
        body: '',
      });
      await failure(entryOf(kind));
      expect(internet.strangers).to.deep.equal([]);
      expect(server.asked.length).to.be.greaterThan(0);
    });
  }

  it('give AWS the encryption context', async () => {
    const context = { app: 'shop', 'kubernetes.io/ns': 'ä' };
    const entry = { ...entryOf('kms'), sealed: aws.seal(dataKey, awsKeyArn, context) };
    const told = { ...entry, context: new Map(Object.entries(context)) };
    expect(await open(told)).to.equal(dataKey.toString());
    expect((await failure(entry)).message).to.include('InvalidCiphertextException');
  });

  it('act as the role of the entry at AWS', async () => {
    const entry = entryOf('kms', { arn: awsRoleKeyArn, role: awsRoleArn });
    expect(await open(entry)).to.equal(dataKey.toString());
    expect((await failure(entryOf('kms', { arn: awsRoleKeyArn }))).message).to.include(
      'AccessDeniedException',
    );
    expect((await failure(entryOf('kms', { role: `${awsRoleArn}-other` }))).message).to.match(
      /AWS KMS answered 403: AccessDenied/,
    );
  });

  it('of busy clouds may answer the next time, whatever the status', async () => {
    aws.server.trouble = () =>
      json(400, { __type: 'ThrottlingException', message: 'Rate exceeded' });
    expect(await failure(entryOf('kms'))).to.be.instanceOf(RetryableError);
    gcp.server.trouble = () =>
      json(403, { error: { code: 403, status: 'RESOURCE_EXHAUSTED', message: 'Quota exceeded' } });
    expect(await failure(entryOf('gcp_kms'))).to.be.instanceOf(RetryableError);
  });

  it('of a Vault get its namespace', async () => {
    await open(entryOf('hc_vault'));
    expect(vault.server.asked[0]?.headers['x-vault-namespace']).to.equal('team');
  });

  it('take an Azure key without a version', async () => {
    const error = await failure(entryOf('azure_kv', { version: '' }));
    expect(error.message).to.include('KeyNotFound');
    expect(azure.server.asked.at(-1)?.path).to.match(/^\/keys\/app\/*decrypt$/);
  });
});
