import { expect } from 'chai';
import { readTenantKubeconfig } from '../../../../src/core/clusters/tenant-kubeconfig.ts';
import { RetryableError, TerminalError } from '../../../../src/core/errors.ts';
import { type KubeconfigParts, kubeconfigOf, refusedFields } from '../../../kubeconfigs.ts';

const encoded = (text: string): string => Buffer.from(text).toString('base64');

describe("a tenant's kubeconfig", () => {
  it('is read for its current context, with what is inline decoded', () => {
    const text = kubeconfigOf({
      cluster: {
        'certificate-authority-data': encoded('ca'),
        'tls-server-name': 'kubernetes',
        extensions: [{ name: 'minikube' }],
      },
      user: { 'client-certificate-data': encoded('cert'), 'client-key-data': encoded('key') },
    });
    const { server, ...rest } = readTenantKubeconfig(text);
    expect(server.href).to.equal('https://paris.example.com:6443/');
    expect(rest).to.deep.equal({
      ca: 'ca',
      serverName: 'kubernetes',
      certificate: 'cert',
      privateKey: 'key',
    });
  });

  it('may be YAML with comments, and have a token or a username', () => {
    const yaml = [
      'kind: Config # of Paris',
      'current-context: x',
      'clusters: [{name: c, cluster: {server: "https://paris.example.com/k8s/c-1"}}]',
      'contexts: [{name: x, context: {cluster: c, user: u}}]',
      'users:',
      '- name: u',
      '  user:',
      '    token: sesame',
    ].join('\n');
    expect(readTenantKubeconfig(yaml).token).to.equal('sesame');
    const basic = kubeconfigOf({ user: { username: 'ada', password: 'lovelace' } });
    expect(readTenantKubeconfig(basic).basic).to.deep.equal({
      username: 'ada',
      password: 'lovelace',
    });
  });

  for (const [path, parts] of refusedFields) {
    it(`is refused for ${path}`, () => {
      expect(() => readTenantKubeconfig(kubeconfigOf(parts))).to.throw(TerminalError, path);
    });
  }

  it('is refused for a field that its current context does not use', () => {
    const document = JSON.parse(kubeconfigOf()) as { users: unknown[] };
    document.users.push({ name: 'other', user: { exec: { command: 'sh' } } });
    expect(() => readTenantKubeconfig(JSON.stringify(document))).to.throw(
      TerminalError,
      'users[1].user.exec',
    );
  });

  const servers: [string, string][] = [
    ['http://paris.example.com', 'scheme http;'],
    ['unix:///var/run/docker.sock', 'scheme unix;'],
    ['https://ada:lovelace@paris.example.com', 'contains credentials'],
    ['https://paris.example.com/?x=1', 'query'],
    ['paris', 'is not a URL'],
  ];
  for (const [server, why] of servers) {
    it(`is refused for the server ${server}`, () => {
      const text = kubeconfigOf({ cluster: { server } });
      expect(() => readTenantKubeconfig(text))
        .to.throw(TerminalError, why)
        .and.satisfy((error: Error) => !error.message.includes('lovelace'));
    });
  }

  const malformed: [string, string | KubeconfigParts, string][] = [
    ['that is empty', ' \n', 'is empty'],
    ['that is no mapping', '- a\n- b', 'one YAML mapping'],
    ['of two documents', 'kind: Config\n---\nkind: Config', 'one YAML mapping'],
    ['that is no YAML', 'users: [canary-secret', 'not valid YAML'],
    ['whose aliases explode', bomb(), 'aliases'],
    ['that is too long', `# ${'x'.repeat(1024 * 1024)}`, 'longer than'],
    ['with too many users', manyUsers(), 'more than 100 users'],
    ['without a context', 'kind: Config', 'no current-context'],
    ['without its user', { context: { user: 'nobody' } }, 'no entry in users'],
    ['without its cluster', { context: { cluster: 'none' } }, 'no entry in clusters'],
    ['with half a key pair', { user: { 'client-key-data': encoded('k') } }, 'only one of'],
    ['with what is no base64', { cluster: { 'certificate-authority-data': '%' } }, 'no base64'],
    ['with a token of two lines', { user: { token: 'a\nb: c' } }, 'control characters'],
    ['with two identities', { user: { token: 'a', username: 'b' } }, 'both token and username'],
    ['with a number for a token', { user: { token: 5 } }, 'no text'],
  ];
  for (const [what, given, why] of malformed) {
    it(`${what} is tried again later, and told without its content`, () => {
      const text = typeof given === 'string' ? given : kubeconfigOf(given);
      expect(() => readTenantKubeconfig(text))
        .to.throw(RetryableError, why)
        .and.satisfy((error: Error) => !error.message.includes('canary'));
    });
  }

  const slow: Record<string, string> = {
    'a list of small pieces': '- {a: {b: [c]}}\n',
    'nested lists': '- - a\n',
    'keys that are marked': '? a\n',
    documents: '---\n',
  };
  for (const [name, piece] of Object.entries(slow)) {
    it(`is not read when that would take seconds: ${name}`, () => {
      const text = `x:\n${piece.repeat((1024 * 1024 - 4) / piece.length)}`;
      const begun = performance.now();
      expect(() => readTenantKubeconfig(text)).to.throw(/has more than 10000 lines and parts/);
      expect(performance.now() - begun).to.be.below(200);
    });
  }
});

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const before = level === 0 ? 'lol' : `*l${level - 1}`;
    return `l${level}: &l${level} [${new Array<string>(10).fill(before).join(', ')}]`;
  });
  return levels.join('\n');
}

function manyUsers(): string {
  const users = Array.from({ length: 101 }, (_, index) => ({ name: `u${index}`, user: {} }));
  return JSON.stringify({ users });
}
