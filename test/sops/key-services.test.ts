import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { sopsBinary } from '../../dev/assets/sops.ts';
import { run } from '../../dev/process/run.ts';
import { progressOnStderr } from '../../dev/progress.ts';
import { decryptFile } from '../../src/build/sops/decrypt-file.ts';
import type { SealedKey } from '../../src/build/sops/metadata.ts';
import { KeyServices } from '../../src/cloud/key-services/key-services.ts';
import { VaultTransit } from '../../src/cloud/key-services/vault-transit.ts';
import { keyServiceKinds } from '../../src/types/key-services.ts';
import { AwsKmsServer, awsKeyArn, awsKeys } from '../key-services/aws-kms-server.ts';
import { TestInternet, testCredentials } from '../key-services/clouds.ts';
import { GcpKmsServer, gcpKeyName, gcpToken } from '../key-services/gcp-kms-server.ts';
import { VaultServer, vaultToken } from '../key-services/vault-server.ts';

const plain = 'password: hunter2hunter2\nlist:\n    - one\n    - 2\n';

/** Files that the real SOPS encrypts with local servers in the place of key services. */
describe('key services, as the real SOPS uses them', () => {
  let binary: string;
  let directory: string;
  let aws: AwsKmsServer;
  let gcp: GcpKmsServer;
  let vault: VaultServer;
  let internet: TestInternet;
  let services: KeyServices;

  before(async function () {
    // The first build of SOPS takes minutes.
    this.timeout(1_800_000);
    binary = await sopsBinary(progressOnStderr);
    directory = await mkdtemp(join(tmpdir(), 'stageset-sops-'));
    aws = await AwsKmsServer.start();
    gcp = await GcpKmsServer.start();
    vault = await VaultServer.start();
    internet = new TestInternet({
      'https://kms.eu-west-1.amazonaws.com': aws.url,
      'https://cloudkms.googleapis.com': gcp.url,
    });
    const token = async (): Promise<string> => await Promise.resolve(vaultToken);
    services = new KeyServices({
      vault: new VaultTransit({
        address: vault.url,
        namespace: undefined,
        caFile: undefined,
        token,
      }),
      endpoints: {},
      transport: internet.transport,
    });
  });

  after(async () => {
    await internet.close();
    await Promise.all([aws, gcp, vault].map(async ({ server }) => await server.stop()));
    await rm(directory, { recursive: true, force: true });
  });

  async function encrypted(
    file: string,
    text: string,
    rule: Record<string, unknown>,
  ): Promise<Uint8Array> {
    await writeFile(join(directory, '.sops.yaml'), JSON.stringify({ creation_rules: [rule] }));
    await writeFile(join(directory, file), text);
    const result = await run(binary, ['encrypt', '--output', 'out', file], {
      cwd: directory,
      environment: {
        HOME: directory,
        VAULT_ADDR: vault.url,
        VAULT_TOKEN: vaultToken,
        AWS_ENDPOINT_URL_KMS: aws.url,
        AWS_ACCESS_KEY_ID: awsKeys.accessKeyId,
        AWS_SECRET_ACCESS_KEY: awsKeys.secretAccessKey,
        AWS_SESSION_TOKEN: awsKeys.sessionToken,
        SOPS_GCP_KMS_ENDPOINT: gcp.url,
        SOPS_GCP_KMS_CLIENT_TYPE: 'rest',
        GOOGLE_OAUTH_ACCESS_TOKEN: gcpToken,
      },
    });
    if (result.code !== 0) throw new Error(`sops encrypt: ${result.stderr}`);
    return await readFile(join(directory, 'out'));
  }

  async function decrypted(file: string, content: Uint8Array): Promise<string> {
    const providers = keyServiceKinds.map((kind) => ({
      kind,
      decrypt: async ({ sealed, fields, context }: SealedKey, signal: AbortSignal) =>
        await services.open({ kind, sealed, fields, context }, testCredentials(), signal),
    }));
    const ring = { age: [], pgp: [], providers };
    const result = await decryptFile(file, content, ring, new AbortController().signal);
    return Buffer.from(result?.content ?? []).toString();
  }

  const rules: Record<string, () => Record<string, unknown>> = {
    Vault: () => ({ hc_vault_transit_uri: `${vault.url}/v1/transit/keys/app` }),
    'AWS KMS': () => ({ kms: awsKeyArn }),
    'GCP KMS': () => ({ gcp_kms: gcpKeyName }),
    'AWS KMS with a context': () => ({
      key_groups: [{ kms: [{ arn: awsKeyArn, context: { app: 'shop', stage: 'dev' } }] }],
    }),
    'two of three groups': () => ({
      shamir_threshold: 2,
      key_groups: [
        { age: ['age1udhpkxna2wqzk2rusuzw03svvp93yzvstxas8sekjeylkf33t4rslq98aq'] },
        { kms: [{ arn: awsKeyArn }] },
        { hc_vault: [`${vault.url}/v1/transit/keys/app`] },
      ],
    }),
  };

  for (const [name, rule] of Object.entries(rules)) {
    it(`opens YAML: ${name}`, async () => {
      const content = await encrypted('a.yaml', plain, rule());
      expect(Buffer.from(content).toString()).not.to.include('hunter2');
      expect(await decrypted('a.yaml', content)).to.equal(plain);
    });

    it(`opens dotenv and INI: ${name}`, async () => {
      for (const [file, text] of [
        ['a.env', 'NAME=hunter2\n'],
        ['a.ini', '[section]\nname = hunter2\n'],
      ] as const) {
        const content = await encrypted(file, text, rule());
        expect((await decrypted(file, content)).trim()).to.equal(text.trim());
      }
    });
  }
});
