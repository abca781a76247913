import { expect } from 'chai';
import { readKeyServices } from '../../src/config/key-services-config.ts';
import { RetryableError, TerminalError } from '../../src/core/errors.ts';
import { keyOpeners } from '../../src/key-openers.ts';
import type { AccountName, KeyOpener, SealedDataKey } from '../../src/types/key-services.ts';
import {
  AwsKmsServer,
  awsKeyArn,
  awsKeys,
  awsRoleArn,
  awsRoleKeyArn,
} from '../key-services/aws-kms-server.ts';
import { VaultServer, vaultToken } from '../key-services/vault-server.ts';
import { serviceAccount } from '../objects.ts';
import { sharedPlayground } from '../playground.ts';
import { TestNamespace } from '../test-namespace.ts';

const dataKey = Buffer.from('0123456789abcdef0123456789abcdef');

/** What the controller has around itself, and no tenant may get anything for. */
const ambient = {
  AWS_ACCESS_KEY_ID: awsKeys.accessKeyId,
  AWS_SECRET_ACCESS_KEY: awsKeys.secretAccessKey,
  AWS_SESSION_TOKEN: awsKeys.sessionToken,
  AWS_EC2_METADATA_DISABLED: 'true',
};

describe('who asks key services', () => {
  let aws: AwsKmsServer;
  let vault: VaultServer;
  let shop: TestNamespace;
  const earlier = { ...process.env };

  before(async () => {
    [aws, vault] = [await AwsKmsServer.start(), await VaultServer.start()];
    shop = await TestNamespace.create(await sharedPlayground());
    Object.assign(process.env, ambient);
  });

  afterEach(() => {
    aws.server.reset();
    vault.server.reset();
  });

  after(async () => {
    for (const name of Object.keys(ambient)) {
      if (earlier[name] === undefined) Reflect.deleteProperty(process.env, name);
    }
    Object.assign(process.env, earlier);
    await Promise.all([aws.server.stop(), vault.server.stop()]);
  });

  async function openerOf(
    account: AccountName | undefined,
    flag: 'true' | 'false',
  ): Promise<KeyOpener> {
    const { client } = await sharedPlayground();
    const environment = { ...ambient, VAULT_ADDR: vault.url, VAULT_TOKEN: vaultToken };
    const keyServices = readKeyServices(
      (name) => ({ origin: `--${name}`, text: flag }),
      environment,
    );
    const endpoints = { awsKms: new URL(aws.url), awsSts: new URL(aws.url) };
    return keyOpeners({ config: { keyServices }, client, environment, endpoints }).of(account);
  }

  async function account(
    name: string,
    annotations: Readonly<Record<string, string>> = {},
  ): Promise<AccountName> {
    const object = serviceAccount(name);
    await shop.create({ ...object, metadata: { ...object.metadata, annotations } });
    return { namespace: shop.name, name };
  }

  function sealed(arn: string): SealedDataKey {
    const fields = new Map([['arn', arn]]);
    return { kind: 'kms', sealed: aws.seal(dataKey, arn), fields, context: new Map() };
  }

  async function outcome(opener: KeyOpener, entry: SealedDataKey): Promise<string> {
    return await opener.open(entry, AbortSignal.timeout(20_000)).then(
      (key) => Buffer.from(key).toString(),
      (error: unknown) => {
        if (error instanceof TerminalError || error instanceof RetryableError) return error.message;
        throw error;
      },
    );
  }

  /** Access keys that requests were signed with. */
  function signers(): Set<string | undefined> {
    return new Set(
      aws.server.asked.map(
        ({ headers }) => /Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1],
      ),
    );
  }

  it('is the controller, where nobody says otherwise', async () => {
    const opener = await openerOf(await account('plain'), 'false');
    expect(opener.identity).to.equal('controller');
    expect(await outcome(opener, sealed(awsKeyArn))).to.equal(dataKey.toString());
    expect(signers()).to.deep.equal(new Set([awsKeys.accessKeyId]));
  });

  it('is the controller for a StageSet without a ServiceAccount', async () => {
    const opener = await openerOf(undefined, 'true');
    expect(opener.identity).to.equal('controller');
    expect(await outcome(opener, sealed(awsKeyArn))).to.equal(dataKey.toString());
  });

  it('is the role of the ServiceAccount with --object-level-kms', async () => {
    const deployer = await account('deployer', { 'eks.amazonaws.com/role-arn': awsRoleArn });
    const opener = await openerOf(deployer, 'true');
    expect(opener.identity).to.equal(`system:serviceaccount:${shop.name}:deployer`);
    expect(await outcome(opener, sealed(awsRoleKeyArn))).to.equal(dataKey.toString());
    expect(signers()).to.deep.equal(new Set([undefined, 'ASIAROLE']));
  });

  it('is nobody else when the cloud does not know the ServiceAccount', async () => {
    const stranger = await account('stranger', { 'eks.amazonaws.com/role-arn': awsRoleArn });
    const opener = await openerOf(stranger, 'true');
    expect(await outcome(opener, sealed(awsKeyArn))).to.match(/AWS did not log in ServiceAccount/);
    expect(signers()).to.deep.equal(new Set([undefined]));
  });

  it('is nobody else when the ServiceAccount has no role', async () => {
    const opener = await openerOf(await account('bare'), 'true');
    expect(await outcome(opener, sealed(awsKeyArn))).to.include('eks.amazonaws.com/role-arn');
    expect(aws.server.asked).to.deep.equal([]);
  });

  it('is nobody else when there is no such ServiceAccount', async () => {
    const opener = await openerOf({ namespace: shop.name, name: 'missing' }, 'true');
    expect(await outcome(opener, sealed(awsKeyArn))).to.include('does not exist');
    expect(aws.server.asked).to.deep.equal([]);
  });

  it('is nobody else for clouds that know nothing of it', async () => {
    const opener = await openerOf(await account('lonely'), 'true');
    const entries: SealedDataKey[] = [
      {
        kind: 'gcp_kms',
        sealed: 'AAAA',
        fields: new Map([['resource_id', 'projects/a/locations/b/keyRings/c/cryptoKeys/d']]),
        context: new Map(),
      },
      {
        kind: 'hc_vault',
        sealed: vault.seal(dataKey),
        fields: new Map([
          ['vault_address', vault.url],
          ['engine_path', 'transit'],
          ['key_name', 'app'],
        ]),
        context: new Map(),
      },
    ];
    expect(await outcome(opener, entries[0] ?? sealed(''))).to.include(
      'workload-identity-provider',
    );
    expect(await outcome(opener, entries[1] ?? sealed(''))).to.include('--object-level-kms');
    expect(vault.server.asked).to.deep.equal([]);
  });
});
