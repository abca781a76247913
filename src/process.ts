import { HttpActions } from './actions/http.ts';
import { ApiSide, servesApi } from './api-side.ts';
import { cloudEndpoints } from './cloud-endpoints.ts';
import type { Config } from './config/config.ts';
import type { RemoteAccess } from './controller/clusters.ts';
import { Controller } from './controller/controller.ts';
import type { GateReaders } from './controller/gate-answers.ts';
import { type Clock, instant, milliseconds, seconds } from './core/time.ts';
import { compileParsers } from './core/validate/schema.ts';
import { gateReaders } from './gate-readers.ts';
import { keyOpeners } from './key-openers.ts';
import { KubernetesClient } from './kubernetes/client.ts';
import { Connection } from './kubernetes/connection.ts';
import { ladderRules } from './ladder-rules.ts';
import { lead, termOf } from './leadership.ts';
import { MetricReader } from './metrics-sources/metric-reader.ts';
import { remoteAccess } from './remote-access.ts';
import { gateApp } from './server/gate.ts';
import { type HealthChecks, healthApp } from './server/health.ts';
import { type RunningServer, startHttpServer } from './server/http-server.ts';
import { collectProcessMetrics, createMetrics, type Metrics } from './server/metrics.ts';
import { metricsApp } from './server/metrics-endpoint.ts';
import { openCertificates } from './serving-certificates.ts';
import { StageBuilder } from './stage-builder.ts';
import type { Logger } from './types/log.ts';
import type { CertificateSource } from './types/serving-certificate.ts';
import { WebhookSide } from './webhook-side.ts';

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
  const clouds = cloudEndpoints(config);
  const openers = keyOpeners({ config, client, environment: process.env, endpoints: clouds });
  const builder = new StageBuilder(config, openers);
  await builder.sweep();
  compileParsers();
  const namespace = config.certificates.namespace ?? namespaceOf(config, client);
  const remote = remoteAccess(config, clouds, metrics.client);
  const http = new HttpActions({
    allowedHosts: config.allowedActionHosts,
    exempt: config.localActionHosts,
  });
  const metricReader = new MetricReader({
    allowedHosts: config.allowedActionHosts,
    exempt: config.localActionHosts,
  });
  const readers = gateReaders(metricReader);
  const shared = { config, client, builder, remote, http, readers, metrics };
  const world: World = { ...shared, logger, instance, namespace, clock };
  const controller = config.roles.includes('controller') ? controllerFor(world) : undefined;
  const { certificates, api, webhooks } = tlsSides(world);
  const checks = readiness({ watching: controller, api: api?.role, webhook: webhooks }, signal);
  const servers = await startServers(world, checks, controller);
  const { leaderElection, roles } = config;
  logger.info('started', { instance, leaderElection, roles });
  try {
    api?.start();
    webhooks?.start();
    controller?.start();
    const term = termOf({
      controller,
      registration: api?.registration,
      bundles: webhooks?.bundles(),
    });
    await lead(term, client, {
      leaderElection,
      namespace: namespaceOf(config, client),
      lease: controller === undefined ? 'Serving' : 'Controller',
      instance,
      grace,
      logger,
      signal,
    });
  } finally {
    logger.info('stopping');
    const { shutdownDelay } = config.api;
    await Promise.all([controller?.stop(), api?.stop(grace), webhooks?.stop(shutdownDelay, grace)]);
    await certificates?.stop();
    await builder.close();
    await Promise.all([http.stop(), metricReader.stop()]);
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
  readonly http: HttpActions;
  readonly readers: GateReaders;
  readonly metrics: Metrics;
  /** Of the Services and certificates. */
  readonly namespace: string;
  readonly clock: Clock;
}

function controllerFor(world: World): Controller {
  const { config, client, builder, remote, http, readers, metrics, logger, instance } = world;
  return new Controller({
    client,
    builder,
    remote,
    http,
    readers,
    ladders: ladderRules(config),
    settings: {
      defaultInterval: config.defaultInterval,
      maxTeardownWait: config.maxTeardownWait,
    },
    watchNamespaces: config.watchNamespaces,
    crossNamespaceReferences: config.crossNamespaceReferences,
    defaultServiceAccount: config.defaultServiceAccount,
    inventoryShardCap: config.inventoryShardCap,
    driftWatch: config.driftWatch,
    runbookBase: config.runbookBaseUrl,
    instance,
    metrics: metrics.controller,
    logger: logger.child('controller'),
    clock,
  });
}

/** What is served by TLS, with the certificates that all of it shares. */
interface TlsSides {
  readonly certificates: CertificateSource | undefined;
  readonly api: ApiSide | undefined;
  readonly webhooks: WebhookSide | undefined;
}

function tlsSides(world: World): TlsSides {
  const { config, logger, metrics } = world;
  const { webhook } = config;
  if (!servesApi(config) && webhook === undefined)
    return { certificates: undefined, api: undefined, webhooks: undefined };
  const certificates = openCertificates({
    ...world,
    onFailure: () => metrics.certificates.renewalFailed(),
    logger: logger.child('certificates'),
  });
  const api = servesApi(config) ? new ApiSide({ ...world, certificates }) : undefined;
  const webhooks =
    webhook === undefined
      ? undefined
      : new WebhookSide({ ...world, webhook, certificates, logger: logger.child('webhook') });
  return { certificates, api, webhooks };
}

/** A part of the process that says why it is not ready. */
interface Part {
  notReady(): string | undefined;
}

/** What readiness depends on: the parts that this process has, by the names of their checks. */
function readiness(
  parts: Readonly<Record<string, Part | undefined>>,
  signal: AbortSignal,
): HealthChecks {
  return {
    live: [],
    ready: [
      ...Object.entries(parts).flatMap(([name, part]) =>
        part === undefined ? [] : [{ name, check: () => part.notReady() }],
      ),
      { name: 'shutdown', check: () => (signal.aborted ? 'the process is stopping' : undefined) },
    ],
  };
}

async function startServers(
  { config, metrics, logger, clock }: World,
  checks: HealthChecks,
  controller: Controller | undefined,
): Promise<RunningServer[]> {
  const trouble = (error: Error): void => logger.warn('a connection was not accepted', { error });
  const health = { name: 'health', flag: '--health-probe-bind-address' };
  const { gateBindAddress, healthProbeBindAddress, metricsBindAddress } = config;
  const servers = [
    await startHttpServer(health, healthProbeBindAddress, healthApp(checks), trouble),
  ];
  if (metricsBindAddress !== undefined) {
    const purpose = { name: 'metrics', flag: '--metrics-bind-address' };
    const app = metricsApp(metrics.registry);
    servers.push(await startHttpServer(purpose, metricsBindAddress, app, trouble));
  }
  if (gateBindAddress !== undefined && controller !== undefined) {
    const purpose = { name: 'gate', flag: '--gate-bind-address' };
    const app = gateApp({
      stageSet: (namespace, name) => controller.stageSet(namespace, name),
      logger: logger.child('gate'),
      clock,
    });
    servers.push(await startHttpServer(purpose, gateBindAddress, app, trouble));
  }
  return servers;
}

function namespaceOf({ namespace }: Config, client: KubernetesClient): string {
  return namespace ?? client.namespace ?? 'default';
}
