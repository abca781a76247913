import type { KubernetesClient } from '../kubernetes/client.ts';
import type { Reflector, ReflectorOptions } from '../kubernetes/reflector.ts';
import { identityOnly, storeKeyOf } from '../kubernetes/store.ts';
import type { DeleteOutcome } from '../kubernetes/writes.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { OthersChanges } from './others-changes.ts';

export interface LedgerWatchOptions {
  /** Empty follows the whole cluster. */
  readonly namespaces: readonly string[];
  /** Told of the StageSet whose ledger somebody else created, changed or deleted. */
  readonly onChange: (stageSetKey: string) => void;
  readonly onTrouble: ReflectorOptions['onTrouble'];
}

/**
 * Follows StageLedgers, to notice when anybody but us touches one: a person says that an action is
 * done, or that it shall be done again. A ledger has the name of its StageSet.
 */
export class LedgerWatch {
  readonly #changes: OthersChanges;

  constructor(client: KubernetesClient, { onChange, ...options }: LedgerWatchOptions) {
    this.#changes = new OthersChanges(client, 'StageLedger', {
      ...options,
      transform: identityOnly,
      onChange: (ledger) => onChange(storeKeyOf(ledger)),
    });
  }

  get reflectors(): readonly Reflector[] {
    return this.#changes.reflectors;
  }

  /** As `OwnWrites.whileWriting`, of a ledger. */
  async whileWriting<Answer extends KubernetesObject | DeleteOutcome>(
    ledger: Pick<KubernetesObject, 'metadata'>,
    write: () => Promise<Answer>,
  ): Promise<Answer> {
    return await this.#changes.whileWriting(ledger, write);
  }
}
