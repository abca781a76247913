import { standardFunctions } from './functions.ts';
import { type Extent, larger, nothing, type ObjectProfile } from './profile.ts';
import type { Comprehension, Expression } from './syntax.ts';

/** The most steps that one evaluation may take by its estimate (part A 6.4). */
export const costBudget = 10_000_000;

/**
 * The most that evaluating the expression over an object of that profile can cost, in steps: about
 * one for each node that is evaluated, each character that is compared and each item that is copied.
 * It is an upper bound, so that a low one proves the evaluation short, but for regular expressions:
 * for their patterns it assumes an ordinary size.
 */
export function estimateCost(expression: Expression, profile: ObjectProfile): number {
  return new Estimate(profile).of(expression, new Map()).cost;
}

interface Estimated extends Extent {
  readonly cost: number;
  /** `Object` is a part of the object, so that its fields are bounded by name. */
  readonly origin: 'Object' | 'Made';
  /** The name that it has in the object, where that is known. */
  readonly field?: string;
}

type Variables = ReadonlyMap<string, Estimated>;

class Estimate {
  readonly #profile: ObjectProfile;

  constructor(profile: ObjectProfile) {
    this.#profile = profile;
  }

  of(expression: Expression, variables: Variables): Estimated {
    switch (expression.kind) {
      case 'Literal': {
        const { length } = expression;
        return { items: 0, text: length, volume: 1 + length, cost: 1, origin: 'Made' };
      }
      case 'Name':
        return variables.get(expression.name) ?? this.#field(expression.name.replace(/^\./, ''), 1);
      case 'Select':
        return this.#select(this.of(expression.operand, variables), expression.field);
      case 'Has':
        return made(this.of(expression.operand, variables).cost + 1);
      case 'Call':
        return this.#call(expression, variables);
      case 'List':
      case 'Map': {
        const parts = expression.items.map((item) => this.of(item, variables));
        const volume = sum(parts, (part) => part.volume) + 1;
        const cost = sum(parts, (part) => part.cost) + parts.length + 1;
        return { items: parts.length, text: 0, volume, cost, origin: 'Made' };
      }
      case 'Message':
        return made(1);
      case 'Comprehension':
        return this.#loop(expression, variables);
    }
  }

  #field(name: string, cost: number): Estimated {
    const extent = this.#profile.byField.get(name) ?? nothing;
    return { ...extent, cost, origin: 'Object', field: name };
  }

  #select(operand: Estimated, field: string): Estimated {
    const cost = operand.cost + 1;
    return operand.origin === 'Object' ? this.#field(field, cost) : partOfMade(operand, cost);
  }

  /** Some item of a list or a map. */
  #item(whole: Estimated, cost: number): Estimated {
    if (whole.origin === 'Made') return partOfMade(whole, cost);
    const { itemsOf, largest } = this.#profile;
    const extent = whole.field === undefined ? largest : (itemsOf.get(whole.field) ?? nothing);
    return { ...extent, cost, origin: 'Object' };
  }

  #call(call: Extract<Expression, { kind: 'Call' }>, variables: Variables): Estimated {
    const operands = call.operands.map((operand) => this.of(operand, variables));
    const [first = made(0), second = made(0), third = made(0)] = operands;
    const cost = sum(operands, (operand) => operand.cost) + 1 + ownCost(call.name, first, second);
    switch (call.name) {
      case '_[_]':
        return this.#item(first, cost);
      case '_?_:_':
        return { ...larger(second, third), cost, origin: eitherOrigin(second, third) };
      case 'dyn':
        return { ...first, cost };
      case '_+_':
        return {
          items: first.items + second.items,
          text: first.text + second.text,
          volume: first.volume + second.volume,
          cost,
          origin: 'Made',
        };
      default: {
        // Conversions between texts and bytes; all else is one plain value, written in few characters.
        const text = first.text + 64;
        return { items: 0, text, volume: 1 + text, cost, origin: 'Made' };
      }
    }
  }

  /** The accumulator of a macro grows by the same with each item, if it grows at all. */
  #loop(loop: Comprehension, variables: Variables): Estimated {
    const range = this.of(loop.range, variables);
    const rounds = range.items;
    const start = this.of(loop.init, variables);
    const item = this.#item(range, 1);
    const inside = (accumulator: Estimated): Variables =>
      new Map(variables).set(loop.variable, item).set(loop.accumulator, accumulator);
    const once = this.of(loop.step, inside({ ...start, cost: 1 }));
    const end: Estimated = {
      items: start.items + rounds * Math.max(0, once.items - start.items),
      text: Math.max(start.text, once.text),
      volume: start.volume + rounds * Math.max(0, once.volume - start.volume),
      cost: 1,
      origin: 'Made',
    };
    const last = inside(end);
    const round = 1 + this.of(loop.condition, last).cost + this.of(loop.step, last).cost;
    const result = this.of(loop.result, last);
    return { ...result, cost: range.cost + start.cost + rounds * round + result.cost };
  }
}

function ownCost(name: string, first: Estimated, second: Estimated): number {
  switch (standardFunctions.get(name)?.cost) {
    case undefined:
    case 'Constant':
      return 0;
    case 'Linear':
      return name === '_+_' || name === 'size'
        ? first.items + first.text + second.items + second.text
        : linear(name, first, second);
    case 'Search':
      return first.text + second.text + (first.text * second.text) / 16;
    case 'Pattern':
      return 1000 + 100 * first.text;
  }
}

/** Two values are compared until one ends; `in` compares with each item of a list. */
function linear(name: string, first: Estimated, second: Estimated): number {
  if (name === '@in') return second.items + second.volume;
  return second.volume === 0 ? first.volume : Math.min(first.volume, second.volume);
}

function made(cost: number): Estimated {
  return { items: 0, text: 0, volume: cost === 0 ? 0 : 1, cost, origin: 'Made' };
}

function partOfMade({ volume }: Estimated, cost: number): Estimated {
  return { items: volume, text: volume, volume, cost, origin: 'Made' };
}

function eitherOrigin(one: Estimated, other: Estimated): 'Object' | 'Made' {
  return one.origin === 'Object' && other.origin === 'Object' ? 'Object' : 'Made';
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
