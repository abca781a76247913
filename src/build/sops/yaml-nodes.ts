import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  Parser,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { maxDocuments } from '../../core/objects/yaml.ts';
import { SopsProblem } from './decryption-error.ts';

export { isAlias, isMap, isScalar, isSeq, type Scalar, type YAMLMap, type YAMLSeq };

/** A comment of a YAML text, by its place. Its text has no `#`. */
export interface YamlComment {
  readonly start: number;
  readonly end: number;
  readonly column: number;
  readonly text: string;
  /** Whether nothing stands before it on its line. */
  readonly alone: boolean;
}

export interface YamlText {
  readonly documents: readonly Document.Parsed[];
  readonly comments: readonly YamlComment[];
  /** Column of an offset, from 0. */
  readonly columnOf: (offset: number) => number;
}

/**
 * The documents of a YAML text, with the places of all that is in them. Scalars are not resolved.
 *
 * @throws SopsProblem when it is not YAML.
 */
export function parseYaml(text: string): YamlText {
  const lines = new LineCounter();
  const composer = new Composer({ schema: 'failsafe', uniqueKeys: false, logLevel: 'silent' });
  try {
    const tokens = tokensOf(text, lines);
    const columnOf = (offset: number): number => lines.linePos(offset).col - 1;
    const comments = tokens
      .flatMap((token) => [...commentsIn(token)])
      .map(({ offset, source }) => {
        const column = columnOf(offset);
        const before = text.slice(offset - column, offset);
        refuseDisputedBreaks(source);
        return {
          start: offset,
          end: offset + source.length,
          column,
          text: source.slice(1),
          alone: before.trim() === '',
        };
      });
    const documents = [...composer.compose(tokens)].filter(isParsed);
    if (documents.some(({ errors }) => errors.length > 0)) throw notYaml();
    return {
      documents,
      comments: comments.sort((one, other) => one.start - other.start),
      columnOf,
    };
  } catch (error) {
    if (error instanceof RangeError) throw new SopsProblem('format', 'it is nested too deep');
    throw error;
  }
}

/** Characters that end a line for kustomize (YAML 1.1, go-yaml) and not for us. */
const disputedBreak = /\r(?!\n|$)|[\u0085\u2028\u2029]/;

/**
 * Refuses a comment, or a scalar without quotes, that goes on behind such a character: what is a comment
 * here, and no part of the MAC, would be a key there.
 *
 * @throws SopsProblem
 */
export function refuseDisputedBreaks(source: string): void {
  if (!disputedBreak.test(source)) return;
  throw new SopsProblem('format', 'it has line breaks that not every reader of YAML takes for one');
}

/** Stops at a text of too many documents, before they take the memory of all. */
function tokensOf(text: string, lines: LineCounter): CST.Token[] {
  const tokens: CST.Token[] = [];
  let documents = 0;
  for (const token of new Parser(lines.addNewLine).parse(text)) {
    if (token.type === 'document' && (documents += 1) > maxDocuments) {
      throw new SopsProblem('format', `it has more than ${maxDocuments} documents`);
    }
    tokens.push(token);
  }
  return tokens;
}

function isParsed(document: { readonly range: unknown }): document is Document.Parsed {
  return Array.isArray(document.range);
}

function notYaml(): SopsProblem {
  return new SopsProblem('format', 'it is not YAML');
}

interface CommentToken {
  readonly offset: number;
  readonly source: string;
}

/** Where tokens have further tokens. */
const members = ['start', 'props', 'key', 'sep', 'value', 'items', 'end'] as const;

function* commentsIn(token: unknown): Generator<CommentToken> {
  // By a list of what is left: the nesting may be deeper than the stack.
  const open: unknown[] = [token];
  while (open.length > 0) {
    const next = open.pop();
    if (Array.isArray(next)) {
      for (const item of next as unknown[]) open.push(item);
    } else if (isComment(next)) {
      yield next;
    } else if (typeof next === 'object' && next !== null) {
      const record = next as Readonly<Record<string, unknown>>;
      for (const member of members) if (member in record) open.push(record[member]);
    }
  }
}

function isComment(token: unknown): token is CommentToken {
  return (
    typeof token === 'object' &&
    token !== null &&
    'type' in token &&
    token.type === 'comment' &&
    'offset' in token &&
    typeof token.offset === 'number' &&
    'source' in token &&
    typeof token.source === 'string'
  );
}
