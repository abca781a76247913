import { apiVersionOf } from '../core/objects/identity.ts';
import type { ProducerReference } from '../core/objects/source-artifact.ts';
import { isNoKindMatch } from '../kubernetes/api-error.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { ReflectorTrouble } from '../kubernetes/reflector.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { AwaitedKinds } from './awaited-kinds.ts';
import { causedBy, isInterruption } from './failure.ts';
import { SourceWatches } from './source-watches.ts';

export interface ProducerWatchesOptions {
  readonly client: KubernetesClient;
  readonly namespaces: readonly string[];
  readonly awaitedKinds: AwaitedKinds;
  /** Told of a producer of this group that has changed, whether it made an artifact or failed to. */
  readonly onNews: (group: string, producer: KubernetesObject) => void;
  readonly onTrouble: (gvk: string, trouble: ReflectorTrouble | undefined) => void;
}

/**
 * Watches on what produces ExternalArtifacts, so that a producer which fails, and so makes no artifact
 * that could tell, wakes its consumers too (part A 2.1). A tenant names the kind: only metadata is
 * watched, and only of kinds that a CustomResourceDefinition can define.
 */
export class ProducerWatches {
  readonly #options: ProducerWatchesOptions;
  readonly #watches: SourceWatches;

  constructor(options: ProducerWatchesOptions) {
    this.#options = options;
    const { client, namespaces, onTrouble } = options;
    this.#watches = new SourceWatches({
      client,
      namespaces,
      as: 'Metadata',
      onEvent: (event) => {
        if (event.type === 'Synced') return;
        const [group = ''] = event.object.apiVersion.split('/');
        options.onNews(group, event.object);
      },
      onTrouble,
    });
  }

  /** Sees to it that the producer's kind is watched. No trouble with that keeps a source away. */
  async watch(
    { group, kind }: ProducerReference,
    namespace: string,
    call: CallOptions,
  ): Promise<void> {
    const { client, awaitedKinds } = this.#options;
    if (!isCustomGroup(group) || awaitedKinds.has({ group, kind })) return;
    try {
      const version = await client.discovery.preferredVersion(kind, group, call);
      await this.#watches.storeOf(
        { apiVersion: apiVersionOf(group, version), kind },
        namespace,
        call,
      );
    } catch (error) {
      call.signal.throwIfAborted();
      if (isInterruption(error)) throw error;
      if (causedBy(error, isNoKindMatch)) awaitedKinds.add({ group, kind });
    }
  }

  async stop(): Promise<void> {
    await this.#watches.stop();
  }
}

/** The groups of Kubernetes itself have no dot or end with its own domain; none of them produces. */
function isCustomGroup(group: string): boolean {
  return group.includes('.') && !group.endsWith('.k8s.io');
}
