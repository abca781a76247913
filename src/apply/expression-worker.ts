/**
 * Entry point of a worker thread: evaluates the expressions that nothing proves short, so that they
 * never hold the main thread. Whoever asks ends the thread when it takes too long.
 */
import { parentPort } from 'node:worker_threads';
import { compileExpression } from '../core/cel/compile.ts';
import { type ExpressionResult, evaluateWithin, threadBounds } from '../core/cel/evaluate.ts';
import type { ExpressionAnswer, ExpressionQuestion } from './expression-messages.ts';

function resultOf({ text, object }: ExpressionQuestion): ExpressionResult {
  const compiled = compileExpression(text);
  if (compiled.kind === 'Refused') return { kind: 'Error', message: compiled.message };
  try {
    const result = evaluateWithin(compiled, object, threadBounds);
    return result ?? { kind: 'Error', message: 'it could cost too much on an object of this size' };
  } catch {
    // Such as an object that is nested too deep; the error could quote what is in it.
    return { kind: 'Error', message: 'it cannot be evaluated' };
  }
}

function say(answer: ExpressionAnswer): void {
  parentPort?.postMessage(answer);
}

parentPort?.on('message', (question: ExpressionQuestion) => {
  say({ kind: 'Result', result: resultOf(question) });
});
say({ kind: 'Ready' });
