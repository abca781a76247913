import { RetryableError, TerminalError } from '../errors.ts';

/**
 * Reason of our own for what a remote cluster, or the way to it, is at fault for: it says nothing
 * about the local API server, and it is tried again within a minute whatever the attempt.
 */
const clusterFault = 'ClusterFault';

/** The cluster, or what describes it, does not work; it may at the next attempt. */
export function clusterFailed(message: string, details: ClusterFailure = {}): RetryableError {
  return new RetryableError(message, { ...details, reason: clusterFault });
}

export interface ClusterFailure {
  readonly cause?: unknown;
  /** Milliseconds. */
  readonly retryAfter?: number;
}

/** Something in a kubeconfig that is never done for a tenant; the kubeconfig must be changed. */
export function clusterRefused(message: string): TerminalError {
  return new TerminalError(message, { reason: 'StageFailed' });
}

/** What describes the cluster cannot be used as it is (part A 9.3). */
export function clusterInvalid(message: string, cause?: unknown): TerminalError {
  return new TerminalError(message, {
    reason: 'InvalidSpec',
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Whether an error is the fault of a remote cluster or of the way to it. */
export function isClusterFault(error: unknown): boolean {
  return error instanceof RetryableError && error.reason === clusterFault;
}

/** Does the work; what it throws about a cluster's description begins with the cluster's name. */
export function aboutCluster<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof TerminalError) {
      throw new TerminalError(`${name}: ${error.message}`, {
        cause: error,
        ...(error.reason === undefined ? {} : { reason: error.reason }),
      });
    }
    if (isClusterFault(error) && error instanceof Error) {
      throw clusterFailed(`${name}: ${error.message}`, { cause: error });
    }
    throw error;
  }
}
