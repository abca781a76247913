import { createHash, type Hash } from 'node:crypto';
import { macBytes, open } from './cipher.ts';
import { SopsProblem } from './decryption-error.ts';
import type { EncryptionRule } from './rules.ts';
import { Selection } from './rules.ts';
import {
  type Branch,
  type CommentItem,
  type Leaf,
  type List,
  type Node,
  type Opened,
  type PlainValue,
  utf8,
} from './tree.ts';

export interface WalkSettings {
  readonly key: Uint8Array;
  readonly rule: EncryptionRule;
  readonly macOnlyEncrypted: boolean;
}

export interface Walked {
  readonly opened: Opened;
  /** SHA-512 over the values, upper-case hex. */
  readonly mac: string;
}

/** SHA-256 of `sops`: such a MAC never equals one that covers all values. */
const macOnlyEncryptedPrefix = '8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69';

/**
 * Opens all that is sealed in a tree and computes the MAC over its values, in the order of the file
 * (Go: `Tree.Decrypt`). The place of a value is part of its seal: the keys that lead to it, with a
 * colon behind each; the index in a list is not. Comments are sealed, but are no part of the MAC.
 *
 * @throws SopsProblem
 */
export function openTree(branches: readonly Branch[], settings: WalkSettings): Walked {
  const walk = new Walk(settings);
  for (const branch of branches) walk.branch(branch, []);
  return walk.end();
}

class Walk {
  readonly #key: Uint8Array;
  readonly #macOnlyEncrypted: boolean;
  readonly #selection: Selection;
  readonly #hash: Hash = createHash('sha512');
  readonly #opened = new Map<Leaf | CommentItem, PlainValue>();

  constructor({ key, rule, macOnlyEncrypted }: WalkSettings) {
    this.#key = key;
    this.#macOnlyEncrypted = macOnlyEncrypted;
    this.#selection = new Selection(rule);
    if (macOnlyEncrypted) this.#hash.update(macOnlyEncryptedPrefix, 'hex');
  }

  end(): Walked {
    return { opened: this.#opened, mac: this.#hash.digest('hex').toUpperCase() };
  }

  branch({ items }: Branch, path: readonly string[]): void {
    const { comments } = this.#selection;
    comments.enter();
    for (const item of items) {
      if (item.kind === 'Comment') {
        this.#comment(item, path);
      } else {
        this.#node(item.value, [...path, item.key]);
        comments.clear();
      }
    }
    comments.leave();
  }

  #list({ items }: List, path: readonly string[]): void {
    const { comments } = this.#selection;
    comments.enter();
    for (const item of items) {
      if (item.kind === 'Comment') {
        this.#comment(item, path);
      } else {
        this.#node(item, path);
        comments.clear();
      }
    }
    comments.leave();
  }

  #node(node: Node, path: readonly string[]): void {
    if (node.kind === 'Branch') this.branch(node, path);
    else if (node.kind === 'List') this.#list(node, path);
    else if (node.kind === 'Leaf') this.#leaf(node, path);
  }

  #leaf(leaf: Leaf, path: readonly string[]): void {
    const sealed = this.#selection.isSealed(path, 'Value');
    this.#count(sealed ? this.#open(leaf, path) : leaf.value, sealed);
  }

  #open(leaf: Leaf, path: readonly string[]): PlainValue {
    if (leaf.value.kind !== 'Text') {
      throw new SopsProblem('values', 'a value is not encrypted and should be');
    }
    const value = open(utf8(leaf.value.bytes), this.#key, additionalData(path));
    this.#opened.set(leaf, value);
    return value;
  }

  #comment(comment: CommentItem, path: readonly string[]): void {
    this.#selection.comments.add(utf8(comment.value.bytes));
    if (!this.#selection.isSealed(path, 'Comment')) return;
    const value = this.#openComment(comment, path);
    if (value === undefined) return;
    this.#opened.set(comment, value);
    this.#count(value, true);
  }

  /** Old versions left comments as they were. */
  #openComment({ value }: CommentItem, path: readonly string[]): PlainValue | undefined {
    try {
      return open(utf8(value.bytes), this.#key, additionalData(path));
    } catch (error) {
      if (error instanceof SopsProblem) return undefined;
      throw error;
    }
  }

  #count(value: PlainValue, sealed: boolean): void {
    if (value.kind === 'Comment' || (this.#macOnlyEncrypted && !sealed)) return;
    this.#hash.update(macBytes(value));
  }
}

function additionalData(path: readonly string[]): string {
  return `${path.join(':')}:`;
}
