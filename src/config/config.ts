import { type Duration, minutes } from '../core/time.ts';
import type { LadderSourceRules } from '../core/version/ladder-source.ts';
import type { ListenAddress } from '../types/listen-address.ts';
import type { LogLevel } from '../types/log.ts';
import {
  type AllowedHost,
  formatListenAddress,
  readAllowedHost,
  readHostPattern,
  readListenAddress,
  readOptionalListenAddress,
} from './addresses.ts';
import { type ApiConfig, type Role, readApi, readRoles } from './api-config.ts';
import { type CloudConfig, readClouds } from './cloud-config.ts';
import { readCommandLine } from './command-line.ts';
import type { Flag } from './flag.ts';
import { type FlagName, flags } from './flags.ts';
import { type KeyServicesConfig, readKeyServices } from './key-services-config.ts';
import { laterFlags, refuseLaterFlag } from './later-flags.ts';
import { readNamespace, readNamespaces, readOptionalName } from './names.ts';
import { UsageError } from './usage-error.ts';
import {
  type GivenValue,
  readBaseUrl,
  readBoolean,
  readChoice,
  readCount,
  readDirectory,
  readDuration,
  readPath,
  readPositiveDuration,
  readProgram,
} from './values.ts';
import {
  type CertificateConfig,
  readCertificates,
  readWebhook,
  type WebhookConfig,
} from './webhook-config.ts';

/** Everything that an operator decides at the start. Frozen; it does not change while running. */
export interface Config {
  /** Path of the kubeconfig; undefined looks where kubectl does, then in the pod. */
  readonly kubeconfig: string | undefined;
  /** Namespace of the leader lease; undefined takes the one of the connection. */
  readonly namespace: string | undefined;
  readonly roles: readonly Role[];
  readonly leaderElection: 'On' | 'Off';
  /** Empty means all. */
  readonly watchNamespaces: readonly string[];
  /** Above zero. */
  readonly defaultInterval: Duration;
  /** At least 1. */
  readonly inventoryShardCap: number;
  readonly driftWatch: 'On' | 'Off';
  /** Above zero. */
  readonly maxTeardownWait: Duration;
  readonly kustomizeBinary: string;
  /** In memory; checked when it is used. */
  readonly decryptionDirectory: string;
  readonly keyServices: KeyServicesConfig;
  /** http or https, ends with a slash. */
  readonly runbookBaseUrl: string;
  readonly crossNamespaceReferences: 'Allowed' | 'Refused';
  /** Of StageSets that name none; undefined lets them act as the controller. */
  readonly defaultServiceAccount: string | undefined;
  /** Undefined serves no metrics. */
  readonly metricsBindAddress: ListenAddress | undefined;
  readonly healthProbeBindAddress: ListenAddress;
  /** Undefined where this process serves no gates. */
  readonly gateBindAddress: ListenAddress | undefined;
  readonly api: ApiConfig;
  /** Undefined where this process serves no webhooks. */
  readonly webhook: WebhookConfig | undefined;
  readonly certificates: CertificateConfig;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Hosts that are exempt from the address guard; empty outside of development. */
  readonly allowedArtifactHosts: readonly AllowedHost[];
  /** API servers that are exempt from the address guard; empty outside of development. */
  readonly allowedClusterHosts: readonly AllowedHost[];
  /** Globs of hosts that http actions may call; empty allows all. */
  readonly allowedActionHosts: readonly string[];
  /** What is asked of sources of migrations. */
  readonly migrationSources: LadderSourceRules;
  /** Servers of http actions that are exempt from the address guard; empty outside of development. */
  readonly localActionHosts: readonly AllowedHost[];
  readonly clouds: CloudConfig;
}

/** How a log line is written: one JSON object, or a line for reading. */
type LogFormat = 'json' | 'text';

/** What the process is asked to do: run, or print a text to stdout and end with 0. */
export type Invocation =
  | { readonly kind: 'Run'; readonly config: Config }
  | { readonly kind: 'Print'; readonly text: string };

/** The environment as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads flags, and the variables behind some of them, into one object (part B 8.1). Pure.
 * @param argv the arguments after the program's name: `process.argv.slice(2)`.
 * @param version what `--version` prints.
 * @throws UsageError, which asks for exit code 2 and names the flag and what it accepts.
 */
export function parseConfig(
  argv: readonly string[],
  environment: Environment,
  version: string,
): Invocation {
  const line = readCommandLine(argv, { flags, later: laterFlags, version });
  if (line.kind === 'Print') return line;
  for (const flag of laterFlags) {
    for (const text of line.values.get(flag.name) ?? []) {
      refuseLaterFlag(flag, { origin: `--${flag.name}`, text });
    }
  }
  return { kind: 'Run', config: configOf(line.values, environment) };
}

