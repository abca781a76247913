/** A value as SOPS knows it. Text is bytes, since it need not be UTF-8. */
export type PlainValue =
  | { readonly kind: 'Text'; readonly bytes: Uint8Array }
  | { readonly kind: 'Integer'; readonly value: bigint }
  | { readonly kind: 'Float'; readonly value: number }
  | { readonly kind: 'Boolean'; readonly value: boolean }
  /** RFC 3339, as Go writes it. */
  | { readonly kind: 'Time'; readonly text: string }
  | { readonly kind: 'Comment'; readonly bytes: Uint8Array };

/** Offsets in the text of the file, the end not included. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Leaf {
  readonly kind: 'Leaf';
  readonly value: PlainValue;
  readonly range: Range;
}

/** A comment stands where it is read: before what it is about. Its value has no comment sign. */
export interface CommentItem {
  readonly kind: 'Comment';
  readonly value: Extract<PlainValue, { kind: 'Comment' }>;
  readonly range: Range;
}

export interface Entry {
  readonly kind: 'Entry';
  readonly key: string;
  readonly value: Node;
  /** From the start of the key to the end of the value. */
  readonly range: Range;
}

/** A mapping. Never a JavaScript object: that would reorder keys such as `1`, and the MAC with them. */
export interface Branch {
  readonly kind: 'Branch';
  readonly items: readonly (Entry | CommentItem)[];
}

export interface List {
  readonly kind: 'List';
  readonly items: readonly (Node | CommentItem)[];
}

export type Node = Leaf | Branch | List | { readonly kind: 'Null' };

/** What was sealed, by where it was. */
export type Opened = ReadonlyMap<Leaf | CommentItem, PlainValue>;

/** Metadata without the format it was in: text, numbers, booleans, arrays and records. */
export type MetadataRecord = { readonly [field: string]: unknown };

/** A file that has SOPS metadata, of whatever format. */
export interface SealedFile {
  /** Without the metadata; one for each document. */
  readonly branches: readonly Branch[];
  readonly metadata: MetadataRecord;
  /** The file without metadata, with what was opened in its place. */
  readonly write: (opened: Opened) => Uint8Array;
}

/** Deepest nesting that is read. */
export const maxDepth = 250;

export function textValue(text: string): Extract<PlainValue, { kind: 'Text' }> {
  return { kind: 'Text', bytes: Buffer.from(text, 'utf8') };
}

export function commentValue(text: string): Extract<PlainValue, { kind: 'Comment' }> {
  return { kind: 'Comment', bytes: Buffer.from(text, 'utf8') };
}

export function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
