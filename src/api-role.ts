import { createHash } from 'node:crypto';
import type { RequestListener } from 'node:http';
import type { Config } from './config/config.ts';
import { version } from './config/version.ts';
import type { RemoteAccess } from './controller/clusters.ts';
import type { GateReaders } from './controller/gate-answers.ts';
import type { Clock, Duration } from './core/time.ts';
import type { KubernetesClient } from './kubernetes/client.ts';
import { FairLimit } from './kubernetes/fair-limit.ts';
import { InFlightLimit } from './kubernetes/in-flight-limit.ts';
import { ladderRules } from './ladder-rules.ts';
import { Planner } from './planning/planner.ts';
import { type AdvanceOptions, advanceResource } from './server/aggregated/advance/advance.ts';
import { aggregatedApp } from './server/aggregated/app.ts';
import { ClusterAuthentication } from './server/aggregated/authentication-config.ts';
import { ContinueTokens } from './server/aggregated/continue-token.ts';
import { group } from './server/aggregated/group.ts';
import { historiesResource } from './server/aggregated/history/histories.ts';
import { historyResource } from './server/aggregated/history/history.ts';
import { BoundedPlanning } from './server/aggregated/plan/bounded-planning.ts';
import { planResource } from './server/aggregated/plan/plan.ts';
import { stagePlansResource } from './server/aggregated/plan/stage-plans.ts';
import type { ApiResource } from './server/aggregated/resource.ts';
import { clusterReviewer } from './server/aggregated/reviews.ts';
import { stageSetsResource } from './server/aggregated/stage-sets.ts';
import type { StageBuilder } from './stage-builder.ts';
import { TlsService } from './tls-service.ts';
import { contract } from './types/generated/subresources.stages.metio.wtf.v1.document.ts';
import type { Logger } from './types/log.ts';
import type { CertificateSource } from './types/serving-certificate.ts';
import { stagesApiVersion } from './types/stages.ts';

export interface ApiRoleOptions {
  readonly config: Config;
  readonly client: KubernetesClient;
  readonly builder: StageBuilder;
  readonly readers: GateReaders;
  readonly remote: RemoteAccess;
  readonly certificates: CertificateSource;
  /** Serves `/metrics`. */
  readonly metrics: RequestListener;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Requests to the API server at the same time. Plans have less than the controller, which must not
 * wait for them; what answers people within milliseconds waits for neither.
 */
const mostSmallRequests = 8;
const requestsOfPlans = { most: 8, mostOfOneUser: 6 };

/** Of stages that are larger than a few kilobytes; one of the two that the controller has. */
const mostBuildsOfPlans = 1;

/** Serves the aggregated API from the first certificate on. */
export class ApiRole {
  readonly #options: ApiRoleOptions;
  /** For reviews, and for what is read of StageSets and their records. */
  readonly #small: KubernetesClient;
  readonly #authentication: ClusterAuthentication;
  readonly #planner: Planner;
  readonly #service: TlsService;

  constructor(options: ApiRoleOptions) {
    this.#options = options;
    this.#small = options.client.withLimit(new InFlightLimit(mostSmallRequests));
    this.#authentication = new ClusterAuthentication(this.#small, options.logger);
    this.#planner = plannerOf(options);
    this.#service = new TlsService({
      purpose: { name: 'aggregated API', flag: '--api-bind-address' },
      address: options.config.api.bindAddress,
      certificates: options.certificates,
      logger: options.logger,
    });
  }

  start(): void {
    this.#authentication.start();
    this.#service.start(async () => await Promise.resolve(this.#app()));
  }

  /** Why the API gets no requests; undefined when it serves. */
  notReady(): string | undefined {
    return this.#service.notReady();
  }

  /** Goes on answering for the delay, while it says that it is no longer ready, and ends then. */
  async stop(delay: Duration, grace: Duration): Promise<void> {
    await this.#service.stop(delay, grace);
    await this.#authentication.stop();
    await this.#planner.stop();
  }

  #app(): RequestListener {
    const { certificates, clock, logger, metrics } = this.#options;
    const ready = [
      { name: 'certificate', check: () => certificates.ready() },
      this.#service.shutdown.check,
    ];
    return aggregatedApp({
      served: { group, version: 'v1' },
      resources: this.#resources(),
      contract,
      authentication: this.#authentication,
      review: clusterReviewer(this.#small),
      clock,
      logger,
      health: { live: [], ready },
      version: version(),
      metrics,
    });
  }

  #resources(): ApiResource[] {
    const { certificates, clock } = this.#options;
    const client = this.#small;
    const planning = new BoundedPlanning(this.#planner);
    // All replicas serve with the same key, and so can read each other's tokens.
    const key = (): Uint8Array =>
      createHash('sha256').update(certificates.current().privateKey).digest();
    const tokens = new ContinueTokens({ key, clock });
    const plans = { client, planning, tokens };
    const planDigestOf: AdvanceOptions['planDigestOf'] = async (named, user, signal) => {
      const reference = { apiVersion: stagesApiVersion, kind: 'StageSet', ...named };
      const object = await client.get(reference, { signal });
      const asked = { object, suppose: {}, stages: undefined, dryRun: 'All', user } as const;
      return (await planning.plan(asked, { signal })).digest;
    };
    return [
      stageSetsResource({ client }),
      planResource(plans),
      advanceResource({ client, clock, planDigestOf }),
      historyResource({ client, clock, tokens }),
      stagePlansResource({ ...plans, clock }),
      historiesResource({ client, clock, tokens }),
    ];
  }
}

function plannerOf({ builder, client, clock, config, readers, remote }: ApiRoleOptions): Planner {
  const { crossNamespaceReferences, defaultInterval, defaultServiceAccount, maxTeardownWait } =
    config;
  return new Planner({
    client: client.withLimit(new InFlightLimit(mostSmallRequests)),
    requests: new FairLimit(requestsOfPlans.most, requestsOfPlans.mostOfOneUser),
    builder: builder.beside({ concurrency: mostBuildsOfPlans }),
    remote,
    readers,
    ladders: ladderRules(config),
    settings: { defaultInterval, maxTeardownWait },
    crossNamespaceReferences,
    defaultServiceAccount,
    clock,
  });
}
