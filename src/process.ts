import type { Config } from './config/config.ts';
import { Controller } from './controller/controller.ts';
import { type Clock, instant, milliseconds, seconds } from './core/time.ts';
import { KubernetesClient } from './kubernetes/client.ts';
import { Connection } from './kubernetes/connection.ts';
import { LeaderElector } from './kubernetes/leases.ts';
import { healthApp } from './server/health.ts';
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

/** Opens the connection, serves health and metrics, and leads when it is this process's turn. */
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
  const controller = new Controller({
    client,
    builder,
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
  const servers = await startServers(config, metrics, controller, logger, signal);
  logger.info('started', { instance, leaderElection: config.leaderElection });
  try {
    controller.start();
    await lead(controller, client, { config, logger, instance, signal });
  } finally {
    logger.info('stopping');
    await controller.stop();
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

async function startServers(
  { metricsBindAddress, healthProbeBindAddress }: Config,
  metrics: Metrics,
  controller: Controller,
  logger: Logger,
  signal: AbortSignal,
): Promise<RunningServer[]> {
  const checks = {
    live: [],
    ready: [
      { name: 'watching', check: () => controller.notReady() },
      { name: 'shutdown', check: () => (signal.aborted ? 'the process is stopping' : undefined) },
    ],
  };
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

/**
 * Reconciles for as long as this process leads. A lost lease ends the process: whatever it still has
 * under way must not run beside the new leader, and a restart begins from what is stored.
 */
async function lead(
  controller: Controller,
  client: KubernetesClient,
  { config, logger, instance, signal }: ProcessOptions,
): Promise<void> {
  if (config.leaderElection === 'Off') {
    await controller.lead(signal, grace);
    return;
  }
  const elector = new LeaderElector(client, {
    namespace: config.namespace ?? client.namespace ?? 'default',
    name: leaseName,
    identity: instance,
    onHolder: (holder) => logger.info('leader', { holder }),
    onError: (error) => logger.warn('leader election', { error }),
    onLost: () => {
      logger.error('the leader lease was lost: the process ends');
      setTimeout(() => process.exit(1), hardStop).unref();
    },
  });
  const end = await elector.run(async (term) => await controller.lead(term, graceOfLeader), signal);
  if (end === 'Lost') throw new Error('the leader lease was lost');
}