function configOf(
  values: ReadonlyMap<string, readonly string[]>,
  environment: Environment,
): Config {
  const given = (name: FlagName): GivenValue => effective(name, values, environment);
  const namespace = given('namespace');
  const roles = readRoles(given);
  const certificates = readCertificates(given);
  const config: Config = {
    kubeconfig: readPath(given('kubeconfig')),
    namespace: namespace.text === '' ? undefined : readNamespace(namespace),
    roles,
    leaderElection: readBoolean(given('leader-elect')) ? 'On' : 'Off',
    watchNamespaces: Object.freeze(readNamespaces(given('watch-namespaces'))),
    defaultInterval: readPositiveDuration(given('default-interval')),
    inventoryShardCap: readCount(given('inventory-shard-cap')),
    driftWatch: readBoolean(given('drift-watch')) ? 'On' : 'Off',
    maxTeardownWait: readDuration(given('max-teardown-wait'), minutes(60)),
    kustomizeBinary: readProgram(given('kustomize-binary')),
    decryptionDirectory: readDirectory(given('decryption-directory')),
    keyServices: Object.freeze(readKeyServices(given, environment)),
    runbookBaseUrl: readBaseUrl(given('runbook-base-url')),
    crossNamespaceReferences: readBoolean(given('no-cross-namespace-refs')) ? 'Refused' : 'Allowed',
    defaultServiceAccount: readOptionalName(given('default-service-account')),
    metricsBindAddress: frozen(readOptionalListenAddress(given('metrics-bind-address'))),
    healthProbeBindAddress: Object.freeze(readListenAddress(given('health-probe-bind-address'))),
    gateBindAddress: frozen(readGate(given, roles)),
    api: Object.freeze(readApi(given, roles)),
    webhook: frozen(readWebhook(given, roles, certificates.mode)),
    certificates: Object.freeze(certificates),
    logLevel: readChoice(given('log-level'), ['debug', 'info', 'warn', 'error']),
    logFormat: readChoice(given('log-format'), ['json', 'text']),
    allowedArtifactHosts: allowedHosts('allowed-artifact-hosts', values),
    allowedClusterHosts: allowedHosts('allowed-cluster-hosts', values),
    allowedActionHosts: Object.freeze(actionHosts(values)),
    migrationSources: Object.freeze(readMigrationSources(given)),
    localActionHosts: allowedHosts('local-action-hosts', values),
    clouds: readClouds(
      (values.get('cloud-endpoint') ?? []).map((text) => ({ origin: '--cloud-endpoint', text })),
      readPath(given('cloud-endpoint-ca-file')),
    ),
  };
  refuseSharedAddress(config);
  return Object.freeze(config);
}

/** The gate tells what the controller sees. */
function readGate(
  given: (name: FlagName) => GivenValue,
  roles: readonly Role[],
): ListenAddress | undefined {
  const address = given('gate-bind-address');
  const bound = address.text === '' ? undefined : readListenAddress(address);
  return roles.includes('controller') ? bound : undefined;
}

function readMigrationSources(given: (name: FlagName) => GivenValue): LadderSourceRules {
  const readRule = (name: FlagName): 'Required' | 'Optional' =>
    readBoolean(given(name)) ? 'Required' : 'Optional';
  return {
    verified: readRule('require-verified-migration-sources'),
    pinned: readRule('require-pinned-migration-sources'),
  };
}

function allowedHosts(
  name: FlagName,
  values: ReadonlyMap<string, readonly string[]>,
): readonly AllowedHost[] {
  const given = values.get(name) ?? [];
  return Object.freeze(
    given.map((text) => Object.freeze(readAllowedHost({ origin: `--${name}`, text }))),
  );
}

function actionHosts(values: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const name: FlagName = 'allowed-action-hosts';
  return (values.get(name) ?? []).map((text) => readHostPattern({ origin: `--${name}`, text }));
}

/** The last value given, else the variable behind the flag, else the default. */
function effective(
  name: FlagName,
  values: ReadonlyMap<string, readonly string[]>,
  environment: Environment,
): GivenValue {
  const flag: Flag | undefined = flags.find((one) => one.name === name);
  const typed = values.get(name)?.at(-1);
  const variable = flag?.environment;
  // An empty value counts as absent: a template that sets the flag to nothing must not undo a
  // scope that the variable sets.
  if (variable !== undefined && (typed ?? '').trim() === '') {
    const text = environment[variable] ?? '';
    if (text.trim() !== '') return { origin: variable, text: text.trim() };
  }
  return { origin: `--${name}`, text: typed ?? flag?.defaultText ?? '' };
}

/** Two servers on one address would fail only later, when the second one binds. */
function refuseSharedAddress(config: Config): void {
  const taken = new Map<string, string>();
  for (const [flag, bound] of addressesOf(config)) {
    const address = formatListenAddress(bound);
    const other = taken.get(address);
    if (other !== undefined) {
      const way =
        other === '--metrics-bind-address'
          ? 'give two addresses, or 0 for --metrics-bind-address to serve no metrics'
          : 'give two addresses';
      throw new UsageError(`${other} and ${flag} are both ${address}; ${way}`);
    }
    taken.set(address, flag);
  }
}

function addressesOf(config: Config): [flag: string, address: ListenAddress][] {
  const { api, gateBindAddress, healthProbeBindAddress, metricsBindAddress, roles, webhook } =
    config;
  const addresses: [string, ListenAddress | undefined][] = [
    ['--metrics-bind-address', metricsBindAddress],
    ['--health-probe-bind-address', healthProbeBindAddress],
    ['--gate-bind-address', gateBindAddress],
    ['--api-bind-address', roles.includes('api') ? api.bindAddress : undefined],
    ['--webhook-port', webhook === undefined ? undefined : { port: webhook.port }],
  ];
  return addresses.flatMap(([flag, address]) => (address === undefined ? [] : [[flag, address]]));
}

function frozen<Value extends object>(value: Value | undefined): Value | undefined {
  return value === undefined ? undefined : Object.freeze(value);
}
