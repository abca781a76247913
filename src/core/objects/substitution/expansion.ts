import { TerminalError } from '../../errors.ts';
import { ExpressionError } from './expression-error.ts';
import { Limits } from './limits.ts';
import { defaultOperators, operations } from './operators.ts';
import { OutputText } from './output-text.ts';

/** Expressions in defaults in defaults: more than anybody writes. */
const maxDepth = 50;

/** Letters, digits and underscores of any script (part A 4.5). */
const nameHere = /[\p{L}\p{Nd}_]+/uy;

/** What may follow a name; `}` where nothing does. */
const operatorHere = /}|:[=\-?+]|=|\^\^?|,,?|\/[/#%]?|##?|%%?|:/y;

/** How an argument goes on and where it ends. */
interface ArgumentForm {
  /** Characters without a meaning of their own. */
  readonly plain: RegExp;
  readonly ends: string;
  /** Whether `\/`, `\\` and `$$` stand for the second of their characters. */
  readonly escapes: boolean;
}

const untilClosed: ArgumentForm = { plain: /[^}$]+/y, ends: '}', escapes: false };
const untilColon: ArgumentForm = { plain: /[^:}$]+/y, ends: ':}', escapes: false };
const wantedText: ArgumentForm = { plain: /[^/}$\\]+/y, ends: '/}', escapes: true };
const replacement: ArgumentForm = { plain: /[^}$\\]+/y, ends: '}', escapes: true };

/** An expression that is being read, as messages name it. */
interface Expression {
  /** Position of its `$`. */
  readonly start: number;
  /** Name and operator, as far as they are known, and nothing of what follows. */
  form: string;
}

/** One way through a text, from its first to its last expression. */
export class Expansion {
  readonly #text: string;
  readonly #variables: ReadonlyMap<string, string>;
  readonly #limits: Limits;
  /** The expressions around the current position, innermost last. */
  readonly #open: Expression[] = [];
  /** The expression that was read last. */
  #latest: Expression = { start: 0, form: '${…}' };
  #at = 0;

  constructor(text: string, variables: ReadonlyMap<string, string>) {
    this.#text = text;
    this.#variables = variables;
    this.#limits = new Limits(text);
  }

  /** @throws TerminalError that says which expression cannot be replaced, where and why. */
  run(): string {
    try {
      return this.#all();
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      const { start, form } = this.#open.at(-1) ?? this.#latest;
      const message = `line ${this.#lineOf(start)} of the built manifests: ${form} ${error.message}`;
      throw new TerminalError(message, { reason: 'StageFailed' });
    }
  }

  #all(): string {
    const text = this.#text;
    const output = new OutputText(this.#limits);
    let literal = 0;
    for (let dollar = text.indexOf('$'); dollar !== -1; dollar = text.indexOf('$', this.#at)) {
      const next = text[dollar + 1];
      this.#at = dollar + 1;
      if (next === '$') {
        output.append(text.slice(literal, dollar + 1));
        literal = this.#at = dollar + 2;
      } else if (next === '{') {
        output.append(text.slice(literal, dollar));
        output.append(this.#expression(dollar));
        literal = this.#at;
      }
    }
    output.append(text.slice(literal));
    return output.toString();
  }

  /** The value of the expression that begins here; the position is then behind it. */
  #expression(start: number): string {
    if (this.#open.length >= maxDepth) {
      throw new ExpressionError(`has more than ${maxDepth} expressions inside one another`);
    }
    const expression: Expression = { start, form: '${…' };
    this.#open.push(expression);
    this.#at = start + 2;
    const value = this.#text[this.#at] === '#' ? this.#length(expression) : this.#value(expression);
    this.#latest = expression;
    this.#open.pop();
    return value;
  }

  /** `${#a}`: the number of bytes of a value, as in Flux. */
  #length(expression: Expression): string {
    this.#at += 1;
    const name = this.#name();
    expression.form = `\${#${shortened(name)}}`;
    this.#close();
    const value = this.#valueOf(name);
    this.#limits.spend(value.length);
    return String(Buffer.byteLength(value));
  }

