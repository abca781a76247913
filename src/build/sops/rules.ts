import { textMatcher } from '../../core/cel/text-matcher.ts';
import { SopsProblem } from './decryption-error.ts';

/** Which values of a file are sealed; a file has one rule. */
export interface EncryptionRule {
  readonly kind:
    | 'unencrypted_suffix'
    | 'encrypted_suffix'
    | 'unencrypted_regex'
    | 'encrypted_regex'
    | 'unencrypted_comment_regex'
    | 'encrypted_comment_regex';
  readonly text: string;
}

export const ruleKinds: readonly EncryptionRule['kind'][] = [
  'unencrypted_suffix',
  'encrypted_suffix',
  'unencrypted_regex',
  'encrypted_regex',
  'unencrypted_comment_regex',
  'encrypted_comment_regex',
];

/** What a file without a rule has. */
export const defaultRule: EncryptionRule = { kind: 'unencrypted_suffix', text: '_unencrypted' };

/** Comments that are in force where the walk stands: those before an item, and before what it is in. */
export class CommentStack {
  readonly #matches: (comment: string) => boolean;
  readonly #levels: { count: number; lastMatches: boolean }[] = [];
  #total = 0;

  constructor(matches: (comment: string) => boolean) {
    this.#matches = matches;
  }

  enter(): void {
    this.#levels.push({ count: 0, lastMatches: false });
  }

  leave(): void {
    this.clear();
    this.#levels.pop();
  }

  add(comment: string): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    level.lastMatches = this.#matches(comment);
    if (!level.lastMatches) return;
    level.count += 1;
    this.#total += 1;
  }

  /** The comments were about the item that is done now. */
  clear(): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    this.#total -= level.count;
    level.count = 0;
    level.lastMatches = false;
  }

  /** Whether any matches; the comment that was added last may be left out. */
  matching(leaveOut: 'None' | 'Last'): boolean {
    const left = leaveOut === 'Last' && this.#levels.at(-1)?.lastMatches === true ? 1 : 0;
    return this.#total - left > 0;
  }
}

/** Says what is sealed, by the file's rule (Go: `Tree.shouldBeEncrypted`). */
export class Selection {
  readonly comments: CommentStack;
  readonly #rule: EncryptionRule;
  readonly #matches: (text: string) => boolean;

  constructor(rule: EncryptionRule) {
    this.#rule = rule;
    this.#matches = matcherOf(rule);
    const aboutComments = rule.kind.endsWith('comment_regex');
    this.comments = new CommentStack(aboutComments ? this.#matches : () => false);
  }

  isSealed(path: readonly string[], what: 'Value' | 'Comment'): boolean {
    switch (this.#rule.kind) {
      case 'unencrypted_suffix':
      case 'unencrypted_regex':
        return !path.some(this.#matches);
      case 'encrypted_suffix':
      case 'encrypted_regex':
        return path.some(this.#matches);
      case 'unencrypted_comment_regex':
        return !this.comments.matching('None');
      case 'encrypted_comment_regex':
        // The comment that asks for encryption stays readable itself.
        return this.comments.matching(what === 'Comment' ? 'Last' : 'None');
    }
  }
}

/** Keys repeat in every item of a list; longer texts are not remembered. */
const mostRemembered = 10_000;

function matcherOf({ kind, text }: EncryptionRule): (text: string) => boolean {
  if (kind.endsWith('suffix')) return (key) => key.endsWith(text);
  const matches = textMatcher(text);
  if (matches === undefined) {
    throw new SopsProblem('metadata', `${kind} is no regular expression that is understood`);
  }
  const known = new Map<string, boolean>();
  return (key) => {
    const before = known.get(key);
    if (before !== undefined) return before;
    const now = matches(key);
    if (known.size < mostRemembered) known.set(key, now);
    return now;
  };
}
