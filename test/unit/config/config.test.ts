import { expect } from 'chai';
import { type Config, type Environment, parseConfig } from '../../../src/config/config.ts';
import { UsageError } from '../../../src/config/usage-error.ts';

function configOf(argv: readonly string[], environment: Environment = {}): Config {
  const invocation = parseConfig(argv, environment, '1.2.3');
  if (invocation.kind !== 'Run') throw new Error(`printed ${invocation.text}`);
  return invocation.config;
}

function refusalOf(argv: readonly string[], environment: Environment = {}): string {
  try {
    parseConfig(argv, environment, '1.2.3');
  } catch (error) {
    expect(error).to.be.instanceOf(UsageError);
    expect((error as UsageError).exitCode).to.equal(2);
    return (error as UsageError).message;
  }
  throw new Error(`accepted ${argv.join(' ')}`);
}

describe('flags and environment', () => {
  it('have these defaults', () => {
    expect(configOf([])).to.deep.equal({
      kubeconfig: undefined,
      namespace: undefined,
      roles: ['controller'],
      leaderElection: 'Off',
      watchNamespaces: [],
      defaultInterval: 600_000,
      inventoryShardCap: 5000,
      driftWatch: 'On',
      maxTeardownWait: 3_600_000,
      kustomizeBinary: 'kustomize',
      decryptionDirectory: '/dev/shm',
      runbookBaseUrl: 'https://stages.metio.wtf/runbooks/',
      crossNamespaceReferences: 'Allowed',
      defaultServiceAccount: undefined,
      metricsBindAddress: { port: 8080 },
      healthProbeBindAddress: { port: 8081 },
      gateBindAddress: { port: 8082 },
      api: {
        bindAddress: { port: 8443 },
        shutdownDelay: 10_000,
        serviceName: 'stageset-controller-api',
        servicePort: 443,
        registration: 'Left',
      },
      webhook: {
        port: 9443,
        serviceName: 'stageset-controller-webhook',
        validatingConfigurationName: undefined,
        mutatingConfigurationName: undefined,
        controllerUser: undefined,
      },
      certificates: {
        mode: 'Mounted',
        directory: '/tmp/k8s-webhook-server/serving-certs',
        validFor: 31_536_000_000,
        namespace: undefined,
      },
      logLevel: 'info',
      logFormat: 'json',
      allowedArtifactHosts: [],
      allowedClusterHosts: [],
      allowedActionHosts: [],
      migrationSources: { verified: 'Optional', pinned: 'Optional' },
      localActionHosts: [],
      clouds: { endpoints: {}, caFile: undefined },
      keyServices: { identity: 'Controller', vault: undefined },
    });
  });

  it('register the API where it is served, unless they say otherwise', () => {
    expect(configOf(['--roles=api,controller']).roles).to.deep.equal(['controller', 'api']);
    expect(configOf(['--roles=api']).api.registration).to.equal('Managed');
    expect(configOf(['--manage-apiservice=true']).api.registration).to.equal('Managed');
    expect(configOf(['--roles=api', '--manage-apiservice=false']).api.registration).to.equal(
      'Left',
    );
    for (const flag of [
      '--roles=',
      '--roles=apis',
      '--manage-apiservice=maybe',
      '--api-service-port=70000',
      '--webhook-cert-mode=none',
    ]) {
      expect(() => configOf([flag]), flag).to.throw(flag.split('=')[0]);
    }
  });

  it('have hosts of actions in lower case, as URLs have them', () => {
    const { allowedActionHosts } = configOf(['--allowed-action-hosts=Hooks-[A-C].Example.com']);
    expect(allowedActionHosts).to.deep.equal(['hooks-[a-c].example.com']);
    expect(refusalOf(['--allowed-action-hosts=[Z-a].test'])).to.include('brackets');
  });

  it('serve gates beside the controller, unless they say otherwise', () => {
    const { gateBindAddress } = configOf(['--gate-bind-address=127.0.0.1:9000']);
    expect(gateBindAddress).to.deep.equal({ host: '127.0.0.1', port: 9000 });
    expect(configOf(['--gate-bind-address=']).gateBindAddress).to.equal(undefined);
    expect(configOf(['--roles=api']).gateBindAddress).to.equal(undefined);
    expect(refusalOf(['--roles=api', '--gate-bind-address=8082'])).to.include(
      '--gate-bind-address',
    );
  });

  it('say what is asked of sources of migrations', () => {
    const both = [
      '--require-verified-migration-sources',
      '--require-pinned-migration-sources=true',
    ];
    const { migrationSources } = configOf(both);
    expect(migrationSources).to.deep.equal({ verified: 'Required', pinned: 'Required' });
    expect(migrationSources).to.be.frozen;
    expect(configOf(both.slice(1)).migrationSources).to.deep.equal({
      verified: 'Optional',
      pinned: 'Required',
    });
    const off = ['--require-verified-migration-sources=false'];
    expect(configOf(off).migrationSources.verified).to.equal('Optional');
    expect(refusalOf(['--require-pinned-migration-sources=maybe'])).to.include(
      '--require-pinned-migration-sources',
    );
  });

  it('serve webhooks unless they say otherwise', () => {
    expect(configOf(['--enable-webhook=false']).webhook).to.equal(undefined);
    const named = ['--webhook-cert-mode=self-signed', '--webhook-validating-config-name=stageset'];
    expect(configOf(named).webhook).to.include({ validatingConfigurationName: 'stageset' });
    for (const argv of [
      ['--webhook-cert-mode=self-signed'],
      ['--roles=webhook', '--enable-webhook=false'],
      ['--webhook-port=0'],
      ['--webhook-port=65536'],
      ['--webhook-service-name=Stage_Set'],
      ['--webhook-validating-config-name=Stage_Set'],
      ['--default-service-account=Stage_Set'],
    ]) {
      expect(() => configOf(argv), argv.join(' ')).to.throw(argv[0]?.split('=')[0]);
    }
  });

  it('are read into one object that nobody can change', () => {
    const config = configOf(['--watch-namespaces=a', '--allowed-artifact-hosts=localhost']);
    expect(config).to.be.frozen;
    expect(config.watchNamespaces).to.be.frozen;
    expect(config.metricsBindAddress).to.be.frozen;
    expect(config.allowedArtifactHosts).to.be.frozen;
  });

  it('take values after an equals sign or a space', () => {
    expect(configOf(['--default-interval=90s']).defaultInterval).to.equal(90_000);
    expect(configOf(['--default-interval', '1h30m']).defaultInterval).to.equal(5_400_000);
  });

  it('let the last one of a flag count', () => {
    expect(configOf(['--log-level=debug', '--log-level=error']).logLevel).to.equal('error');
  });

  for (const [argv, expected] of [
    [['--leader-elect'], 'On'],
    [['--leader-elect=true'], 'On'],
    [['--leader-elect=T'], 'On'],
    [['--leader-elect=1'], 'On'],
    [['--leader-elect=false'], 'Off'],
    [['--leader-elect=F'], 'Off'],
    [['--leader-elect', '--leader-elect=0'], 'Off'],
  ] as const) {
    it(`read ${argv.join(' ')} as Go does: ${expected}`, () => {
      expect(configOf(argv).leaderElection).to.equal(expected);
    });
  }

  for (const [argument, expected] of [
    ['--no-cross-namespace-refs', 'Refused'],
    ['--no-cross-namespace-refs=true', 'Refused'],
    ['--no-cross-namespace-refs=false', 'Allowed'],
  ] as const) {
    it(`read ${argument} as: ${expected}`, () => {
      expect(configOf([argument]).crossNamespaceReferences).to.equal(expected);
    });
  }

  it('take a teardown wait of zero for one hour', () => {
    expect(configOf(['--max-teardown-wait=0']).maxTeardownWait).to.equal(3_600_000);
    expect(configOf(['--max-teardown-wait=0s']).maxTeardownWait).to.equal(3_600_000);
    expect(configOf(['--max-teardown-wait=5m']).maxTeardownWait).to.equal(300_000);
  });

  it('serve no metrics at address 0', () => {
    expect(configOf(['--metrics-bind-address=0']).metricsBindAddress).to.equal(undefined);
  });

  for (const [text, expected] of [
    [':9090', { port: 9090 }],
    ['0.0.0.0:9090', { host: '0.0.0.0', port: 9090 }],
    ['localhost:65535', { host: 'localhost', port: 65535 }],
    ['[::1]:1', { host: '::1', port: 1 }],
  ] as const) {
    it(`listen at ${text}`, () => {
      expect(configOf([`--metrics-bind-address=${text}`]).metricsBindAddress).to.deep.equal(
        expected,
      );
    });
  }

  it('take namespaces with blanks around them, once each', () => {
    expect(configOf(['--watch-namespaces=team-a, team-b,team-a']).watchNamespaces).to.deep.equal([
      'team-a',
      'team-b',
    ]);
  });

  it('take namespaces from the environment when the flag is absent or empty', () => {
    const environment = { STAGESET_WATCH_NAMESPACES: 'team-c' };
    expect(configOf([], environment).watchNamespaces).to.deep.equal(['team-c']);
    expect(configOf(['--watch-namespaces='], environment).watchNamespaces).to.deep.equal([
      'team-c',
    ]);
    expect(configOf(['--watch-namespaces=a'], environment).watchNamespaces).to.deep.equal(['a']);
  });

  it('take their own namespace from the pod unless the flag names one', () => {
    expect(configOf([], { POD_NAMESPACE: 'flux-system' }).namespace).to.equal('flux-system');
    expect(configOf(['--namespace=ops'], { POD_NAMESPACE: 'flux-system' }).namespace).to.equal(
      'ops',
    );
  });

  it('collect every host that artifacts may come from', () => {
    const argv = ['localhost:9790', '[::1]', 'Artifacts.Test', '[::1]:80', '127.0.0.1'].map(
      (host) => `--allowed-artifact-hosts=${host}`,
    );
    expect(configOf(argv).allowedArtifactHosts).to.deep.equal([
      { host: 'localhost', port: 9790 },
      { host: '::1', port: undefined },
      { host: 'artifacts.test', port: undefined },
      { host: '::1', port: 80 },
      { host: '127.0.0.1', port: undefined },
    ]);
  });

  it('end a runbook URL with a slash', () => {
    const argv = ['--runbook-base-url=https://wiki.example.com/stages'];
    expect(configOf(argv).runbookBaseUrl).to.equal('https://wiki.example.com/stages/');
  });
});

