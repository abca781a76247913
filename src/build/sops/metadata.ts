import { SopsProblem } from './decryption-error.ts';
import { defaultRule, type EncryptionRule, ruleKinds } from './rules.ts';
import type { MetadataRecord } from './tree.ts';

/** A copy of a data key, or of a part of it, that one recipient can open. */
export interface SealedKey {
  readonly kind: RecipientKind;
  /** Whom it is for: an age recipient, a PGP fingerprint, the name of a cloud key. */
  readonly recipient: string;
  /** `enc` of the metadata, as it is. */
  readonly sealed: string;
  /** All fields of the entry that are text. */
  readonly fields: ReadonlyMap<string, string>;
  /** `context` of the entry, as AWS has it; empty without one. */
  readonly context: ReadonlyMap<string, string>;
}

export type RecipientKind = 'age' | 'pgp' | 'kms' | 'gcp_kms' | 'hckms' | 'azure_kv' | 'hc_vault';

/** Keys that all open the same part. */
export type KeyGroup = readonly SealedKey[];

export interface SopsMetadata {
  /** Sealed; empty when the file has none. */
  readonly mac: string;
  /** RFC 3339. */
  readonly lastModified: string;
  readonly macOnlyEncrypted: boolean;
  readonly rule: EncryptionRule;
  readonly keyGroups: readonly KeyGroup[];
  /** Groups that must be opened; 0 when the file does not say. */
  readonly shamirThreshold: number;
}

/** In the order in which they are tried; the field that names the recipient. */
const recipientFields: Readonly<Record<RecipientKind, string>> = {
  age: 'recipient',
  pgp: 'fp',
  kms: 'arn',
  gcp_kms: 'resource_id',
  hckms: 'key_id',
  azure_kv: 'vault_url',
  hc_vault: 'vault_address',
};

const recipientKinds = Object.keys(recipientFields).filter(isRecipientKind);

/** Most keys in a file, and groups. */
const mostKeys = 1000;
const mostGroups = 255;

const fieldNames: ReadonlySet<string> = new Set([
  'mac',
  'lastmodified',
  'key_groups',
  'mac_only_encrypted',
  'shamir_threshold',
  ...ruleKinds,
  ...recipientKinds,
]);

/** Whether a field by this name says that there is SOPS metadata; others may have a `sops` too. */
export function isMetadataField(name: string): boolean {
  return fieldNames.has(name);
}

/** @throws SopsProblem when what is there is no metadata, or asks for too much. */
export function readMetadata(record: MetadataRecord): SopsMetadata {
  const flat = groupOf(record);
  const groups = flat.length > 0 ? [flat] : recordsIn(record['key_groups']).map(groupOf);
  if (groups.length > mostGroups || groups.flat().length > mostKeys) {
    throw problem(`it has more than ${mostKeys} recipients`);
  }
  if (groups.flat().length === 0) throw problem('it names no recipient');
  const threshold = Number(textOf(record['shamir_threshold']));
  return {
    mac: textOf(record['mac']),
    lastModified: timeOf(textOf(record['lastmodified'])),
    macOnlyEncrypted: textOf(record['mac_only_encrypted']).toLowerCase() === 'true',
    rule: ruleOf(record),
    keyGroups: groups,
    shamirThreshold: Number.isSafeInteger(threshold) ? threshold : 0,
  };
}

function ruleOf(record: MetadataRecord): EncryptionRule {
  const rules = ruleKinds
    .map((kind) => ({ kind, text: textOf(record[kind]) }))
    .filter(({ text }) => text !== '');
  if (rules.length > 1) {
    throw problem(`it has both ${rules.map(({ kind }) => kind).join(' and ')}`);
  }
  return rules[0] ?? defaultRule;
}

function groupOf(record: MetadataRecord): KeyGroup {
  return recipientKinds.flatMap((kind) =>
    recordsIn(record[kind]).map((entry) => {
      const fields = textsIn(entry);
      const recipient = fields.get(recipientFields[kind]) ?? '';
      const context = contextOf(entry['context']);
      return { kind, recipient, sealed: fields.get('enc') ?? '', fields, context };
    }),
  );
}

function textsIn(record: MetadataRecord): Map<string, string> {
  return new Map(
    Object.entries(record).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value] as const] : [],
    ),
  );
}

function contextOf(value: unknown): Map<string, string> {
  if (!isRecord(value)) return new Map();
  const context = textsIn(value);
  // Without one of its pairs it would be another context.
  if (context.size !== Object.keys(value).length) throw problem('an encryption context is no text');
  return context;
}

/** `2026-01-31T12:00:00Z` or with an offset, as Go would write it again: it is part of the MAC's seal. */
function timeOf(text: string): string {
  const [, date, offset] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  if (date === undefined || offset === undefined) throw problem('lastmodified is no time');
  return date + (offset === '+00:00' ? 'Z' : offset);
}

function recordsIn(value: unknown): MetadataRecord[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : isRecord(value) ? [value] : [];
  if (items.length > mostKeys) throw problem(`it has more than ${mostKeys} recipients`);
  return items.filter(isRecord);
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function isRecord(value: unknown): value is MetadataRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRecipientKind(kind: string): kind is RecipientKind {
  return Object.hasOwn(recipientFields, kind);
}

function problem(detail: string): SopsProblem {
  return new SopsProblem('metadata', detail);
}
