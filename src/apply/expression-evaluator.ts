import { compileExpression } from '../core/cel/compile.ts';
import { briefBounds, type ExpressionResult, evaluateWithin } from '../core/cel/evaluate.ts';
import { type Duration, seconds } from '../core/time.ts';
import { untilAborted } from '../kubernetes/wait.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { ExpressionThread } from './expression-thread.ts';

/** How long one evaluation may take. */
const evaluationBound = seconds(1);

/** Milliseconds after which others get their turn before the next evaluation. */
const turn = 5;

/**
 * Evaluates expressions of strangers over objects of strangers. What an estimate proves to be short is
 * evaluated at once; all else by a thread, one at a time and within a second, which a tenant's
 * expensive expression thus never keeps from the simple ones of others.
 */
export class ExpressionEvaluator {
  readonly #bound: Duration;
  #thread: ExpressionThread | undefined;
  #line: Promise<unknown> = Promise.resolve();
  #busySince = 0;

  constructor(bound: Duration = evaluationBound) {
    this.#bound = bound;
  }

  /** @throws the signal's reason when aborted, and nothing else. */
  async evaluate(
    text: string,
    object: KubernetesObject,
    signal: AbortSignal,
  ): Promise<ExpressionResult> {
    const compiled = compileExpression(text);
    if (compiled.kind === 'Refused') return { kind: 'Error', message: compiled.message };
    await this.#leaveRoom();
    return evaluateWithin(compiled, object, briefBounds) ?? (await this.#ask(text, object, signal));
  }

  async close(): Promise<void> {
    await this.#thread?.end();
    this.#thread = undefined;
  }

  /** Many short evaluations in a row are long as well. */
  async #leaveRoom(): Promise<void> {
    const now = performance.now();
    if (now - this.#busySince < turn) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#busySince = performance.now();
  }

  async #ask(
    text: string,
    object: KubernetesObject,
    signal: AbortSignal,
  ): Promise<ExpressionResult> {
    const asked = this.#line.then(async () => {
      signal.throwIfAborted();
      if (this.#thread?.ended !== false) this.#thread = new ExpressionThread();
      const { apiVersion, kind, metadata, spec, status } = object;
      const seen = { apiVersion, kind, metadata, spec, status };
      return await this.#thread.ask({ text, object: seen }, this.#bound, signal);
    });
    // The next in line does not care how this one ends.
    this.#line = asked.catch(() => undefined);
    return await untilAborted(asked, signal);
  }
}
