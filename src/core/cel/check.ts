import { standardFunctions, typeNames } from './functions.ts';
import type { Comprehension, Expression, ValueType } from './syntax.ts';

/** Types of the names that an expression may use. */
export type Declarations = ReadonlyMap<string, ValueType>;

/** The type of an expression, and what is wrong with it whatever the values will be. */
export interface Checked {
  readonly type: ValueType;
  readonly problems: readonly string[];
}

/**
 * Finds what the language's own checker would refuse first: names and functions that do not exist,
 * fields of values that have none, and logic on what is no bool. Types that are known only when the
 * expression is evaluated are `dyn` and pass.
 */
export function checkExpression(expression: Expression, names: Declarations): Checked {
  const problems = new Set<string>();
  const type = new Checker(problems).typeOf(expression, names);
  return { type, problems: [...problems] };
}

const longestName = 63;

class Checker {
  readonly #problems: Set<string>;

  constructor(problems: Set<string>) {
    this.#problems = problems;
  }

  typeOf(expression: Expression, names: Declarations): ValueType {
    switch (expression.kind) {
      case 'Literal':
        return expression.type;
      case 'Name':
        return this.#nameType(expression.name, names);
      case 'Select':
        this.#mustHaveFields(expression.operand, expression.field, names);
        return 'dyn';
      case 'Has':
        this.#mustHaveFields(expression.operand, expression.field, names);
        return 'bool';
      case 'Call':
        return this.#callType(expression, names);
      case 'List':
        for (const item of expression.items) this.typeOf(item, names);
        return 'list';
      case 'Map':
        for (const item of expression.items) this.typeOf(item, names);
        return 'map';
      case 'Message':
        this.#report(`cannot make a ${cut(expression.name)}; only lists and maps can be made`);
        return 'dyn';
      case 'Comprehension':
        return this.#loopType(expression, names);
    }
  }

  #nameType(name: string, names: Declarations): ValueType {
    const plain = name.startsWith('.') ? name.slice(1) : name;
    const declared = names.get(plain);
    if (declared !== undefined) return declared;
    if (typeNames.has(plain)) return 'type';
    const known = [...names.keys()].filter((key) => !key.startsWith('@')).join(', ');
    this.#report(`there is no ${cut(plain)}; it can use ${known}`);
    return 'dyn';
  }

  #mustHaveFields(operand: Expression, field: string, names: Declarations): void {
    const type = this.typeOf(operand, names);
    if (type === 'dyn' || type === 'map') return;
    this.#report(`${a(type)} has no fields, such as ${cut(field)}`);
  }

  #callType(call: Extract<Expression, { kind: 'Call' }>, names: Declarations): ValueType {
    const operands = call.operands.map((operand) => this.typeOf(operand, names));
    const found = standardFunctions.get(call.name);
    if (found?.forms.includes(call.form) !== true) {
      this.#report(`there is no ${call.form.toLowerCase()} ${cut(call.name)} in standard CEL`);
      return 'dyn';
    }
    if (found.takes === 'Bools') {
      for (const type of operands) this.#mustBeBool(type, spoken(call.name));
    }
    if (call.name === '_?_:_') return this.#choiceType(operands);
    return found.result === 'Operand' ? commonType(operands) : found.result;
  }

  #choiceType([condition = 'dyn', one = 'dyn', other = 'dyn']: readonly ValueType[]): ValueType {
    this.#mustBeBool(condition, '? :');
    if (one === other) return one;
    if (one === 'dyn' || other === 'dyn') return 'dyn';
    this.#report(`? : cannot give ${a(one)} in one case and ${a(other)} in the other`);
    return 'dyn';
  }

  #loopType(loop: Comprehension, names: Declarations): ValueType {
    const range = this.typeOf(loop.range, names);
    if (!['dyn', 'list', 'map'].includes(range)) {
      this.#report(`cannot loop over ${a(range)}; only over a list or a map`);
    }
    const accumulator = this.typeOf(loop.init, names);
    const inside = new Map(names).set(loop.accumulator, accumulator).set(loop.variable, 'dyn');
    this.typeOf(loop.condition, inside);
    this.typeOf(loop.step, inside);
    return this.typeOf(loop.result, new Map(names).set(loop.accumulator, accumulator));
  }

  #mustBeBool(type: ValueType, operator: string): void {
    if (type === 'bool' || type === 'dyn') return;
    this.#report(`${operator} needs a bool and gets ${a(type)}`);
  }

  #report(problem: string): void {
    this.#problems.add(problem);
  }
}

/** Of what arithmetic gives one type is known as soon as that of one operand is. */
function commonType(operands: readonly ValueType[]): ValueType {
  const known = new Set(operands.filter((type) => type !== 'dyn'));
  if (known.has('timestamp')) return 'dyn';
  const [first = 'dyn'] = known;
  return first;
}

function spoken(operator: string): string {
  return operator.replaceAll('_', '');
}

function a(type: ValueType): string {
  return type === 'int' ? 'an int' : `a ${type}`;
}

function cut(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName)}…` : name;
}
