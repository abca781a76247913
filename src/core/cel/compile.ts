import { checkExpression, type Declarations } from './check.ts';
import { type CelProgram, parseCel } from './library.ts';
import { loopDepth, nodesIn } from './syntax.ts';

/** An expression over an object that gives a bool, ready to be evaluated. */
export interface ObjectExpression {
  readonly kind: 'Expression';
  readonly nodes: number;
  readonly program: CelProgram;
}

/** Why a text is refused, for its author: what is wrong and what to do. */
export interface RefusedExpression {
  readonly kind: 'Refused';
  readonly message: string;
}

const limits = {
  /** Characters. */
  length: 2048,
  /** Brackets of any kind inside each other. */
  brackets: 24,
  /** Nodes of the syntax tree, macros expanded. */
  nodes: 500,
  /** Loops inside each other. */
  loops: 3,
} as const;

/** What an expression may name (part A 6.4). */
const declarations: Declarations = new Map([
  ['apiVersion', 'string'],
  ['kind', 'string'],
  ['metadata', 'dyn'],
  ['spec', 'dyn'],
  ['status', 'dyn'],
]);

/**
 * Checks an expression and makes it ready, or says why it is refused: it is too large, no CEL, names
 * what does not exist, or can never give a bool. The result is remembered, since the same texts are
 * asked for at each look; the memory is bounded by what they weigh.
 */
export function compileExpression(text: string): ObjectExpression | RefusedExpression {
  const known = remembered.get(text);
  if (known !== undefined) {
    remembered.delete(text);
    remembered.set(text, known);
    return known;
  }
  const compiled = compile(text);
  remember(text, compiled);
  return compiled;
}

/** No result depends on it: it saves time only. Those asked for longest ago are dropped first. */
const remembered = new Map<string, ObjectExpression | RefusedExpression>();
const mostWeight = 50_000;
let weight = 0;

function remember(text: string, compiled: ObjectExpression | RefusedExpression): void {
  if (text.length > limits.length) return;
  remembered.set(text, compiled);
  weight += weightOf(compiled);
  for (const [oldest, dropped] of remembered) {
    if (weight <= mostWeight) return;
    remembered.delete(oldest);
    weight -= weightOf(dropped);
  }
}

function weightOf(compiled: ObjectExpression | RefusedExpression): number {
  return 50 + (compiled.kind === 'Expression' ? compiled.nodes : 0);
}

function compile(text: string): ObjectExpression | RefusedExpression {
  if (text.trim() === '') return refused('is empty; write a CEL expression or leave it out');
  if (text.length > limits.length) {
    return refused(`is longer than ${limits.length} characters; shorten it`);
  }
  if (bracketDepth(text) > limits.brackets) {
    return refused(`has more than ${limits.brackets} brackets inside each other; simplify it`);
  }
  const program = parseCel(text);
  if (!('syntax' in program)) {
    const { line, column } = program;
    return refused(`is not standard CEL from line ${line}, column ${column} on; correct it there`);
  }
  return checked(program);
}

function checked(program: CelProgram): ObjectExpression | RefusedExpression {
  const { syntax } = program;
  const nodes = nodesIn(syntax);
  if (nodes > limits.nodes) return refused(`has more than ${limits.nodes} parts; simplify it`);
  if (loopDepth(syntax) > limits.loops) {
    return refused(`has more than ${limits.loops} loops inside each other; simplify it`);
  }
  const { type, problems } = checkExpression(syntax, declarations);
  if (problems.length > 0) return refused(`does not hold together: ${problems.join('; ')}`);
  if (type !== 'bool' && type !== 'dyn') {
    return refused(`gives a value of type ${type}, not a bool; compare it with something`);
  }
  return { kind: 'Expression', nodes, program };
}

function refused(message: string): RefusedExpression {
  return { kind: 'Refused', message };
}

/** Counted before it is parsed, brackets in texts included: a parser goes down once for each. */
function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if ('([{'.includes(character)) depth += 1;
    if (')]}'.includes(character)) depth = Math.max(0, depth - 1);
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
