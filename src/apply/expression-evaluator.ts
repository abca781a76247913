import { compileExpression } from '../core/cel/compile.ts';
import { briefBounds, type ExpressionResult, evaluateWithin } from '../core/cel/evaluate.ts';
import { type Duration, seconds } from '../core/time.ts';
import { FairLimit } from '../kubernetes/fair-limit.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { ExpressionThread } from './expression-thread.ts';

/** How long one evaluation may take. */
const evaluationBound = seconds(1);

/** Milliseconds after which others get their turn before the next evaluation. */
const turn = 5;

/**
 * Evaluates expressions of strangers over objects of strangers. What an estimate proves to be short is
 * evaluated at once; all else by a thread, one at a time and within a second, which a tenant's
 * expensive expression thus never keeps from the simple ones of others. Tenants take turns.
 */
export class ExpressionEvaluator {
  readonly #bound: Duration;
  #thread: ExpressionThread | undefined;
  readonly #turns = new FairLimit(1, 'None');
  #busySince = 0;

  constructor(bound: Duration = evaluationBound) {
    this.#bound = bound;
  }

  /**
   * @param tenant whose expression it is.
   * @throws the signal's reason when aborted, and nothing else.
   */
  async evaluate(
    text: string,
    object: KubernetesObject,
    tenant: string,
    signal: AbortSignal,
  ): Promise<ExpressionResult> {
    const compiled = compileExpression(text);
    if (compiled.kind === 'Refused') return { kind: 'Error', message: compiled.message };
    await this.#leaveRoom();
    return (
      evaluateWithin(compiled, object, briefBounds) ??
      (await this.#ask(text, object, tenant, signal))
    );
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
    tenant: string,
    signal: AbortSignal,
  ): Promise<ExpressionResult> {
    await this.#turns.enter(tenant, signal);
    try {
      if (this.#thread?.ended !== false) this.#thread = new ExpressionThread();
      const { apiVersion, kind, metadata, spec, status } = object;
      const seen = { apiVersion, kind, metadata, spec, status };
      return await this.#thread.ask({ text, object: seen }, this.#bound, signal);
    } finally {
      this.#turns.leave(tenant);
    }
  }
}
