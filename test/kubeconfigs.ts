import { canary } from './canary.ts';

/** What a test puts into the parts of a kubeconfig, by field. */
export interface KubeconfigParts {
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly user?: Readonly<Record<string, unknown>>;
  readonly context?: Readonly<Record<string, unknown>>;
}

/** A kubeconfig with one cluster, user and context; JSON, which is YAML too. */
export function kubeconfigOf({ cluster, user, context }: KubeconfigParts = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://paris.example.com:6443', ...cluster } }],
    users: [{ name: 'u', user: user ?? { token: canary } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', ...context } }],
    'current-context': 'x',
  });
}

/** Fields that a tenant's kubeconfig must not have, each with where it is. */
export const refusedFields: readonly (readonly [path: string, parts: KubeconfigParts])[] = [
  ['users[0].user.exec', user({ exec: { command: 'touch', args: ['/tmp/canary'] } })],
  ['users[0].user.auth-provider', user({ 'auth-provider': { name: 'gcp' } })],
  ['users[0].user.tokenFile', user({ tokenFile: '/var/run/secrets/token' })],
  ['users[0].user.token-file', user({ 'token-file': '/var/run/secrets/token' })],
  ['users[0].user.client-certificate', user({ 'client-certificate': '/etc/passwd' })],
  ['users[0].user.client-key', user({ 'client-key': '/etc/shadow' })],
  ['users[0].user.as', user({ as: 'system:admin' })],
  ['users[0].user.as-uid', user({ 'as-uid': '0' })],
  ['users[0].user.as-groups', user({ 'as-groups': ['system:masters'] })],
  ['users[0].user.as-user-extra', user({ 'as-user-extra': { scopes: ['all'] } })],
  ['users[0].user.impersonate', user({ impersonate: 'root' })],
  ['clusters[0].cluster.certificate-authority', cluster({ 'certificate-authority': '/etc/hosts' })],
  ['clusters[0].cluster.proxy-url', cluster({ 'proxy-url': 'http://127.0.0.1:3128' })],
  ['clusters[0].cluster.insecure-skip-tls-verify', cluster({ 'insecure-skip-tls-verify': true })],
];

function user(fields: Readonly<Record<string, unknown>>): KubeconfigParts {
  return { user: fields };
}

function cluster(fields: Readonly<Record<string, unknown>>): KubeconfigParts {
  return { cluster: fields };
}
