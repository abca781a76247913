import { SopsProblem } from './decryption-error.ts';
import { unflatten } from './flattened.ts';
import { isMetadataField } from './metadata.ts';
import { plainText } from './plain-text.ts';
import {
  type CommentItem,
  commentValue,
  type Entry,
  type Opened,
  type SealedFile,
  textValue,
} from './tree.ts';

const prefix = 'sops_';
const nowhere = { start: 0, end: 0 };

/** A file of `NAME=value` lines with metadata; undefined for every other one. @throws SopsProblem */
export function readDotenvFile(text: string): SealedFile | undefined {
  const lines = text.split('\n').filter((line) => line !== '');
  if (!lines.some(isMetadataLine)) return undefined;
  const items = lines.map(itemOf);
  const metadata = items
    .filter(isMetadata)
    .map(({ key, text }) => [key.slice(prefix.length), text] as const);
  const content = items.filter((item) => !isMetadata(item)).map(({ item }) => item);
  return {
    branches: [{ kind: 'Branch', items: content }],
    metadata: unflatten(metadata),
    write: (opened) => Buffer.concat(content.flatMap((item) => written(item, opened))),
  };
}

interface Line {
  readonly item: Entry | CommentItem;
  readonly key: string;
  readonly text: string;
}

function isMetadataLine(line: string): boolean {
  if (!line.startsWith(prefix)) return false;
  const key = line.slice(prefix.length, line.indexOf('='));
  return isMetadataField(key.split(/__(?:map|list)_/, 1)[0] ?? '');
}

function isMetadata({ key }: Line): boolean {
  return key.startsWith(prefix);
}

function itemOf(line: string): Line {
  if (line.startsWith('#')) {
    const value = commentValue(line.slice(1));
    return { item: { kind: 'Comment', value, range: nowhere }, key: '', text: '' };
  }
  const at = line.indexOf('=');
  if (at < 0) throw new SopsProblem('format', 'a line has no equals sign');
  const key = line.slice(0, at);
  const text = line.slice(at + 1).replaceAll('\\n', '\n');
  const value = { kind: 'Leaf', value: textValue(text), range: nowhere } as const;
  return { item: { kind: 'Entry', key, value, range: nowhere }, key, text };
}

function written(item: Entry | CommentItem, opened: Opened): Uint8Array[] {
  if (item.kind === 'Comment') {
    return [Buffer.from('#'), plainText(opened.get(item) ?? item.value), Buffer.from('\n')];
  }
  if (item.value.kind !== 'Leaf') return [];
  const text = plainText(opened.get(item.value) ?? item.value.value);
  // Latin 1 has a character for every byte.
  const line = text.toString('latin1').replaceAll('\n', '\\n');
  return [Buffer.from(`${item.key}=`), Buffer.from(line, 'latin1'), Buffer.from('\n')];
}
