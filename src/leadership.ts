import { once } from 'node:events';
import type { CaBundles } from './certs/ca-bundles.ts';
import type { Controller } from './controller/controller.ts';
import { type Duration, seconds } from './core/time.ts';
import type { KubernetesClient } from './kubernetes/client.ts';
import { LeaderElector } from './kubernetes/leases.ts';
import type { ApiRegistration } from './registration/api-registration.ts';
import type { Logger } from './types/log.ts';

/** Leases of the leader election: of controllers (part A 2.7), and of processes without that role. */
const leases = {
  Controller: 'stageset-controller.stages.metio.wtf',
  Serving: 'stageset-controller-serving.stages.metio.wtf',
} as const;

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

/** What only one replica may do at a time, until the signal fires. */
export type Term = (signal: AbortSignal, grace: Duration) => Promise<void>;

/** What there is for a leader to do. */
export interface LeaderWork {
  readonly controller: Controller | undefined;
  readonly registration: ApiRegistration | undefined;
  readonly bundles: CaBundles | undefined;
}

/** Undefined for a process that leads nothing. */
export function termOf({ controller, registration, bundles }: LeaderWork): Term | undefined {
  if (controller === undefined && registration === undefined && bundles === undefined)
    return undefined;
  return async (term, graceOfTerm) => {
    registration?.start();
    bundles?.start();
    try {
      if (controller === undefined) await aborted(term);
      else await controller.lead(term, graceOfTerm);
    } finally {
      await Promise.all([registration?.stop('LeadershipEnds'), bundles?.stop()]);
    }
  };
}

export interface LeadOptions {
  readonly leaderElection: 'On' | 'Off';
  /** Of the lease. */
  readonly namespace: string;
  /** Those who lead controllers and those who only serve do not stand in each other's way. */
  readonly lease: keyof typeof leases;
  /** Name of this process among its replicas. */
  readonly instance: string;
  /** Without an election: how long what is under way may take in the end. */
  readonly grace: Duration;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * Leads for as long as it is this process's turn. A lost lease ends the process: whatever it still has
 * under way must not run beside the new leader, and a restart begins from what is stored.
 */
export async function lead(
  term: Term | undefined,
  client: KubernetesClient,
  { leaderElection, namespace, lease, instance, grace, logger, signal }: LeadOptions,
): Promise<void> {
  if (term === undefined) {
    await aborted(signal);
    return;
  }
  if (leaderElection === 'Off') {
    await term(signal, grace);
    return;
  }
  const elector = new LeaderElector(client, {
    namespace,
    name: leases[lease],
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

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await once(signal, 'abort');
}
