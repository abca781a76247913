import type { JsonPathQuery } from 'jsonpath-rfc9535/parser';

type Bracketed = Extract<
  JsonPathQuery['segments'][number]['node'],
  { type: 'BracketedSelection' }
>['selectors'][number];

/** A filter as it was parsed. */
export type FilterExpression = Extract<Bracketed, { type: 'FilterSelector' }>['value'];

type Comparison = Extract<FilterExpression, { type: 'ComparisonExpr' }>;
type Comparable = Comparison['left'];
type Primitive = string | number | boolean | null;

/** One step from a value to a child: a field's name, or an index. */
export type Step = string | number;

/** Where in which value a filter looks. */
export interface Way {
  readonly from: 'Item' | 'Root';
  readonly steps: readonly Step[];
}

const supported =
  'filters compare a field with a literal, as in {.items[?(@.name=="web")].value}, or ask whether ' +
  'there is one';

/** Why a filter is not supported: a clause; undefined when it is. */
export function filterProblem(expression: FilterExpression): string | undefined {
  switch (expression.type) {
    case 'LogicalOrExpr':
    case 'LogicalAndExpr':
      return filterProblem(expression.left) ?? filterProblem(expression.right);
    case 'LogicalNotExpr':
      return filterProblem(expression.expression);
    case 'TestExpr': {
      const { expression: tested } = expression;
      if (tested.type === 'FunctionExpr') return unsupportedFunction;
      return wayOf(tested.value) === undefined ? tooWide : undefined;
    }
    case 'ComparisonExpr': {
      const sides = [expression.left, expression.right];
      if (sides.some(({ type }) => type === 'FunctionExpr')) return unsupportedFunction;
      const literals = sides.filter(({ type }) => type === 'Literal').length;
      return literals === 0 ? `has a filter that compares two fields; ${supported}` : undefined;
    }
  }
}

const unsupportedFunction = `has a function in a filter; ${supported}`;
const tooWide = `has a filter that looks at more than one value; ${supported}`;

/** How a filter goes on from a value, told without the value itself. */
export interface FilterLook {
  /** The value at the end of a way; undefined where there is none. */
  readonly find: (way: Way) => unknown;
}

/** Whether a value passes a filter that {@link filterProblem} has nothing against. */
export function passesFilter(expression: FilterExpression, look: FilterLook): boolean {
  switch (expression.type) {
    case 'LogicalOrExpr':
      return passesFilter(expression.left, look) || passesFilter(expression.right, look);
    case 'LogicalAndExpr':
      return passesFilter(expression.left, look) && passesFilter(expression.right, look);
    case 'LogicalNotExpr':
      return !passesFilter(expression.expression, look);
    case 'TestExpr': {
      const { expression: tested } = expression;
      const way = tested.type === 'FunctionExpr' ? undefined : wayOf(tested.value);
      return way !== undefined && look.find(way) !== undefined;
    }
    case 'ComparisonExpr':
      return compare(
        valueOf(expression.left, look),
        valueOf(expression.right, look),
        expression.op,
      );
  }
}

function valueOf(side: Comparable, look: FilterLook): unknown {
  if (side.type === 'Literal') return side.value;
  const way = side.type === 'FunctionExpr' ? undefined : wayOf(side);
  return way === undefined ? undefined : look.find(way);
}

type Query =
  | Exclude<Comparable, { type: 'Literal' | 'FunctionExpr' }>
  | Extract<
      Extract<FilterExpression, { type: 'TestExpr' }>['expression'],
      { type: 'FilterQuery' }
    >['value'];

/** The way of a query that leads to one value at most; undefined for any other. */
function wayOf(query: Query): Way | undefined {
  const steps: Step[] = [];
  for (const { type, node } of query.segments) {
    const step = type === 'DescendantSegment' ? undefined : stepOf(node);
    if (step === undefined) return undefined;
    steps.push(step);
  }
  const fromRoot = query.type === 'JsonPathQuery' || query.type === 'AbsSingularQuery';
  return { from: fromRoot ? 'Root' : 'Item', steps };
}

/** The parser wraps the index of a singular query into another one, whatever its types say. */
interface Wrapped {
  readonly type: string;
  readonly value?: unknown;
  readonly selector?: Wrapped;
  readonly selectors?: readonly Wrapped[];
}

function stepOf({ type, value, selector, selectors }: Wrapped): Step | undefined {
  if (selector !== undefined) return stepOf(selector);
  if (selectors !== undefined) {
    const [only, ...others] = selectors;
    return only === undefined || others.length > 0 ? undefined : stepOf(only);
  }
  if (type === 'IndexSelector') return typeof value === 'number' ? value : undefined;
  const named = type === 'NameSelector' || type === 'MemberNameShorthand';
  return named && typeof value === 'string' ? value : undefined;
}

/** RFC 9535, 2.3.5.2.2, where one side is a literal: lists and objects equal none, and have no order. */
function compare(left: unknown, right: unknown, operator: Comparison['op']): boolean {
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '<':
      return isLess(left, right);
    case '<=':
      return isLess(left, right) || (isPrimitive(left) && left === right);
    case '>':
      return isLess(right, left);
    case '>=':
      return isLess(right, left) || (isPrimitive(left) && left === right);
  }
}

function isLess(left: unknown, right: unknown): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left < right;
  return typeof left === 'string' && typeof right === 'string' && left < right;
}

function isPrimitive(value: unknown): value is Primitive {
  return value !== undefined && (typeof value !== 'object' || value === null);
}