describe('a value that cannot be used', () => {
  for (const [argument, message] of [
    [
      '--default-interval=10',
      '--default-interval: "10" is not accepted; give a duration above zero such as 90s, 10m or 1h30m',
    ],
    [
      '--default-interval=0s',
      '--default-interval: "0s" is not accepted; give a duration above zero such as 90s, 10m or 1h30m',
    ],
    [
      '--max-teardown-wait=-1h',
      '--max-teardown-wait: "-1h" is not accepted; give a duration of zero or more such as 0, 90s, 10m or 1h30m',
    ],
    [
      '--inventory-shard-cap=0',
      '--inventory-shard-cap: "0" is not accepted; give a whole number of at least 1',
    ],
    [
      '--inventory-shard-cap=1e3',
      '--inventory-shard-cap: "1e3" is not accepted; give a whole number of at least 1',
    ],
    ['--leader-elect=yes', '--leader-elect: "yes" is not accepted; give true or false'],
    [
      '--log-level=trace',
      '--log-level: "trace" is not accepted; give one of debug, info, warn, error',
    ],
    ['--log-format=', '--log-format: an empty value is not accepted; give one of json, text'],
    [
      '--watch-namespaces=a,,b',
      '--watch-namespaces: "a,,b" is not accepted; give names of namespaces with commas between them, such as team-a,team-b',
    ],
    [
      '--namespace=Ops',
      '--namespace: "Ops" is not accepted; give the name of a namespace: at most 63 of a-z, 0-9 and -, such as flux-system',
    ],
    [
      '--kustomize-binary=',
      '--kustomize-binary: an empty value is not accepted; give the name of a program on PATH, or its path',
    ],
  ] as const) {
    it(`is refused with the flag and what is accepted: ${argument}`, () => {
      expect(refusalOf([argument])).to.equal(message);
    });
  }

  for (const address of [
    '8080',
    ':0',
    ':65536',
    ':http',
    'a b:80',
    '::1:80',
    '[x]:80',
    '1.2.3:80',
    '',
  ]) {
    it(`is refused as an address: ${JSON.stringify(address)}`, () => {
      expect(refusalOf([`--health-probe-bind-address=${address}`])).to.match(
        /^--health-probe-bind-address: .* is not accepted; give host:port or :port with a port from 1 to 65535, such as :8080$/,
      );
    });
  }

  it('is refused as the health address when it would switch health off', () => {
    expect(refusalOf(['--health-probe-bind-address=0'])).to.contain('--health-probe-bind-address');
  });

  for (const host of ['http://localhost', '*.example.com', 'a/b', '::1', '1.2.3', 'a:0', '']) {
    it(`is refused as an artifact host: ${JSON.stringify(host)}`, () => {
      expect(refusalOf([`--allowed-artifact-hosts=${host}`])).to.contain(
        'give a host or host:port',
      );
    });
  }

  for (const url of [
    'ftp://a/',
    'runbooks',
    'https://user:secret@a/',
    'https://a/?q',
    'https://a/#b',
  ]) {
    it(`is refused as a runbook URL without being quoted: ${url}`, () => {
      const message = refusalOf([`--runbook-base-url=${url}`]);
      expect(message).to.match(/^--runbook-base-url: the value is not accepted; give an http/);
      expect(message).to.not.contain('secret');
    });
  }

  it('is refused with the name of the variable that it came from', () => {
    expect(refusalOf([], { STAGESET_WATCH_NAMESPACES: 'Team' })).to.match(
      /^STAGESET_WATCH_NAMESPACES: "Team" is not accepted; /,
    );
  });

  it('is cut when it is long', () => {
    expect(refusalOf([`--log-level=${'x'.repeat(5_000)}`])).to.have.length.lessThan(200);
  });

  it('is refused when two servers would share an address', () => {
    expect(refusalOf(['--metrics-bind-address=:8081'])).to.equal(
      '--metrics-bind-address and --health-probe-bind-address are both :8081; give two addresses, ' +
        'or 0 for --metrics-bind-address to serve no metrics',
    );
    expect(refusalOf(['--roles=api', '--api-bind-address=:8081'])).to.equal(
      '--health-probe-bind-address and --api-bind-address are both :8081; give two addresses',
    );
    expect(refusalOf(['--roles=api', '--webhook-port=8443'])).to.equal(
      '--api-bind-address and --webhook-port are both :8443; give two addresses',
    );
    expect(refusalOf(['--gate-bind-address=:8080'])).to.equal(
      '--metrics-bind-address and --gate-bind-address are both :8080; give two addresses, ' +
        'or 0 for --metrics-bind-address to serve no metrics',
    );
    expect(configOf(['--api-bind-address=:8081']).roles).to.deep.equal(['controller']);
  });
});

describe('key services', () => {
  it('are asked as ServiceAccounts where the operator says so', () => {
    const { keyServices } = configOf(['--object-level-kms']);
    expect(keyServices.identity).to.equal('ServiceAccount');
  });

  it('have the Vault that the environment names', () => {
    const { keyServices } = configOf([], {
      VAULT_ADDR: ' HTTPS://Vault.example:8200/ ',
      VAULT_NAMESPACE: 'team',
      VAULT_CACERT: '/etc/vault/ca.crt',
      VAULT_TOKEN: 'hvs.secret',
    });
    expect(keyServices.vault).to.deep.equal({
      address: 'https://vault.example:8200',
      namespace: 'team',
      caFile: '/etc/vault/ca.crt',
    });
  });

  it('have no Vault at what is no address, and nobody is told what was in it', () => {
    for (const address of [
      'vault',
      'ftp://vault',
      'https://user:hunter2@vault',
      'https://v?x=hunter2',
    ]) {
      const refusal = refusalOf([], { VAULT_ADDR: address });
      expect(refusal).to.include('VAULT_ADDR: the value is not accepted');
      expect(refusal).not.to.include('hunter2');
    }
  });
});
