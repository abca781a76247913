import { randomBytes } from 'node:crypto';
import { bearerOf } from './gcp.ts';
import { type Asked, type CloudAnswer, jsonAnswer } from './server.ts';
import type { TrustedIssuer } from './service-account-tokens.ts';

/** Microsoft Entra, and AKS by the resource manager, of one tenant that trusts an issuer. */
export class TestAzure {
  readonly tenantId = '11111111-2222-3333-4444-555555555555';
  /** ServiceAccounts that may act as an application, by its client ID. */
  readonly trust = new Map<string, string>();
  /** Kubeconfigs by the resource ID of their cluster. */
  readonly clusters = new Map<string, readonly string[]>();
  /** Seconds. */
  lifetime = 3600;
  readonly #issuer: TrustedIssuer;
  readonly #tokens = new Map<string, { readonly clientId: string; readonly scope: string }>();

  constructor(issuer: TrustedIssuer) {
    this.#issuer = issuer;
  }

  answer(asked: Asked): CloudAnswer | undefined {
    const { pathname, origin } = asked.url;
    const authority = `${origin}/${this.tenantId}`;
    if (pathname === `/${this.tenantId}/v2.0/.well-known/openid-configuration`) {
      return jsonAnswer(200, {
        token_endpoint: `${authority}/oauth2/v2.0/token`,
        issuer: `${authority}/v2.0`,
        authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
        jwks_uri: `${authority}/discovery/v2.0/keys`,
      });
    }
    if (pathname === `/${this.tenantId}/oauth2/v2.0/token`) return this.#token(asked);
    if (pathname.startsWith('/subscriptions/')) return this.#credentials(asked);
    return undefined;
  }

  /** Whom a token is of, and what for. */
  grantOf(token: string): { readonly clientId: string; readonly scope: string } | undefined {
    return this.#tokens.get(token);
  }

  #token({ method, body }: Asked): CloudAnswer {
    const form = new URLSearchParams(body);
    const clientId = form.get('client_id') ?? '';
    if (method !== 'POST' || form.get('grant_type') !== 'client_credentials') {
      return refuse('unsupported_grant_type');
    }
    if (form.has('client_secret')) return refuse('a secret was sent');
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
    if (form.get('client_assertion_type') !== type) return refuse('the type of the assertion');
    try {
      const assertion = form.get('client_assertion') ?? '';
      const { sub } = this.#issuer.verify(assertion, 'api://AzureADTokenExchange');
      if (this.trust.get(clientId) !== sub)
        throw new Error('AADSTS700213: No matching federated identity record found');
    } catch (error) {
      return refuse(error instanceof Error ? error.message : 'wrong');
    }
    const scope = (form.get('scope') ?? '').split(' ')[0] ?? '';
    const token = randomBytes(40).toString('base64url');
    this.#tokens.set(token, { clientId, scope });
    const answer = { token_type: 'Bearer', expires_in: this.lifetime, access_token: token };
    return jsonAnswer(200, { ...answer, ext_expires_in: this.lifetime });
  }

  #credentials({ method, url, headers }: Asked): CloudAnswer {
    const grant = this.grantOf(bearerOf(headers['authorization']));
    if (grant?.scope !== `${url.origin}/.default`) {
      return jsonAnswer(401, {
        error: { code: 'AuthenticationFailed', message: 'another audience' },
      });
    }
    const id = /^(.+)\/listClusterUserCredential$/.exec(url.pathname)?.[1] ?? '';
    const kubeconfigs = this.clusters.get(id);
    if (method !== 'POST' || url.searchParams.get('api-version') === null) {
      return jsonAnswer(400, { error: { code: 'BadRequest', message: 'api-version' } });
    }
    if (kubeconfigs === undefined) {
      return jsonAnswer(404, {
        error: { code: 'ResourceNotFound', message: `${id} was not found` },
      });
    }
    return jsonAnswer(200, {
      kubeconfigs: kubeconfigs.map((text) => ({
        name: 'clusterUser',
        value: Buffer.from(text).toString('base64'),
      })),
    });
  }
}

function refuse(description: string): CloudAnswer {
  return jsonAnswer(401, { error: 'invalid_client', error_description: description });
}
