import {
  type CelInput,
  type CelResult,
  celEnv,
  isCelError,
  isCelList,
  isCelMap,
  parse,
  plan,
  unparse,
} from '@bufbuild/cel';
import type { Expression, ValueType } from './syntax.ts';

/** The variables of an expression by name. */
export type CelBindings = Record<string, CelInput>;

/** What an evaluation came to. A value is told by its type only, but for a bool. */
export type CelAnswer =
  | { readonly kind: 'Bool'; readonly value: boolean }
  | { readonly kind: 'Other'; readonly type: string }
  | {
      readonly kind: 'Error';
      readonly cause: 'Missing' | 'Types' | 'Other';
      /** The part of the expression that it happened in, as far as that is known. */
      readonly part: string | undefined;
    };

export interface CelProgram {
  readonly syntax: Expression;
  evaluate(bindings: CelBindings): CelAnswer;
}

/** Why a text is no CEL; line and column count from 1. */
export interface CelSyntaxError {
  readonly line: number;
  readonly column: number;
}

type Node = ReturnType<typeof parse>['expr'];

const standard = celEnv();

/**
 * Parses an expression of CEL's standard language, without extensions. It evaluates nothing, and
 * throws nothing: what is no CEL comes back as the place where it stops to be.
 */
export function parseCel(text: string): CelProgram | CelSyntaxError {
  try {
    const parsed = parse(text);
    const nodes = new Map<string, Node>();
    const syntax = translate(parsed.expr, nodes);
    const evaluate = plan(standard, parsed);
    return {
      syntax,
      evaluate: (bindings) =>
        answerOf(
          safely(() => evaluate(bindings)),
          nodes,
        ),
    };
  } catch (error) {
    return placeOf(error);
  }
}

/** What the library throws instead of returning it is an error of the evaluation as well. */
function safely(evaluate: () => CelResult): CelResult | Error {
  try {
    return evaluate();
  } catch (error) {
    return error instanceof Error ? error : new Error('evaluation failed');
  }
}

function answerOf(result: CelResult | Error, nodes: ReadonlyMap<string, Node>): CelAnswer {
  if (typeof result === 'boolean') return { kind: 'Bool', value: result };
  if (isCelError(result)) {
    const node = nodes.get(String(result.exprId ?? ''));
    return { kind: 'Error', cause: causeOf(result.message), part: textOf(node) };
  }
  if (result instanceof Error) return { kind: 'Error', cause: 'Other', part: undefined };
  return { kind: 'Other', type: typeOf(result) };
}

/** Only the class: the library's messages quote values, which may be secret. */
function causeOf(message: string): 'Missing' | 'Types' | 'Other' {
  if (/^(field not found|index .* out of bounds|unresolved attribute)/.test(message)) {
    return 'Missing';
  }
  return /no matching overload/.test(message) ? 'Types' : 'Other';
}

const longestPart = 120;

/** A part of the expression as its author could have written it. */
function textOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined;
  try {
    const text = unparse(node);
    return text.length <= longestPart ? text : `${text.slice(0, longestPart)}...`;
  } catch {
    return undefined;
  }
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (isCelList(value)) return 'list';
  if (isCelMap(value)) return 'map';
  const types = { string: 'string', bigint: 'int', number: 'double' } as const;
  const name = typeof value;
  return name === 'string' || name === 'bigint' || name === 'number' ? types[name] : 'other value';
}

function placeOf(error: unknown): CelSyntaxError {
  const location: unknown =
    error instanceof Error && 'location' in error ? error.location : undefined;
  if (typeof location === 'object' && location !== null && 'start' in location) {
    const { start } = location;
    if (typeof start === 'object' && start !== null && 'line' in start && 'column' in start) {
      return { line: Number(start.line), column: Number(start.column) };
    }
  }
  return { line: 1, column: 1 };
}

function translate(node: Node, nodes: Map<string, Node>): Expression {
  nodes.set(String(node.id), node);
  const each = (part: Node | undefined): Expression => {
    if (part === undefined) throw new Error('a part of the expression is missing');
    return translate(part, nodes);
  };
  const { exprKind } = node;
  switch (exprKind.case) {
    case 'constExpr':
      return literal(exprKind.value.constantKind);
    case 'identExpr':
      return { kind: 'Name', name: exprKind.value.name };
    case 'selectExpr': {
      const { operand, field, testOnly } = exprKind.value;
      return { kind: testOnly ? 'Has' : 'Select', operand: each(operand), field };
    }
    case 'callExpr': {
      const { function: name, target, args } = exprKind.value;
      const operands = [...(target === undefined ? [] : [target]), ...args].map(each);
      return { kind: 'Call', form: target === undefined ? 'Function' : 'Method', name, operands };
    }
    case 'listExpr':
      return { kind: 'List', items: exprKind.value.elements.map(each) };
    case 'structExpr': {
      const { messageName, entries } = exprKind.value;
      if (messageName !== '') return { kind: 'Message', name: messageName };
      const items = entries.flatMap(({ keyKind, value }) => [
        each(keyKind.case === 'mapKey' ? keyKind.value : undefined),
        each(value),
      ]);
      return { kind: 'Map', items };
    }
    case 'comprehensionExpr': {
      const loop = exprKind.value;
      return {
        kind: 'Comprehension',
        range: each(loop.iterRange),
        variable: loop.iterVar,
        accumulator: loop.accuVar,
        init: each(loop.accuInit),
        condition: each(loop.loopCondition),
        step: each(loop.loopStep),
        result: each(loop.result),
      };
    }
    case undefined:
      throw new Error('the expression is empty');
  }
}

type Constant = Extract<Node['exprKind'], { case: 'constExpr' }>['value']['constantKind'];

const literalTypes: Readonly<Record<string, ValueType>> = {
  boolValue: 'bool',
  bytesValue: 'bytes',
  doubleValue: 'double',
  int64Value: 'int',
  nullValue: 'null',
  stringValue: 'string',
  uint64Value: 'uint',
};

function literal(constant: Constant): Expression {
  const type = literalTypes[constant.case ?? ''] ?? 'dyn';
  const sized = constant.case === 'stringValue' || constant.case === 'bytesValue';
  return { kind: 'Literal', type, length: sized ? constant.value.length : 1 };
}
