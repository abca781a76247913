/**
 * Who a request is made as. `Own` is the kubeconfig's identity. `Token` carries that token and
 * nothing else (part A 9.2). `Impersonated` is the kubeconfig's identity acting as another user,
 * for remote clusters (part A 9.3).
 */
export type Identity =
  | { kind: 'Own' }
  | {
      kind: 'Token';
      /** The token to send now. */
      provider: (signal: AbortSignal) => Promise<string>;
      /** Told that the server answered 401 to this token, before the one repeat. */
      onUnauthorized: (token: string) => void;
      /** Whom the token's owner acts as, on a remote cluster; undefined for nobody else. */
      user?: string;
    }
  | {
      kind: 'Impersonated';
      /** For a ServiceAccount's username the server fills in its groups. */
      user: string;
    };

/** Username of a ServiceAccount, as the API server's authenticator spells it. */
export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}
