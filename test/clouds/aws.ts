import { randomBytes } from 'node:crypto';
import type { Asked, CloudAnswer } from './server.ts';
import type { TrustedIssuer } from './service-account-tokens.ts';
import { signatureOf } from './sigv4.ts';

interface Session {
  readonly secretKey: string;
  readonly sessionToken: string;
  readonly role: string;
}

export interface EksCluster {
  readonly endpoint: string;
  /** PEM. */
  readonly ca: string;
}

/** STS and EKS of one AWS account, which trusts an issuer. */
export class TestAws {
  /** ServiceAccounts that may take on a role, as `system:serviceaccount:...`, by the role's ARN. */
  readonly trust = new Map<string, string>();
  readonly clusters = new Map<string, EksCluster>();
  readonly region = 'eu-central-1';
  /** How long what STS hands out is good, in milliseconds. */
  lifetime = 3_600_000;
  readonly #issuer: TrustedIssuer;
  readonly #sessions = new Map<string, Session>();

  constructor(issuer: TrustedIssuer) {
    this.#issuer = issuer;
  }

  /** The answer to a request, if it is for AWS. */
  answer(asked: Asked): CloudAnswer | undefined {
    if (asked.method === 'POST' && asked.url.pathname === '/') return this.#assumeRole(asked);
    const cluster = /^\/clusters\/([\w-]+)$/.exec(asked.url.pathname)?.[1];
    if (cluster !== undefined) return this.#describe(asked, cluster);
    return undefined;
  }

  /**
   * The role behind a token for EKS, as its webhook finds it out.
   * @param host of STS, which the token's URL must lead to
   */
  roleBehind(token: string, cluster: string, host: string): string {
    const encoded = /^k8s-aws-v1\.([\w-]+)$/.exec(token)?.[1];
    if (encoded === undefined) throw new Error('no EKS token');
    const url = new URL(Buffer.from(encoded, 'base64url').toString('utf8'));
    const at = (name: string): string => url.searchParams.get(name) ?? '';
    if (url.protocol !== 'https:' || url.host !== host || url.pathname !== '/') {
      throw new Error(`the URL leads to ${url.host}`);
    }
    if (at('Action') !== 'GetCallerIdentity' || at('Version') !== '2011-06-15') {
      throw new Error('another action');
    }
    if (Number(at('X-Amz-Expires')) > 60) throw new Error('it is good for too long');
    const session = this.#session(at('X-Amz-Credential'), at('X-Amz-Security-Token'), 'sts');
    const date = at('X-Amz-Date');
    if (Math.abs(timeOf(date) - Date.now()) > 15 * 60_000) throw new Error('it is over');
    const signature = signatureOf(
      {
        method: 'GET',
        path: '/',
        query: [...url.searchParams],
        headers: { host, 'x-k8s-aws-id': cluster },
        signedHeaders: at('X-Amz-SignedHeaders').split(';'),
        body: '',
        date,
        region: this.region,
        service: 'sts',
      },
      session.secretKey,
    );
    if (at('X-Amz-SignedHeaders') !== 'host;x-k8s-aws-id' || at('X-Amz-Signature') !== signature) {
      throw new Error('the signature is wrong');
    }
    return session.role;
  }

  /** Ends all sessions that there are. */
  revokeAll(): void {
    this.#sessions.clear();
  }

  #assumeRole({ body, headers }: Asked): CloudAnswer {
    const form = new URLSearchParams(body);
    if (headers['authorization'] !== undefined) return refuse('the request is signed');
    if (form.get('Action') !== 'AssumeRoleWithWebIdentity') return refuse('another action');
    if (form.get('Version') !== '2011-06-15') return refuse('another version');
    const role = form.get('RoleArn') ?? '';
    let subject: string;
    try {
      ({ sub: subject } = this.#issuer.verify(
        form.get('WebIdentityToken') ?? '',
        'sts.amazonaws.com',
      ));
    } catch (error) {
      return refuse(String(error), 'InvalidIdentityToken');
    }
    if (this.trust.get(role) !== subject) {
      return refuse('Not authorized to perform sts:AssumeRoleWithWebIdentity', 'AccessDenied', 403);
    }
    const name = form.get('RoleSessionName') ?? '';
    if (!/^[\w+=,.@-]{2,64}$/.test(name)) return refuse('the name of the session is wrong');
    const accessKey = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
    const secretKey = randomBytes(20).toString('base64');
    const sessionToken = randomBytes(48).toString('base64');
    this.#sessions.set(accessKey, { secretKey, sessionToken, role });
    const expiration = new Date(Date.now() + this.lifetime).toISOString();
    return xml(`<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>${subject}</SubjectFromWebIdentityToken>
    <Credentials>
      <AccessKeyId>${accessKey}</AccessKeyId>
      <SecretAccessKey>${secretKey}</SecretAccessKey>
      <SessionToken>${sessionToken}</SessionToken>
      <Expiration>${expiration}</Expiration>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>`);
  }

  #describe({ method, headers, url, body }: Asked, name: string): CloudAnswer {
    const cluster = this.clusters.get(name);
    const authorization = headers['authorization'] ?? '';
    const [, credential = '', signed = '', signature = ''] =
      /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]+)$/.exec(
        authorization,
      ) ?? [];
    try {
      const token = headers['x-amz-security-token'] ?? '';
      const { secretKey } = this.#session(credential, token, 'eks');
      const expected = signatureOf(
        {
          method,
          path: url.pathname,
          query: [...url.searchParams],
          headers,
          signedHeaders: signed.split(';'),
          body,
          date: headers['x-amz-date'] ?? '',
          region: this.region,
          service: 'eks',
        },
        secretKey,
      );
      if (!signed.split(';').includes('host') || expected !== signature)
        throw new Error('signature');
    } catch {
      return json(403, { message: 'The request signature does not match' }, 'InvalidSignature');
    }
    if (cluster === undefined) {
      return json(
        404,
        { message: `No cluster found for name: ${name}.` },
        'ResourceNotFoundException',
      );
    }
    const { endpoint, ca } = cluster;
    const data = Buffer.from(ca).toString('base64');
    return json(200, { cluster: { name, endpoint, certificateAuthority: { data } } });
  }

  /** @param credential `KEY/DAY/REGION/SERVICE/aws4_request` */
  #session(credential: string, sessionToken: string, service: string): Session {
    const [key = '', , region, forService, end] = credential.split('/');
    const session = this.#sessions.get(key);
    if (region !== this.region || forService !== service || end !== 'aws4_request') {
      throw new Error('the credential has another scope');
    }
    if (session === undefined || session.sessionToken !== sessionToken) {
      throw new Error('nobody has this credential');
    }
    return session;
  }
}

function timeOf(date: string): number {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function refuse(message: string, code = 'ValidationError', status = 400): CloudAnswer {
  const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error>
  <RequestId>7a9e</RequestId></ErrorResponse>`;
  return { ...xml(body), status };
}

function xml(body: string): CloudAnswer {
  return { status: 200, headers: { 'content-type': 'text/xml' }, body };
}

function json(status: number, body: unknown, errorType?: string): CloudAnswer {
  const type: Record<string, string> =
    errorType === undefined ? {} : { 'x-amzn-errortype': errorType };
  return {
    status,
    headers: { 'content-type': 'application/json', ...type },
    body: JSON.stringify(body),
  };
}
