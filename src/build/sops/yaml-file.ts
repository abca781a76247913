import { SopsProblem } from './decryption-error.ts';
import { type Edit, edited } from './edits.ts';
import { metadataEntry, metadataKey, recordOf, without } from './metadata-record.ts';
import {
  type CommentItem,
  type Entry,
  type Leaf,
  type Opened,
  type PlainValue,
  type SealedFile,
  utf8,
} from './tree.ts';
import { parseYaml, type YamlText } from './yaml-nodes.ts';
import { type ScalarPlace, yamlScalar } from './yaml-scalars.ts';
import { type YamlTree, yamlTrees } from './yaml-tree.ts';

/**
 * A YAML file with metadata in its first document, which counts for all; undefined for every other
 * one.
 *
 * @throws SopsProblem
 */
export function readYamlFile(text: string): SealedFile | undefined {
  // What is no key is no metadata, and most files need not be parsed.
  if (!new RegExp(`(?:^|[{,\\s"'?])${metadataKey}["']?\\s*:`, 'm').test(text)) return undefined;
  const parsed = parseYaml(text);
  const trees = yamlTrees(parsed);
  const entries = trees.map(({ branch }) => metadataEntry(branch));
  const [first, ...others] = entries;
  if (first === undefined) {
    if (others.every((entry) => entry === undefined)) return undefined;
    throw new SopsProblem('metadata', 'the first document has none, and a later one has');
  }
  return {
    branches: trees.map(({ branch }, index) => without(branch, entries[index])),
    metadata: recordOf(first.value),
    write: (opened) => written(text, parsed, trees, opened),
  };
}

function written(
  text: string,
  parsed: YamlText,
  trees: readonly YamlTree[],
  opened: Opened,
): Uint8Array {
  const places = new Map(trees.flatMap((tree) => [...tree.places]));
  refuseSharedSeals([...places.keys()], opened);
  const edits = [...opened].map(([item, value]) => {
    if (item.kind === 'Comment') return commentEdit(item, value);
    const place = places.get(item) ?? { column: undefined, after: 'Key' };
    if (value.kind === 'Comment') return itemEdit(parsed, item, value, place);
    return valueEdit(text, item, value, place);
  });
  const removals = trees.flatMap((tree) => removal(text, parsed, tree));
  return edited(text, [...removals, ...edits]);
}

/**
 * An alias stands for the same text in another place. Where that place is not sealed, it would have what
 * is opened at the anchor; no MAC over sealed values alone would tell.
 */
function refuseSharedSeals(leaves: readonly Leaf[], opened: Opened): void {
  const sealed = new Set(leaves.filter((leaf) => opened.has(leaf)).map(({ range }) => range.start));
  if (leaves.every((leaf) => opened.has(leaf) || !sealed.has(leaf.range.start))) return;
  throw new SopsProblem('values', 'an alias takes a sealed value to where nothing is sealed');
}

/** SOPS seals the comments of a sequence as if they were items of it. */
function itemEdit(
  { columnOf }: YamlText,
  { range: { start, end } }: Leaf,
  value: PlainValue,
  { column, after }: ScalarPlace,
): Edit {
  if (column === undefined || after !== 'Dash') {
    throw new SopsProblem('values', 'a value is sealed as a comment');
  }
  const dash = start - columnOf(start) + column;
  return commentEdit({ range: { start: dash, end } }, value);
}

function commentEdit({ range }: Pick<CommentItem, 'range'>, value: PlainValue): Edit {
  const comment = value.kind === 'Text' || value.kind === 'Comment' ? utf8(value.bytes) : '\n';
  if (/[\n\r]/.test(comment)) throw new SopsProblem('values', 'a comment has several lines');
  return { ...range, text: `#${comment}` };
}

function valueEdit(text: string, { range }: Leaf, value: PlainValue, place: ScalarPlace): Edit {
  const isBlock = text[range.end - 1] === '\n';
  const restOfLine = isBlock ? '' : /[^\n]*/y.exec(text.slice(range.end))?.[0].trim();
  const severalLines = value.kind === 'Text' && value.bytes.includes(0x0a);
  // A comment would become part of the first line.
  const column = restOfLine !== '' && severalLines ? undefined : place.column;
  const scalar = yamlScalar(value, { ...place, column });
  return { ...range, text: isBlock ? `${scalar}\n` : scalar };
}

/** Takes the metadata out of a document, with its lines, or its comma where it is in braces. */
function removal(text: string, { columnOf }: YamlText, { branch }: YamlTree): Edit[] {
  const metadata = metadataEntry(branch);
  if (metadata === undefined) return [];
  const entries = branch.items.filter((item): item is Entry => item.kind === 'Entry');
  const index = entries.indexOf(metadata);
  const [before, after] = [entries[index - 1], entries[index + 1]];
  const { start, end } = metadata.range;
  const lineStart = start - columnOf(start);
  const isAlone = /^[? ]*["']?$/.test(text.slice(lineStart, start));
  if (isAlone && entries.length > 1) {
    const rest = columnOf(end) === 0 ? 0 : (/[^\n]*\n?/.exec(text.slice(end))?.[0].length ?? 0);
    return [{ start: lineStart, end: end + rest, text: '' }];
  }
  if (before !== undefined) return [{ start: before.range.end, end, text: '' }];
  if (after !== undefined) return [{ start, end: after.range.start, text: '' }];
  const inBraces = text.slice(0, start).trimEnd().endsWith('{');
  return [{ start, end, text: inBraces ? '' : '{}\n' }];
}
