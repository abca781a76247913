/**
 * Entry point of a worker thread: reads manifests, so that the main thread never does. A document of
 * a megabyte takes half a second, and one that is made to be slow takes longer.
 */
import { parentPort } from 'node:worker_threads';
import { TerminalError } from '../core/errors.ts';
import { stringify } from '../core/objects/yaml.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { explainFailure } from './explain.ts';
import type { DuplicateObject } from './kustomize-errors.ts';
import type { Answer, Question } from './messages.ts';
import { type BuildPlan, type BuildSettings, planBuild, readOutput } from './plan.ts';
import { portionOf } from './portions.ts';
import type { Variables } from './post-build.ts';
import { withoutSecrets } from './secret-values.ts';

class BuildSession {
  readonly #files = new Map<string, Uint8Array>();
  readonly #output: Uint8Array[] = [];
  #plan: BuildPlan | undefined;
  #variables: Variables = new Map();
  #patches: readonly string[] = [];
  #objects: readonly KubernetesObject[] = [];
  #sent = 0;

  answer(question: Exclude<Question, { kind: 'Reset' }>): Answer {
    switch (question.kind) {
      case 'Files':
        for (const [path, content] of question.files) this.#files.set(path, content);
        return { kind: 'Done' };
      case 'Plan':
        return this.#answerPlan(question.settings);
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
        const objects = portionOf(this.#objects, this.#sent);
        this.#sent += objects.length;
        return { kind: 'Portion', objects };
      }
      case 'Explain':
        return this.#explain(question.message, question.duplicate);
    }
  }

  #explain(message: string, duplicate: DuplicateObject | undefined): Answer {
    if (this.#plan?.kind !== 'Kustomize') return { kind: 'Explanation', message, notes: [] };
    const { resources, originals, rewritten, kustomization } = this.#plan;
    const texts = [...rewritten.values(), stringify([kustomization.fields]), ...this.#patches];
    const sources = { files: this.#files, resources, originals, texts };
    return {
      kind: 'Explanation',
      message: withoutSecrets(message, sources),
      notes: explainFailure(this.#files, resources, duplicate),
    };
  }

  #answerPlan(settings: BuildSettings): Answer {
    const plan = planBuild(this.#files, settings);
    this.#plan = plan;
    this.#variables = settings.variables;
    this.#patches = settings.patches.map(({ patch }) => patch);
    if (plan.kind === 'Objects') {
      this.#objects = plan.objects;
      return { kind: 'Objects', count: plan.objects.length, warnings: plan.warnings };
    }
    const { kustomization, originals, rewritten, warnings } = plan;
    return { kind: 'Kustomize', kustomization, originals, rewritten: [...rewritten], warnings };
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
