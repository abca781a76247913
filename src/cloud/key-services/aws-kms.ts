import type { SealedDataKey } from '../../types/key-services.ts';
import { closedConfig } from '../aws-client.ts';
import { awsEndpoint } from '../aws-regions.ts';
import type { AwsCredentials } from '../identity.ts';
import { type Asking, senderTo } from './asking.ts';
import { badEntry, isTreated, serviceFailure } from './failures.ts';
import { bytesOf } from './sealed-bytes.ts';

const service = 'AWS KMS';

interface AwsKey {
  readonly arn: string;
  readonly region: string;
  readonly role: string | undefined;
  readonly context: Record<string, string>;
}

/**
 * Opens a data key with AWS KMS. The region, and with it the server, comes out of the ARN by a strict
 * pattern. `aws_profile` of the entry is not looked at: it names a profile on the machine of whoever
 * has encrypted the file, and would choose among the controller's own credentials here.
 *
 * @throws TerminalError when the entry or AWS refuses, RetryableError when AWS is busy or not there.
 */
export async function openWithAwsKms(sealed: SealedDataKey, asking: Asking): Promise<Uint8Array> {
  const { credentials, endpoints, signal } = asking;
  const { arn, region, role, context } = keyOf(sealed);
  const blob = bytesOf(service, sealed.sealed);
  const { DecryptCommand, KMSClient } = await import('../sdk/aws-kms.ts');
  const own = await credentials.aws(region, signal);
  const server = endpoints.awsKms ?? awsEndpoint('kms', region);
  try {
    const keys = role === undefined ? own : await assumed(role, region, own, asking);
    const kms = new KMSClient(closedConfig(region, server, keys, senderTo(server, asking), signal));
    const command = new DecryptCommand({
      KeyId: arn,
      CiphertextBlob: blob,
      ...(Object.keys(context).length === 0 ? {} : { EncryptionContext: context }),
    });
    const { Plaintext: opened } = await kms.send(command, { abortSignal: signal });
    if (opened === undefined) throw badEntry(service, 'its answer has no key');
    return opened;
  } catch (error) {
    throw treated(error, own, signal);
  }
}

/** The keys of a role that the entry names, if the identity may have them. */
async function assumed(
  role: string,
  region: string,
  own: AwsCredentials,
  asking: Asking,
): Promise<AwsCredentials> {
  const { endpoints, signal } = asking;
  const { AssumeRoleCommand, STSClient } = await import('../sdk/aws-sts.ts');
  const server = endpoints.awsSts ?? awsEndpoint('sts', region);
  const sts = new STSClient(closedConfig(region, server, own, senderTo(server, asking), signal));
  const command = new AssumeRoleCommand({
    RoleArn: role,
    RoleSessionName: 'stageset-controller',
    DurationSeconds: 900,
  });
  const { Credentials: keys } = await sts.send(command, { abortSignal: signal });
  const { AccessKeyId, SecretAccessKey, SessionToken } = keys ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw badEntry(service, 'the role of the entry was answered without keys');
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
  };
}

const keyArn =
  /^arn:aws(?:-[a-z]{2,10}){0,3}:kms:([a-z]{2,8}(?:-[a-z]{2,12}){1,3}-\d{1,2}):\d{12}:(?:key\/[A-Za-z0-9-]{1,64}|alias\/[A-Za-z0-9/_-]{1,250})$/;
const roleArn = /^arn:aws(?:-[a-z]{2,10}){0,3}:iam::\d{12}:role\/[A-Za-z0-9+=,.@_/-]{1,512}$/;

const mostPairs = 32;
/** AWS takes 8192 bytes of JSON. */
const longestContext = 8000;

function keyOf({ fields, context }: SealedDataKey): AwsKey {
  const arn = fields.get('arn')?.replaceAll(' ', '') ?? '';
  const region = keyArn.exec(arn)?.[1];
  if (region === undefined) throw badEntry(service, 'arn of the entry is no ARN of a key');
  const role = fields.get('role') ?? '';
  if (role !== '' && !roleArn.test(role)) {
    throw badEntry(service, 'role of the entry is no ARN of a role');
  }
  const pairs = Object.fromEntries(context);
  if (context.size > mostPairs || JSON.stringify(pairs).length > longestContext) {
    throw badEntry(service, 'context of the entry is too large');
  }
  return { arn, region, role: role === '' ? undefined : role, context: pairs };
}

function treated(error: unknown, own: AwsCredentials, signal: AbortSignal): unknown {
  if (signal.aborted || isTreated(error) || !(error instanceof Error)) return error;
  return serviceFailure(service, {
    status: '$metadata' in error ? statusIn(error.$metadata) : 0,
    words: `${error.name}: ${error.message}`,
    shown: [own.secretAccessKey, own.sessionToken ?? ''],
  });
}

function statusIn(metadata: unknown): number {
  if (typeof metadata !== 'object' || metadata === null) return 0;
  const status: unknown = 'httpStatusCode' in metadata ? metadata.httpStatusCode : 0;
  return typeof status === 'number' ? status : 0;
}
