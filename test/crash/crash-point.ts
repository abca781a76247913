import { pause } from '../../src/kubernetes/wait.ts';
import type { FaultRule, SeenRequest } from '../faults/faults.ts';
import type { FaultProxy } from '../faults/proxy.ts';

/** A moment in the life of a controller, told by a write that it sends. */
export interface CrashPoint {
  readonly write: (seen: SeenRequest) => boolean;
  /** Whether the API server still carries out that write. */
  readonly carriedOut: 'CarriedOut' | 'NotCarriedOut';
}

/**
 * Cuts the controller behind the proxy off at this point: of all that it sends afterwards nothing
 * arrives. `reached` resolves when it is so, and `disarm` lets requests through again.
 */
export function cutOffAt(
  proxy: FaultProxy,
  { write, carriedOut }: CrashPoint,
): { reached: () => Promise<void>; disarm: () => void } {
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
    reached: async () => {
      const signal = AbortSignal.timeout(20_000);
      const arrived = (): boolean =>
        carriedOut === 'CarriedOut' ? cut?.status !== undefined : cut !== undefined;
      while (!arrived()) await pause(10, signal);
    },
    disarm: () => {
      disarmPoint();
      disarmRest();
    },
  };
}
