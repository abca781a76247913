import { unflatten } from './flattened.ts';
import { defaultSection, type IniSection, readIni } from './ini-reader.ts';
import { isMetadataField } from './metadata.ts';
import { metadataKey } from './metadata-record.ts';
import { plainText } from './plain-text.ts';
import {
  type Branch,
  type CommentItem,
  commentValue,
  type Entry,
  type Opened,
  type SealedFile,
  textValue,
} from './tree.ts';

const nowhere = { start: 0, end: 0 };

/** An INI file with metadata in its section `sops`; undefined for every other one. @throws SopsProblem */
export function readIniFile(text: string): SealedFile | undefined {
  if (!/^\s*\[sops\]/m.test(text)) return undefined;
  const sections = readIni(text);
  const metadata = sections.find(isMetadata);
  if (metadata === undefined) return undefined;
  const entries = metadata.keys.map(
    ({ name, value }) => [name, value.replaceAll('\\n', '\n')] as const,
  );
  const items = sections.filter(({ name }) => name !== metadataKey).map(sectionEntry);
  return {
    branches: [{ kind: 'Branch', items }],
    metadata: unflatten(entries),
    write: (opened) => written(items, opened),
  };
}

function isMetadata({ name, keys }: IniSection): boolean {
  return (
    name === metadataKey &&
    keys.some((key) => isMetadataField(key.name.split(/__(?:map|list)_/, 1)[0] ?? ''))
  );
}

interface SectionEntry extends Entry {
  readonly value: Branch;
}

function sectionEntry({ name, comment, keys }: IniSection): SectionEntry {
  const items: (Entry | CommentItem)[] = comment === '' ? [] : [commentItem(comment)];
  for (const key of keys) {
    const value = { kind: 'Leaf', value: textValue(key.value), range: nowhere } as const;
    items.push({ kind: 'Entry', key: key.name, value, range: nowhere });
    if (key.comment !== '') items.push(commentItem(key.comment));
  }
  return { kind: 'Entry', key: name, value: { kind: 'Branch', items }, range: nowhere };
}

function commentItem(comment: string): CommentItem {
  const text = comment.startsWith(';')
    ? comment.replace(/^[; ]+/, '')
    : comment.replace(/^[# ]+/, '');
  return { kind: 'Comment', value: commentValue(text), range: nowhere };
}

/** As go-ini writes it: equals signs below each other, an empty line between sections. */
function written(sections: readonly SectionEntry[], opened: Opened): Uint8Array {
  const parts: string[] = [];
  for (const [index, section] of sections.entries()) {
    const { comment, keys } = keysOf(section, opened);
    const plain = index === 0 && section.key.toUpperCase() === defaultSection;
    parts.push(...commentLines(comment));
    if (!plain) parts.push(`[${section.key}]\n`);
    else if (keys.length === 0) continue;
    const width = Math.max(0, ...keys.map(({ name }) => widthOf(name)));
    for (const { name, value, comment: before } of keys) {
      parts.push(...commentLines(before), `${quotedName(name).padEnd(width)} = ${quoted(value)}\n`);
    }
    if (index < sections.length - 1) parts.push('\n');
  }
  return Buffer.from(parts.join(''), 'latin1');
}

interface WrittenKey {
  readonly name: string;
  readonly value: string;
  comment: string;
}

/** Texts have a character for each byte (Latin 1), since values need not be UTF-8. */
function keysOf(
  { value: { items } }: SectionEntry,
  opened: Opened,
): { comment: string; keys: WrittenKey[] } {
  const keys: WrittenKey[] = [];
  let comment = '';
  for (const [index, item] of items.entries()) {
    if (item.kind === 'Comment') {
      const text = plainText(opened.get(item) ?? item.value).toString('latin1');
      const last = keys.at(-1);
      if (index === 0) comment = text;
      else if (last !== undefined) last.comment = text;
    } else if (item.value.kind === 'Leaf') {
      const value = plainText(opened.get(item.value) ?? item.value.value).toString('latin1');
      keys.push({ name: Buffer.from(item.key).toString('latin1'), value, comment: '' });
    }
  }
  return { comment, keys };
}

function commentLines(comment: string): string[] {
  if (comment === '') return [];
  return comment
    .split('\n')
    .map((line) =>
      /^[#;]/.test(line) ? `${line.slice(0, 1)} ${line.slice(1).trim()}\n` : `; ${line.trim()}\n`,
    );
}

function widthOf(name: string): number {
  if (/["=:]/.test(name)) return name.length + 2;
  return name.includes('`') ? name.length + 6 : name.length;
}

function quotedName(name: string): string {
  if (/["=:]/.test(name)) return `\`${name}\``;
  return name.includes('`') ? `"""${name}"""` : name;
}

function quoted(value: string): string {
  if (/[\n`]/.test(value)) return `"""${value}"""`;
  if (/[#;]/.test(value)) return `\`${value}\``;
  return value.trim() === value ? value : `"${value}"`;
}
