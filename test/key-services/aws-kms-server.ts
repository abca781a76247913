import { createHash, createHmac } from 'node:crypto';
import { ServiceKey } from './seal.ts';
import { type Asked, json, type Reply, ServiceServer } from './service-server.ts';

export const awsKeys = {
  accessKeyId: 'AKIDOFTHETEST',
  secretAccessKey: 'secretOfTheTestThatSignsRequests',
  sessionToken: 'sessionOfTheTest',
};

/** Keys of the role `arn:aws:iam::111122223333:role/sops`. */
const roleKeys = { accessKeyId: 'ASIAROLE', secretAccessKey: 'secretOfTheRole', sessionToken: 'r' };

export const awsKeyArn =
  'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
export const awsRoleArn = 'arn:aws:iam::111122223333:role/sops';
/** A key that only the role may use. */
export const awsRoleKeyArn = 'arn:aws:kms:eu-west-1:111122223333:alias/role-only';

/** AWS KMS and STS: JSON 1.1 and the query protocol, both with Signature Version 4. */
export class AwsKmsServer {
  readonly server: ServiceServer;
  readonly #key: ServiceKey;

  private constructor(server: ServiceServer, key: ServiceKey) {
    this.server = server;
    this.#key = key;
  }

  static async start(): Promise<AwsKmsServer> {
    const key = new ServiceKey();
    return new AwsKmsServer(await ServiceServer.start((asked) => answer(asked, key)), key);
  }

  get url(): string {
    return this.server.url;
  }

  seal(dataKey: Uint8Array, arn: string, context: Record<string, string> = {}): string {
    return this.#key.seal(dataKey, about(arn, context)).toString('base64');
  }
}

interface KmsInput {
  readonly KeyId?: string;
  readonly CiphertextBlob?: string;
  readonly Plaintext?: string;
  readonly EncryptionContext?: Record<string, string>;
}

function answer(asked: Asked, key: ServiceKey): Reply {
  if (asked.method !== 'POST' || asked.path !== '/')
    return failed(400, 'UnknownOperationException');
  const form = formOf(asked);
  if (form?.get('Action') === 'AssumeRoleWithWebIdentity') return webIdentity(asked, form);
  const signer = signerOf(asked);
  if (typeof signer === 'string') return failed(400, 'InvalidSignatureException', signer);
  if (form !== undefined) return assumeRole(form);
  if (asked.headers['content-type'] !== 'application/x-amz-json-1.1') {
    return failed(400, 'UnknownOperationException', 'content type');
  }
  const target = asked.headers['x-amz-target'];
  const input = JSON.parse(asked.body) as KmsInput;
  const { KeyId: arn = '', EncryptionContext: context = {} } = input;
  if (arn === awsRoleKeyArn && signer.accessKeyId !== roleKeys.accessKeyId) {
    return failed(
      400,
      'AccessDeniedException',
      'the ciphertext refers to a key that you may not use',
    );
  }
  if (target === 'TrentService.Encrypt') {
    const sealed = key.seal(Buffer.from(input.Plaintext ?? '', 'base64'), about(arn, context));
    return amz(200, { CiphertextBlob: sealed.toString('base64'), KeyId: arn });
  }
  if (target !== 'TrentService.Decrypt') return failed(400, 'UnknownOperationException');
  const plain = key.open(Buffer.from(input.CiphertextBlob ?? '', 'base64'), about(arn, context));
  if (plain === undefined) return failed(400, 'InvalidCiphertextException');
  return amz(200, { KeyId: arn, Plaintext: plain.toString('base64') });
}

function formOf({ headers, body }: Asked): URLSearchParams | undefined {
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded');
  return isForm === true ? new URLSearchParams(body) : undefined;
}

/** ServiceAccounts `deployer` may act as the role; nothing is signed. */
function webIdentity({ headers }: Asked, form: URLSearchParams): Reply {
  const token = form.get('WebIdentityToken')?.split('.')[1] ?? '';
  const claims = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as {
    readonly aud?: unknown;
    readonly sub?: string;
  };
  const right =
    headers.authorization === undefined &&
    form.get('RoleArn') === awsRoleArn &&
    JSON.stringify(claims.aud) === '["sts.amazonaws.com"]' &&
    claims.sub?.endsWith(':deployer') === true;
  return right ? credentialsBy('AssumeRoleWithWebIdentity') : roleDenied();
}

function assumeRole(form: URLSearchParams): Reply {
  const right = form.get('Action') === 'AssumeRole' && form.get('RoleArn') === awsRoleArn;
  return right ? credentialsBy('AssumeRole') : roleDenied();
}

function roleDenied(): Reply {
  const error = '<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error>';
  return xml(403, `<ErrorResponse>${error}</ErrorResponse>`);
}

function credentialsBy(action: string): Reply {
  const { accessKeyId, secretAccessKey, sessionToken } = roleKeys;
  return xml(
    200,
    `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>` +
      `<Credentials><AccessKeyId>${accessKeyId}</AccessKeyId>` +
      `<SecretAccessKey>${secretAccessKey}</SecretAccessKey>` +
      `<SessionToken>${sessionToken}</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>` +
      `</Credentials></${action}Result></${action}Response>`,
  );
}

/** Whose signature it is, or what is wrong with it. */
function signerOf({ headers, method, path, query, body }: Asked): typeof awsKeys | string {
  const [, id, day, region, service, names, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const keys = [awsKeys, roleKeys].find(({ accessKeyId }) => accessKeyId === id);
  if (keys === undefined || names === undefined) return 'no known access key';
  if (region !== 'eu-west-1' || (service !== 'kms' && service !== 'sts')) return 'another scope';
  if (headers['x-amz-security-token'] !== keys.sessionToken) return 'another session token';
  const date = String(headers['x-amz-date']);
  const at = Date.parse(
    date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  );
  if (!(Math.abs(Date.now() - at) < 300_000)) return 'an old signature';
  const signed = names.split(';');
  if (!['host', 'x-amz-date'].every((name) => signed.includes(name))) return 'too few headers';
  const canonical = [
    method,
    path,
    [...query].map(([name, value]) => `${name}=${value}`).join('&'),
    ...signed.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer>(
    (secret, part) => hmac(secret, part ?? ''),
    Buffer.from(`AWS4${keys.secretAccessKey}`),
  );
  return hmac(key, text).toString('hex') === signature ? keys : 'the signature does not match';
}

function about(arn: string, context: Record<string, string>): string {
  return JSON.stringify([arn, Object.entries(context).sort()]);
}

function failed(status: number, type: string, message = ''): Reply {
  return amz(status, { __type: type, message });
}

function amz(status: number, value: unknown): Reply {
  return json(status, value, { 'content-type': 'application/x-amz-json-1.1' });
}

function xml(status: number, body: string): Reply {
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
