/**
 * Entry point of a worker thread: reads manifests, so that the main thread never does. A document of
 * a megabyte takes half a second, and one that is made to be slow takes longer.
 */
import { parentPort } from 'node:worker_threads';
import { TerminalError } from '../core/errors.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { explainFailure } from './explain.ts';
import type { Answer, Question } from './messages.ts';
import { type BuildPlan, planBuild, readOutput } from './plan.ts';

const objectsPerPortion = 100;

class BuildSession {
  readonly #files = new Map<string, Uint8Array>();
  readonly #output: Uint8Array[] = [];
  #variables: ReadonlyMap<string, string> = new Map();
  #plan: BuildPlan | undefined;
  #objects: readonly KubernetesObject[] = [];
  #sent = 0;

  answer(question: Exclude<Question, { kind: 'Reset' }>): Answer {
    switch (question.kind) {
      case 'Files':
        for (const [path, content] of question.files) this.#files.set(path, content);
        return { kind: 'Done' };
      case 'Plan':
        return this.#answerPlan(question.path, question.variables);
      case 'Output':
        this.#output.push(question.chunk);
        return { kind: 'Done' };
      case 'Read':
        this.#objects = readOutput(
          Buffer.concat(this.#output.splice(0)),
          this.#plan?.kind === 'Kustomize' ? this.#plan.read : [],
          this.#variables,
        );
        return { kind: 'Objects', count: this.#objects.length, warnings: [] };
      case 'Next': {
        const objects = this.#objects.slice(this.#sent, this.#sent + objectsPerPortion);
        this.#sent += objects.length;
        return { kind: 'Portion', objects };
      }
      case 'Explain': {
        const resources = this.#plan?.kind === 'Kustomize' ? this.#plan.resources : [];
        return {
          kind: 'Explanation',
          notes: explainFailure(this.#files, resources, question.duplicate),
        };
      }
    }
  }

  #answerPlan(path: string | undefined, variables: ReadonlyMap<string, string>): Answer {
    this.#variables = variables;
    const plan = planBuild(this.#files, path, variables);
    this.#plan = plan;
    if (plan.kind === 'Objects') {
      this.#objects = plan.objects;
      return { kind: 'Objects', count: plan.objects.length, warnings: plan.warnings };
    }
    const { directory, originals, rewritten, warnings } = plan;
    return { kind: 'Kustomize', directory, originals, rewritten: [...rewritten], warnings };
  }
}

let session = new BuildSession();

function answer(question: Question): Answer {
  if (question.kind === 'Reset') {
    session = new BuildSession();
    return { kind: 'Done' };
  }
  try {
    return session.answer(question);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: error instanceof TerminalError ? 'Refused' : 'Broken', message };
  }
}

parentPort?.on('message', (question: Question) => parentPort?.postMessage(answer(question)));
