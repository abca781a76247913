import { SopsProblem } from './decryption-error.ts';
import { isMetadataField } from './metadata.ts';
import { type Branch, type Entry, type MetadataRecord, type Node, utf8 } from './tree.ts';

/** The key that metadata is under. */
export const metadataKey = 'sops';

/**
 * The entry of a branch that holds SOPS metadata, of which it may hold one.
 *
 * @throws SopsProblem when there are two.
 */
export function metadataEntry({ items }: Branch): Entry | undefined {
  const found = items.filter(
    (item): item is Entry => item.kind === 'Entry' && item.key === metadataKey && hasFields(item),
  );
  if (found.length > 1) throw new SopsProblem('metadata', 'it is there twice');
  return found[0];
}

function hasFields({ value }: Entry): boolean {
  return (
    value.kind === 'Branch' &&
    value.items.some((item) => item.kind === 'Entry' && isMetadataField(fieldOf(item.key)))
  );
}

/** Without what flattening has put behind it. */
function fieldOf(key: string): string {
  return key.split(/__(?:map|list)_/, 1)[0] ?? key;
}

/** The branch without an entry. */
export function without({ items }: Branch, entry: Entry | undefined): Branch {
  return { kind: 'Branch', items: items.filter((item) => item !== entry) };
}

export function recordOf(node: Node): MetadataRecord {
  const value = plainOf(node);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function plainOf(node: Node): unknown {
  switch (node.kind) {
    case 'Null':
      return undefined;
    case 'List':
      return node.items.flatMap((item) => (item.kind === 'Comment' ? [] : [plainOf(item)]));
    case 'Branch':
      return Object.fromEntries(
        node.items.flatMap((item) =>
          item.kind === 'Entry' ? [[item.key, plainOf(item.value)] as const] : [],
        ),
      );
    case 'Leaf':
      return scalarOf(node.value);
  }
}

function scalarOf(value: Extract<Node, { kind: 'Leaf' }>['value']): unknown {
  switch (value.kind) {
    case 'Text':
    case 'Comment':
      return utf8(value.bytes);
    case 'Integer':
      return Number(value.value);
    case 'Time':
      return value.text;
    case 'Float':
    case 'Boolean':
      return value.value;
  }
}
