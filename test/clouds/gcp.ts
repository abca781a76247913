import { randomBytes } from 'node:crypto';
import { type Asked, type CloudAnswer, jsonAnswer } from './server.ts';
import type { TrustedIssuer } from './service-account-tokens.ts';

const cloudPlatform = 'https://www.googleapis.com/auth/cloud-platform';
const email = 'https://www.googleapis.com/auth/userinfo.email';

/** STS, IAM Credentials and GKE of one Google Cloud project, which trusts an issuer. */
export class TestGcp {
  readonly provider = 'projects/123/locations/global/workloadIdentityPools/clusters/providers/home';
  /** ServiceAccounts that may act as a service account of Google, by its e-mail address. */
  readonly trust = new Map<string, string>();
  /** By `projects/P/locations/L/clusters/C`. */
  readonly clusters = new Map<string, { readonly endpoint: string; readonly ca: string }>();
  /** Seconds. */
  lifetime = 3600;
  readonly #issuer: TrustedIssuer;
  /** Principals by token. */
  readonly #tokens = new Map<string, string>();

  constructor(issuer: TrustedIssuer) {
    this.#issuer = issuer;
  }

  answer(asked: Asked): CloudAnswer | undefined {
    const { pathname } = asked.url;
    if (pathname === '/v1/token') return this.#exchange(asked);
    const account = /^\/v1\/projects\/-\/serviceAccounts\/([^/:]+):generateAccessToken$/.exec(
      decodeURIComponent(pathname),
    )?.[1];
    if (account !== undefined) return this.#generate(asked, account);
    const cluster = /^\/v1\/(projects\/[\w-]+\/locations\/[\w-]+\/clusters\/[\w-]+)$/.exec(
      pathname,
    );
    if (cluster?.[1] !== undefined) return this.#cluster(asked, cluster[1]);
    return undefined;
  }

  /** Whom a token is of. */
  principalOf(token: string): string | undefined {
    return this.#tokens.get(token);
  }

  #exchange({ body }: Asked): CloudAnswer {
    const form = new URLSearchParams(body);
    const expected = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: `//iam.googleapis.com/${this.provider}`,
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    };
    for (const [name, value] of Object.entries(expected)) {
      if (form.get(name) !== value) return oauthError(`${name} is wrong`);
    }
    const scope = form.get('scope');
    if (scope !== cloudPlatform && scope !== `${cloudPlatform} ${email}`)
      return oauthError('scope');
    let subject: string;
    try {
      ({ sub: subject } = this.#issuer.verify(form.get('subject_token') ?? '', expected.audience));
    } catch (error) {
      return oauthError(String(error), 'invalid_grant');
    }
    const token = this.#issue(`principal://${this.provider}/subject/${subject}`);
    return jsonAnswer(200, {
      access_token: token,
      issued_token_type: expected.requested_token_type,
      token_type: 'Bearer',
      expires_in: this.lifetime,
    });
  }

  #generate({ headers, body, method }: Asked, account: string): CloudAnswer {
    const principal = this.principalOf(bearerOf(headers['authorization']));
    const subject = this.trust.get(account);
    if (principal === undefined) return jsonAnswer(401, { error: { message: 'who are you' } });
    if (subject === undefined || !principal.endsWith(`/subject/${subject}`)) {
      const message = "Permission 'iam.serviceAccounts.getAccessToken' denied on resource";
      return jsonAnswer(403, { error: { code: 403, message, status: 'PERMISSION_DENIED' } });
    }
    const { scope, lifetime } = JSON.parse(body) as Record<string, unknown>;
    if (method !== 'POST' || JSON.stringify(scope) !== JSON.stringify([cloudPlatform, email])) {
      return jsonAnswer(400, { error: { message: 'the scope is wrong' } });
    }
    if (lifetime !== '3600s')
      return jsonAnswer(400, { error: { message: 'the lifetime is wrong' } });
    const expireTime = new Date(Date.now() + this.lifetime * 1000).toISOString();
    return jsonAnswer(200, { accessToken: this.#issue(account), expireTime });
  }

  #cluster({ headers, method }: Asked, path: string): CloudAnswer {
    if (method !== 'GET' || this.principalOf(bearerOf(headers['authorization'])) === undefined) {
      return jsonAnswer(401, { error: { message: 'who are you' } });
    }
    const cluster = this.clusters.get(path);
    if (cluster === undefined) return jsonAnswer(404, { error: { message: `Not found: ${path}` } });
    const clusterCaCertificate = Buffer.from(cluster.ca).toString('base64');
    return jsonAnswer(200, { endpoint: cluster.endpoint, masterAuth: { clusterCaCertificate } });
  }

  #issue(principal: string): string {
    const token = `ya29.${randomBytes(32).toString('base64url')}`;
    this.#tokens.set(token, principal);
    return token;
  }
}

export function bearerOf(authorization: string | undefined): string {
  return /^Bearer (\S+)$/.exec(authorization ?? '')?.[1] ?? '';
}

function oauthError(description: string, error = 'invalid_request'): CloudAnswer {
  return jsonAnswer(400, { error, error_description: description });
}
