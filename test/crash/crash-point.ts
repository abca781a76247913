import { pause } from '../../src/kubernetes/wait.ts';
import type { FaultRule, SeenRequest } from '../faults/faults.ts';
import type { FaultProxy } from '../faults/proxy.ts';
import { problemOf } from './matrix.ts';
import { nameOf } from './writes.ts';

/** A moment in the life of a controller, told by a write that it sends. */
export interface CrashPoint {
  readonly write: (seen: SeenRequest) => boolean;
  /** Whether the API server still carries out that write. */
  readonly carriedOut: 'CarriedOut' | 'NotCarriedOut';
}

/** A crash point that was set. */
export interface ArmedCrash {
  /** Resolves when it is so; with a signal of the caller's own instead of a limit of 20 s. */
  readonly reached: (signal?: AbortSignal) => Promise<void>;
  /** The write at which the controller was cut off, once it was. */
  readonly cutAt: () => SeenRequest | undefined;
  /** Lets requests through again. */
  readonly disarm: () => void;
}

/**
 * Cuts the controller behind the proxy off at this point: of all that it sends afterwards nothing
 * arrives.
 */
export function cutOffAt(proxy: FaultProxy, { write, carriedOut }: CrashPoint): ArmedCrash {
  let cut: SeenRequest | undefined;
  const isPoint = (seen: SeenRequest): boolean => {
    if (cut !== undefined || !write(seen)) return false;
    cut = seen;
    return true;
  };
  const fault: FaultRule['fault'] =
    carriedOut === 'CarriedOut' ? { kind: 'ResetAfter' } : { kind: 'Silence' };
  const disarmPoint = proxy.inject({ match: isPoint, fault });
  const disarmRest = proxy.inject({ match: () => cut !== undefined, fault: { kind: 'Silence' } });
  return {
    reached: async (signal = AbortSignal.timeout(20_000)) => {
      const arrived = (): boolean =>
        carriedOut === 'CarriedOut' ? cut?.status !== undefined : cut !== undefined;
      while (!arrived()) await pause(10, signal);
    },
    cutAt: () => cut,
    disarm: () => {
      disarmPoint();
      disarmRest();
    },
  };
}

/** How a controller is killed and started anew; `start` runs once requests go through again. */
export interface Restart {
  readonly kill: () => Promise<void>;
  readonly start: () => Promise<void>;
}

/**
 * Lives on, with the controller killed at that point and started anew. Returns the write at which it
 * was, or undefined where the life has no such point, and what went wrong.
 */
export async function liveThroughCrash(
  proxy: FaultProxy,
  point: CrashPoint,
  live: () => Promise<void>,
  restart: Restart,
): Promise<{ write: string | undefined; problem: Error | undefined }> {
  const crash = cutOffAt(proxy, point);
  const ended = new AbortController();
  const restarted = restartAfter(crash, ended.signal, restart);
  try {
    const problem = await problemOf(live());
    if (crash.cutAt() === undefined) ended.abort();
    await restarted;
    const cut = crash.cutAt();
    return { write: cut === undefined ? undefined : nameOf(cut), problem };
  } finally {
    crash.disarm();
  }
}

async function restartAfter(
  crash: ArmedCrash,
  ended: AbortSignal,
  { kill, start }: Restart,
): Promise<void> {
  const reached = await crash.reached(ended).then(
    () => true,
    () => false,
  );
  if (!reached) return;
  await kill();
  crash.disarm();
  await start();
}
