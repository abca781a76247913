import { once } from 'node:events';
import type { ApiRole } from './api-role.ts';
import { ApiSide, servesApi } from './api-side.ts';
import type { Config } from './config/config.ts';
import type { RemoteAccess } from './controller/clusters.ts';
import { Controller } from './controller/controller.ts';
import { type Clock, type Duration, instant, milliseconds, seconds } from './core/time.ts';
import { KubernetesClient } from './kubernetes/client.ts';
import { Connection } from './kubernetes/connection.ts';
import { LeaderElector } from './kubernetes/leases.ts';
import type { ApiRegistration } from './registration/api-registration.ts';
import { remoteAccess } from './remote-access.ts';
import { type HealthChecks, healthApp } from './server/health.ts';
import { type RunningServer, startHttpServer } from './server/http-server.ts';
import { collectProcessMetrics, createMetrics, type Metrics } from './server/metrics.ts';
import { metricsApp } from './server/metrics-endpoint.ts';
import { StageBuilder } from './stage-builder.ts';
import type { Logger } from './types/log.ts';

/** Lease of the leader election (part A 2.7). */
const leaseName = 'stageset-controller.stages.metio.wtf';

export interface ProcessOptions {
  readonly config: Config;
  readonly logger: Logger;
  /** Name of this process among its replicas. */
  readonly instance: string;
  /** Fires when the process is asked to stop. */
  readonly signal: AbortSignal;
}

const clock: Clock = () => instant(Date.now());

/** How long requests and passes under way may take to end once the process is asked to stop. */
const grace = seconds(30);

/**
 * A leader must have ended before another may begin, 15 s after its last renewal (part B 11.1); a
 * lost lease is noticed 10 s after it.
 */
const graceOfLeader = seconds(2);

/**
 * After the lease is lost, what still runs then is ended by force: 10 s after the last renewal and 4 s
 * more is before anybody else may lead.
 */
const hardStop = seconds(4);

/** Opens the connection, serves what the roles want, and leads when it is this process's turn. */
export async function runProcess({
  config,
  logger,
  instance,
  signal,
}: ProcessOptions): Promise<void> {
  const metrics = createMetrics(() => performance.now());
  collectProcessMetrics(metrics.registry);
  const connection = await openConnection(config);
  const client = connect(connection, metrics);
  const builder = new StageBuilder(config);
  await builder.sweep();
  const namespace = config.certificates.namespace ?? namespaceOf(config, client);
  const remote = remoteAccess(config, metrics.client);
  const shared = { config, client, builder, remote, metrics };
  const world: World = { ...shared, logger, instance, namespace, clock };
  const controller = config.roles.includes('controller') ? controllerFor(world) : undefined;
  const api = servesApi(config) ? new ApiSide(world) : undefined;
  const checks = readiness(controller, api?.role, signal);
  const servers = await startServers(config, metrics, checks, logger);
  const { leaderElection, roles } = config;
  logger.info('started', { instance, leaderElection, roles });
  try {
    api?.start();
    controller?.start();
    const term = termOf(controller, api?.registration);
    await lead(term, client, { config, logger, instance, signal });
  } finally {
    logger.info('stopping');
    await Promise.all([controller?.stop(), api?.stop(grace)]);
    await builder.close();
    await Promise.all(servers.map(async (server) => await server.stop(grace)));
    await connection.close();
  }
}

async function openConnection({ kubeconfig }: Config): Promise<Connection> {
  return await Connection.open(
    kubeconfig === undefined ? { kind: 'Default' } : { kind: 'File', path: kubeconfig },
  );
}

function connect(connection: Connection, metrics: Metrics): KubernetesClient {
  const host = new URL(connection.origin).host;
  return KubernetesClient.connect(connection, {
    // A kind that a stage has just defined is served a moment later: ask often enough.
    discovery: { unknownKindInterval: milliseconds(200) },
    observe: ({ method, code }) => metrics.client.requestEnded({ method, code, host }),
  });
}