  #value(expression: Expression): string {
    const name = this.#name();
    expression.form = `\${${shortened(name)}…}`;
    const written = this.#take(operatorHere);
    if (written === undefined) {
      const rest = this.#at < this.#text.length ? 'has what is no operator' : 'has nothing';
      throw new ExpressionError(
        `${rest} behind the name: names have letters, digits and underscores, and } closes them; ` +
          'write $${ for the text ${',
      );
    }
    const operator = written === '}' ? '' : written;
    expression.form = describe(shortened(name), operator);
    const args = this.#argumentsOf(operator);
    if (operator !== '') this.#close();
    if (defaultOperators.has(operator)) {
      const value = this.#variables.get(name) ?? '';
      return value === '' ? args.join('') : value;
    }
    const operation = operations.get(operator);
    if (operation === undefined) throw new Error(`no operation for ${operator}`);
    const value = this.#valueOf(name);
    if (operator !== '') this.#limits.spend(value.length);
    return operation(value, args, this.#limits);
  }

  #argumentsOf(operator: string): string[] {
    if (defaultOperators.has(operator)) return [this.#argument(untilClosed)];
    if (operator === ':') return this.#substringArguments();
    if (operator.startsWith('/')) return this.#replaceArguments();
    if (/^[#%]/.test(operator)) return [this.#required(untilClosed, 'a pattern')];
    return [];
  }

  #substringArguments(): string[] {
    const position = this.#required(untilColon, 'a position');
    if (this.#text[this.#at] !== ':') return [position];
    while (this.#text[this.#at] === ':') this.#at += 1;
    return [position, this.#required(untilClosed, 'a length behind the second colon')];
  }

  #replaceArguments(): string[] {
    const wanted = this.#required(wantedText, 'a text to replace');
    if (this.#text[this.#at] !== '/') {
      throw new ExpressionError('needs a replacement, which may be empty, behind another slash');
    }
    this.#at += 1;
    return [wanted, this.#argument(replacement)];
  }

  #required(form: ArgumentForm, what: string): string {
    const before = this.#at;
    const argument = this.#argument(form);
    if (this.#at === before) throw new ExpressionError(`needs ${what}`);
    return argument;
  }

  /** An argument with the values of the expressions in it; the position is then at its end. */
  #argument(form: ArgumentForm): string {
    const text = this.#text;
    const output = new OutputText(this.#limits);
    for (;;) {
      const character = text[this.#at];
      if (character === undefined) throw notClosed();
      if (form.ends.includes(character)) return output.toString();
      const plain = this.#take(form.plain);
      if (plain !== undefined) {
        output.append(plain);
        continue;
      }
      const next = text[this.#at + 1];
      if (character === '$' && next === '{') {
        output.append(this.#expression(this.#at));
      } else {
        if (form.escapes && isEscape(character, next)) this.#at += 1;
        output.append(text[this.#at] ?? '');
        this.#at += 1;
      }
    }
  }

  #name(): string {
    const name = this.#take(nameHere);
    if (name !== undefined) return name;
    throw new ExpressionError('has no name of a variable; write $${ for the text ${');
  }

  #close(): void {
    const character = this.#text[this.#at];
    if (character === undefined) throw notClosed();
    if (character !== '}') {
      throw new ExpressionError('has more behind it than belongs there; close it with }');
    }
    this.#at += 1;
  }

  #valueOf(name: string): string {
    const value = this.#variables.get(name);
    if (value !== undefined) return value;
    const known = shortened(name);
    throw new ExpressionError(
      `names a variable that is not set: set ${known} in postBuild, give it a default as in ` +
        `\${${known}:-…}, or write $\${${known}} for the text itself`,
    );
  }

  /** What an expression for exactly this place matches; the position is then behind it. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #lineOf(position: number): number {
    let line = 1;
    for (let at = this.#text.indexOf('\n'); at !== -1 && at < position; line += 1) {
      at = this.#text.indexOf('\n', at + 1);
    }
    return line;
  }
}

function isEscape(character: string, next: string | undefined): boolean {
  return character === '$' ? next === '$' : next === '/' || next === '\\';
}

function notClosed(): ExpressionError {
  return new ExpressionError('is not closed: it needs a }; write $${ for the text ${');
}

function describe(name: string, operator: string): string {
  const hasArgument = operator !== '' && !/^[\^,]/.test(operator);
  return `\${${name}${operator}${hasArgument ? '…' : ''}}`;
}

const longestName = 63;

function shortened(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName)}…` : name;
}
