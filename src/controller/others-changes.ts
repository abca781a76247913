import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorOptions } from '../kubernetes/reflector.ts';
import type { DeleteOutcome } from '../kubernetes/writes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { stagesApiVersion } from '../types/stages.ts';
import { type ObjectEvent, OwnWrites } from './own-writes.ts';
import { scopesOf } from './watched-namespaces.ts';

export interface OthersChangesOptions {
  /** Empty follows the whole cluster. */
  readonly namespaces: readonly string[];
  /** Told of what somebody else created, changed or deleted. */
  readonly onChange: (object: KubernetesObject) => void;
  readonly onTrouble: ReflectorOptions['onTrouble'];
  /** What is kept of each. */
  readonly transform: NonNullable<ReflectorOptions['transform']>;
  readonly indexers?: ReflectorOptions['indexers'];
}

/** Follows the metadata of records of ours, to notice when anybody but us touches one. */
export class OthersChanges {
  readonly reflectors: readonly Reflector[];
  readonly #own = new OwnWrites((event) => this.#see(event));
  readonly #onChange: OthersChangesOptions['onChange'];

  constructor(client: KubernetesClient, kind: string, options: OthersChangesOptions) {
    const { namespaces, onChange, onTrouble, transform, indexers } = options;
    this.#onChange = onChange;
    const query = { apiVersion: stagesApiVersion, kind, as: 'Metadata' } as const;
    this.reflectors = scopesOf(namespaces).map(
      (scope) =>
        new Reflector(
          client,
          { ...query, ...scope },
          {
            transform,
            ...(indexers === undefined ? {} : { indexers }),
            onEvent: (event) => {
              if (event.type !== 'Synced') this.#own.see(event);
            },
            ...(onTrouble === undefined ? {} : { onTrouble }),
          },
        ),
    );
  }

  /** As `OwnWrites.whileWriting`. */
  async whileWriting<Answer extends KubernetesObject | DeleteOutcome>(
    object: Pick<KubernetesObject, 'metadata'>,
    write: () => Promise<Answer>,
  ): Promise<Answer> {
    return await this.#own.whileWriting(object, write);
  }

  #see({ type, object }: ObjectEvent): void {
    // What there was at the start is no news; what somebody adds later, such as a backup, is.
    const synced = this.reflectors.every(({ hasSynced }) => hasSynced);
    if (type === 'Added' && !synced) return;
    this.#onChange(object);
  }
}
