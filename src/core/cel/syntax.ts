/** What an expression is known to be before it is evaluated; `dyn` is known only then. */
export type ValueType =
  | 'bool'
  | 'bytes'
  | 'double'
  | 'duration'
  | 'dyn'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  | 'string'
  | 'timestamp'
  | 'type'
  | 'uint';

/** The syntax tree of a CEL expression, macros expanded, as far as checks and estimates need it. */
export type Expression =
  | { readonly kind: 'Literal'; readonly type: ValueType; readonly length: number }
  | { readonly kind: 'Name'; readonly name: string }
  | { readonly kind: 'Select'; readonly operand: Expression; readonly field: string }
  /** `has(operand.field)`. */
  | { readonly kind: 'Has'; readonly operand: Expression; readonly field: string }
  /** Operators are calls too; the target of a method is the first operand. */
  | {
      readonly kind: 'Call';
      readonly form: 'Function' | 'Method';
      readonly name: string;
      readonly operands: readonly Expression[];
    }
  | { readonly kind: 'List'; readonly items: readonly Expression[] }
  /** Keys and values in turn. */
  | { readonly kind: 'Map'; readonly items: readonly Expression[] }
  | { readonly kind: 'Message'; readonly name: string }
  | Comprehension;

/** What the macros `all`, `exists`, `exists_one`, `map` and `filter` stand for. */
export interface Comprehension {
  readonly kind: 'Comprehension';
  readonly range: Expression;
  readonly variable: string;
  readonly accumulator: string;
  readonly init: Expression;
  readonly condition: Expression;
  readonly step: Expression;
  readonly result: Expression;
}

/** The parts of an expression. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'Literal':
    case 'Name':
    case 'Message':
      return [];
    case 'Select':
    case 'Has':
      return [expression.operand];
    case 'Call':
      return expression.operands;
    case 'List':
    case 'Map':
      return expression.items;
    case 'Comprehension': {
      const { range, init, condition, step, result } = expression;
      return [range, init, condition, step, result];
    }
  }
}

/** How many nodes the tree has. */
export function nodesIn(expression: Expression): number {
  return partsOf(expression).reduce((sum, part) => sum + nodesIn(part), 1);
}

/** How deep loops are inside each other. */
export function loopDepth(expression: Expression): number {
  const deepest = Math.max(0, ...partsOf(expression).map(loopDepth));
  return expression.kind === 'Comprehension' ? deepest + 1 : deepest;
}