/** What every role is made from. */
interface World extends Omit<ProcessOptions, 'signal'> {
  readonly client: KubernetesClient;
  readonly builder: StageBuilder;
  readonly remote: RemoteAccess;
  readonly metrics: Metrics;
  /** Of the Services and certificates. */
  readonly namespace: string;
  readonly clock: Clock;
}

function controllerFor(world: World): Controller {
  const { config, client, builder, remote, metrics, logger, instance } = world;
  return new Controller({
    client,
    builder,
    remote,
    settings: {
      defaultInterval: config.defaultInterval,
      maxTeardownWait: config.maxTeardownWait,
    },
    watchNamespaces: config.watchNamespaces,
    crossNamespaceReferences: config.crossNamespaceReferences,
    inventoryShardCap: config.inventoryShardCap,
    driftWatch: config.driftWatch,
    runbookBase: config.runbookBaseUrl,
    instance,
    metrics: metrics.controller,
    logger: logger.child('controller'),
    clock,
  });
}

/** What readiness depends on. */
function readiness(
  controller: Controller | undefined,
  api: ApiRole | undefined,
  signal: AbortSignal,
): HealthChecks {
  return {
    live: [],
    ready: [
      ...(controller === undefined
        ? []
        : [{ name: 'watching', check: () => controller.notReady() }]),
      ...(api === undefined ? [] : [{ name: 'api', check: () => api.notReady() }]),
      { name: 'shutdown', check: () => (signal.aborted ? 'the process is stopping' : undefined) },
    ],
  };
}

async function startServers(
  { metricsBindAddress, healthProbeBindAddress }: Config,
  metrics: Metrics,
  checks: HealthChecks,
  logger: Logger,
): Promise<RunningServer[]> {
  const trouble = (error: Error): void => logger.warn('a connection was not accepted', { error });
  const health = { name: 'health', flag: '--health-probe-bind-address' };
  const servers = [
    await startHttpServer(health, healthProbeBindAddress, healthApp(checks), trouble),
  ];
  if (metricsBindAddress === undefined) return servers;
  const purpose = { name: 'metrics', flag: '--metrics-bind-address' };
  const app = metricsApp(metrics.registry);
  servers.push(await startHttpServer(purpose, metricsBindAddress, app, trouble));
  return servers;
}

/** What only one replica may do at a time, until the signal fires. */
type Term = (signal: AbortSignal, grace: Duration) => Promise<void>;

/** Undefined for a process that leads nothing. */
function termOf(
  controller: Controller | undefined,
  registration: ApiRegistration | undefined,
): Term | undefined {
  if (controller === undefined && registration === undefined) return undefined;
  return async (term, graceOfTerm) => {
    registration?.start();
    try {
      if (controller === undefined) await aborted(term);
      else await controller.lead(term, graceOfTerm);
    } finally {
      await registration?.stop('LeadershipEnds');
    }
  };
}

/**
 * Leads for as long as it is this process's turn. A lost lease ends the process: whatever it still has
 * under way must not run beside the new leader, and a restart begins from what is stored.
 */
async function lead(
  term: Term | undefined,
  client: KubernetesClient,
  { config, logger, instance, signal }: ProcessOptions,
): Promise<void> {
  if (term === undefined) {
    await aborted(signal);
    return;
  }
  if (config.leaderElection === 'Off') {
    await term(signal, grace);
    return;
  }
  const elector = new LeaderElector(client, {
    namespace: namespaceOf(config, client),
    name: leaseName,
    identity: instance,
    onHolder: (holder) => logger.info('leader', { holder }),
    onError: (error) => logger.warn('leader election', { error }),
    onLost: () => {
      logger.error('the leader lease was lost: the process ends');
      setTimeout(() => process.exit(1), hardStop).unref();
    },
  });
  const end = await elector.run(async (turn) => await term(turn, graceOfLeader), signal);
  if (end === 'Lost') throw new Error('the leader lease was lost');
}

function namespaceOf({ namespace }: Config, client: KubernetesClient): string {
  return namespace ?? client.namespace ?? 'default';
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await once(signal, 'abort');
}
