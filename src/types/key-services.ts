/** Services that seal data keys, by the names that their entries have in SOPS's metadata. */
export type KeyServiceKind = 'kms' | 'gcp_kms' | 'azure_kv' | 'hc_vault';

export const keyServiceKinds: readonly KeyServiceKind[] = [
  'kms',
  'gcp_kms',
  'azure_kv',
  'hc_vault',
];

/** The entry of a file's metadata, as somebody has written it: nothing in it is checked. */
export interface SealedDataKey {
  readonly kind: KeyServiceKind;
  /** `enc` of the entry. */
  readonly sealed: string;
  /** All fields of the entry that are text. */
  readonly fields: ReadonlyMap<string, string>;
  /** The encryption context of AWS; empty for all others. */
  readonly context: ReadonlyMap<string, string>;
}

/** Asks key services as somebody. */
export interface KeyOpener {
  /** Whom it asks as: what was opened for one must not be kept for another. */
  readonly identity: string;
  /**
   * A data key, or the part of one.
   *
   * @throws TerminalError when the entry or the service refuses, RetryableError when the service may
   * answer the next time; the messages are for the log, and have no key.
   */
  open(sealed: SealedDataKey, signal: AbortSignal): Promise<Uint8Array>;
}

/** A ServiceAccount, by its name. */
export interface AccountName {
  readonly namespace: string;
  readonly name: string;
}

/** Says who asks key services for the files of a StageSet. */
export interface KeyOpeners {
  /** @param account that the StageSet as a whole acts as; undefined for the controller's own identity */
  of(account: AccountName | undefined): KeyOpener;
}
