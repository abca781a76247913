import { SopsProblem } from './decryption-error.ts';
import { type Edit, edited } from './edits.ts';
import { scanJson } from './json-scanner.ts';
import { metadataEntry, recordOf, without } from './metadata-record.ts';
import {
  type Branch,
  type Entry,
  type Opened,
  type PlainValue,
  type SealedFile,
  utf8,
} from './tree.ts';

/** A JSON file with metadata; undefined for every other one. @throws SopsProblem */
export function readJsonFile(text: string): SealedFile | undefined {
  const read = sealedJson(text);
  if (read === undefined) return undefined;
  const { branch, metadata } = read;
  return {
    branches: [without(branch, metadata)],
    metadata: recordOf(metadata.value),
    write: (opened) => writeJson(text, branch, metadata, opened),
  };
}

/**
 * A file of any content, which SOPS has put into JSON as the text of its only field `data`;
 * undefined for every other one.
 *
 * @throws SopsProblem
 */
export function readBinaryFile(text: string): SealedFile | undefined {
  const read = sealedJson(text);
  if (read === undefined) return undefined;
  const content = without(read.branch, read.metadata);
  const [data, ...others] = content.items;
  const isBinary =
    others.length === 0 &&
    data?.kind === 'Entry' &&
    data.key === 'data' &&
    data.value.kind === 'Leaf';
  if (!isBinary) return undefined;
  const leaf = data.value;
  return {
    branches: [content],
    metadata: recordOf(read.metadata.value),
    write: (opened) => {
      const value = opened.get(leaf) ?? leaf.value;
      if (value.kind === 'Text') return value.bytes;
      throw new SopsProblem('values', 'its data is not text');
    },
  };
}

function sealedJson(text: string): { branch: Branch; metadata: Entry } | undefined {
  const root = scanJson(text);
  if (root.kind !== 'Branch') return undefined;
  const metadata = metadataEntry(root);
  return metadata === undefined ? undefined : { branch: root, metadata };
}

function writeJson(text: string, branch: Branch, metadata: Entry, opened: Opened): Uint8Array {
  const edits: Edit[] = [...opened].map(([{ range }, value]) => ({
    ...range,
    text: jsonText(value),
  }));
  return edited(text, [...edits, removal(text, branch, metadata)]);
}

function jsonText(value: PlainValue): string {
  switch (value.kind) {
    case 'Text':
      return goJsonString(utf8(value.bytes));
    case 'Integer':
      return value.value.toString();
    case 'Float':
      return String(value.value);
    case 'Boolean':
      return String(value.value);
    case 'Time':
      return goJsonString(value.text);
    case 'Comment':
      throw new SopsProblem('values', 'a comment is where JSON has none');
  }
}

/** As Go's encoding/json writes it, which takes care for HTML. */
export function goJsonString(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The metadata and the comma that parts it from its neighbour. */
function removal(text: string, { items }: Branch, metadata: Entry): Edit {
  const index = items.indexOf(metadata);
  const [before, after] = [items[index - 1], items[index + 1]];
  const { start, end } = metadata.range;
  if (before !== undefined) return { start: before.range.end, end, text: '' };
  if (after !== undefined) return { start, end: after.range.start, text: '' };
  const spaceBefore = /\s*$/.exec(text.slice(0, start))?.[0].length ?? 0;
  const spaceAfter = /^\s*/.exec(text.slice(end))?.[0].length ?? 0;
  return { start: start - spaceBefore, end: end + spaceAfter, text: '' };
}
