import { setImmediate } from 'node:timers/promises';
import {
  type KeyServiceKind,
  keyServiceKinds,
  type SealedDataKey,
} from '../../types/key-services.ts';
import { dataKeySize } from './cipher.ts';
import type { DataKeyProvider } from './data-key.ts';
import { KeyServiceTrouble } from './decryption-error.ts';
import type { SealedKey } from './metadata.ts';

/** What became of an entry that a key service was asked to open. */
export type KeyOutcome =
  | { readonly kind: 'Opened'; readonly key: Uint8Array }
  | {
      readonly kind: 'Failed';
      /** For the log. */
      readonly detail: string;
      readonly retry: 'Useful' | 'Useless';
    };

/** Most entries that are asked for at once, and by one build. */
export const mostKeysAtOnce = 16;
export const mostKeysOfBuild = 500;

/** The part of a key that Shamir's scheme made has one byte more. */
export const keySizes: readonly number[] = [dataKeySize, dataKeySize + 1];

/** Most characters of an entry: AWS seals a data key in about 250, GCP in 150, Azure in 700. */
const largestEntry = 16 * 1024;

interface Want {
  readonly sealed: SealedDataKey;
  readonly settle: (outcome: KeyOutcome) => void;
}

/**
 * The worker's side of a dialog about data keys that a key service has sealed. The thread that
 * decrypts has no network and no identity: it collects what it wants, asks the main thread, and goes
 * on with the answers.
 */
export class KeyDialog {
  readonly providers: readonly DataKeyProvider[];
  #wanted: Want[] = [];
  #asked: readonly Want[] = [];
  #count = 0;
  #onWant: (() => void) | undefined;

  constructor() {
    this.providers = keyServiceKinds.map((kind) => ({
      kind,
      decrypt: async (entry) => await this.#open(kind, entry),
    }));
  }

  /** The entries to ask for next, once there are any. The last ones must have been answered. */
  async next(): Promise<readonly SealedDataKey[]> {
    if (this.#wanted.length === 0) {
      await new Promise<void>((resolve) => {
        this.#onWant = resolve;
      });
    }
    // Files that are decrypted beside each other want theirs a moment later.
    await setImmediate();
    this.#asked = this.#wanted.splice(0, mostKeysAtOnce);
    return this.#asked.map(({ sealed }) => sealed);
  }

  /** What became of the entries that were asked for, in their order. */
  answer(outcomes: readonly KeyOutcome[]): void {
    for (const [index, { settle }] of this.#asked.entries()) {
      settle(outcomes[index] ?? { kind: 'Failed', detail: 'no answer', retry: 'Useless' });
    }
    this.#asked = [];
  }

  async #open(kind: KeyServiceKind, { sealed, fields, context }: SealedKey): Promise<Uint8Array> {
    const entry = { kind, sealed, fields, context };
    if (lengthOf(entry) > largestEntry) throw refused(`an entry of ${kind} is too long`);
    this.#count += 1;
    if (this.#count > mostKeysOfBuild) {
      throw refused(`the stage needs key services more than ${mostKeysOfBuild} times; split it`);
    }
    const outcome = await new Promise<KeyOutcome>((settle) => {
      this.#wanted.push({ sealed: entry, settle });
      this.#onWant?.();
      this.#onWant = undefined;
    });
    if (outcome.kind === 'Opened') return outcome.key;
    throw new KeyServiceTrouble(outcome.detail, outcome.retry);
  }
}

function lengthOf({ sealed, fields, context }: SealedDataKey): number {
  const texts = [sealed, ...[...fields, ...context].flat()];
  return texts.reduce((length, text) => length + text.length, 0);
}

function refused(detail: string): KeyServiceTrouble {
  return new KeyServiceTrouble(detail, 'Useless');
}
