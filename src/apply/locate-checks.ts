import type { AwaitedHealth } from '../core/health/awaited.ts';
import { describeObject, identityOf, referenceTo } from '../core/objects/identity.ts';
import { isNoKindMatch } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { ObjectReference } from '../types/kubernetes.ts';

export interface LocatedChecks {
  /** What is waited for, each object once, and cluster-scoped ones without a namespace. */
  readonly awaited: readonly AwaitedHealth[];
  /** By identity, the objects of checks that cannot be asked for, and why. */
  readonly unlocated: ReadonlyMap<string, Error>;
}

/**
 * Settles the scope of the objects of `readyChecks.checks` by what the target serves (part A 6.2). A
 * kind that is not served, or not yet, leaves its object unlocated.
 */
export async function locateChecks(
  before: readonly AwaitedHealth[],
  client: KubernetesClient,
  call: CallOptions,
): Promise<LocatedChecks> {
  const awaited = new Map<string, AwaitedHealth>();
  const unlocated = new Map<string, Error>();
  for (const report of before) {
    const located =
      report.origin === 'Check' ? await locate(report.object, client, call) : undefined;
    if (located instanceof Error) unlocated.set(identityOf(report.object), located);
    const object = located === undefined || located instanceof Error ? report.object : located;
    const key = identityOf(object);
    // An object that is applied and checked as well is waited for once, as an applied one.
    if (!awaited.has(key)) awaited.set(key, { ...report, object });
  }
  return { awaited: [...awaited.values()], unlocated };
}

async function locate(
  object: ObjectReference,
  client: KubernetesClient,
  call: CallOptions,
): Promise<ObjectReference | Error> {
  const { apiVersion, kind, namespace, name } = object;
  try {
    const { scope } = await client.discovery.mappingFor(apiVersion, kind, call);
    return referenceTo(
      scope === 'Cluster' ? { apiVersion, kind, name } : { ...object, namespace: namespace ?? '' },
    );
  } catch (error) {
    call.signal.throwIfAborted();
    if (isNoKindMatch(error)) return new Error(`${apiVersion} has no kind ${kind} yet`);
    const said = error instanceof Error ? error.message : String(error);
    return new Error(`${describeObject(object)}: ${said}`);
  }
}
