import type { KubernetesClient } from '../kubernetes/client.ts';
import { Reflector, type ReflectorOptions } from '../kubernetes/reflector.ts';
import { identityOnly, storeKeyOf } from '../kubernetes/store.ts';
import type { DeleteOutcome } from '../kubernetes/writes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { stagesApiVersion } from '../types/stages.ts';
import { type ObjectEvent, OwnWrites } from './own-writes.ts';

export interface LedgerWatchOptions {
  /** Empty follows the whole cluster. */
  readonly namespaces: readonly string[];
  /** Told of the StageSet whose ledger somebody else created, changed or deleted. */
  readonly onChange: (stageSetKey: string) => void;
  readonly onTrouble: ReflectorOptions['onTrouble'];
}

/**
 * Follows the metadata of StageLedgers, to notice when anybody but us touches one: a person says that
 * an action is done, or that it shall be done again. A ledger has the name of its StageSet.
 */
export class LedgerWatch {
  readonly reflectors: readonly Reflector[];
  readonly #own = new OwnWrites((event) => this.#seeOthers(event));
  readonly #onChange: LedgerWatchOptions['onChange'];

  constructor(client: KubernetesClient, { namespaces, onChange, onTrouble }: LedgerWatchOptions) {
    this.#onChange = onChange;
    const kind = { apiVersion: stagesApiVersion, kind: 'StageLedger', as: 'Metadata' } as const;
    const scopes = namespaces.length === 0 ? [{}] : namespaces.map((namespace) => ({ namespace }));
    this.reflectors = scopes.map(
      (scope) =>
        new Reflector(
          client,
          { ...kind, ...scope },
          {
            transform: identityOnly,
            onEvent: (event) => {
              if (event.type !== 'Synced') this.#own.see(event);
            },
            ...(onTrouble === undefined ? {} : { onTrouble }),
          },
        ),
    );
  }

  /** As `OwnWrites.whileWriting`, of a ledger. */
  async whileWriting<Answer extends KubernetesObject | DeleteOutcome>(
    ledger: Pick<KubernetesObject, 'metadata'>,
    write: () => Promise<Answer>,
  ): Promise<Answer> {
    return await this.#own.whileWriting(ledger, write);
  }

  #seeOthers({ type, object }: ObjectEvent): void {
    // What there was at the start is no news; a ledger that is restored later is.
    const synced = this.reflectors.every(({ hasSynced }) => hasSynced);
    if (type === 'Added' && !synced) return;
    this.#onChange(storeKeyOf(object));
  }
}
