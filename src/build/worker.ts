/**
 * Entry point of a worker thread: reads manifests, so that the main thread never does. A document of
 * a megabyte takes half a second, and one that is made to be slow takes longer.
 */
import { parentPort } from 'node:worker_threads';
import { TerminalError } from '../core/errors.ts';
import { stringify } from '../core/objects/yaml.ts';
import { redact } from '../core/redact.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { Migration } from '../types/stages.ts';
import { filesOfBuild } from './build-closure.ts';
import { explainFailure } from './explain.ts';
import type { DuplicateObject } from './kustomize-errors.ts';
import type { Answer, Question } from './messages.ts';
import { type BuildPlan, type BuildSettings, planBuild, readOutput } from './plan.ts';
import { filePortions, migrationPortionOf, portionOf } from './portions.ts';
import type { Variables } from './post-build.ts';
import { withoutSecrets } from './secret-values.ts';
import type { DecryptedFiles } from './sops/decrypt-files.ts';
import { DecryptionError, isDecryptionError } from './sops/decryption-error.ts';
import type { KeyDialog, KeyOutcome } from './sops/key-dialog.ts';

class BuildSession {
  readonly #files = new Map<string, Uint8Array>();
  readonly #output: Uint8Array[] = [];
  #plan: BuildPlan | undefined;
  #variables: Variables = new Map();
  #patches: readonly string[] = [];
  #objects: readonly KubernetesObject[] = [];
  #sent = 0;
  #decrypted = filePortions(new Map());
  #secrets: ReadonlySet<string> = new Set();
  #decrypting: Decrypting | undefined;
  #ladder: readonly Migration[] = [];

  /** A message without what was decrypted for this build. */
  redacted(message: string): string {
    return this.#secrets.size === 0 ? message : redact(message, this.#secrets);
  }

  async answer(question: Exclude<Question, { kind: 'Reset' }>): Promise<Answer> {
    switch (question.kind) {
      case 'Decrypt':
        return await this.#decrypt(question);
      case 'Keys':
        return await this.#goOn(question.outcomes);
      case 'NextFiles': {
        const next = this.#decrypted.next();
        return { kind: 'Files', files: next.done === true ? [] : next.value };
      }
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
      case 'Ladder':
        return await this.#readLadder(question.path);
      case 'NextMigrations': {
        const migrations = migrationPortionOf(this.#ladder, this.#sent);
        this.#sent += migrations.length;
        return { kind: 'Migrations', migrations };
      }
    }
  }

  async #decrypt({
    path,
    keys,
    keyServices,
  }: Extract<Question, { kind: 'Decrypt' }>): Promise<Answer> {
    // Most threads never need it.
    const { decryptFiles } = await import('./sops/decrypt-files.ts');
    const { KeyDialog } = await import('./sops/key-dialog.ts');
    const wanted = filesOfBuild(this.#files, path);
    const dialog = new KeyDialog();
    const providers = keyServices === 'Asked' ? dialog.providers : [];
    const end = decryptFiles(wanted, new Map(keys), providers).then((decrypted) =>
      this.#keep(decrypted),
    );
    this.#decrypting = { dialog, end };
    return await nextOf(this.#decrypting);
  }

  async #goOn(outcomes: readonly KeyOutcome[]): Promise<Answer> {
    if (this.#decrypting === undefined) throw new Error('no keys were wanted');
    this.#decrypting.dialog.answer(outcomes);
    return await nextOf(this.#decrypting);
  }

  #keep({ files, values }: DecryptedFiles): Answer {
    for (const [name, content] of files) this.#files.set(name, content);
    this.#decrypted = filePortions(files);
    this.#secrets = new Set(values);
    return { kind: 'Decrypted', count: files.size, values };
  }

  async #readLadder(path: string | undefined): Promise<Answer> {
    // The schema of migrations is large, and most threads never need it.
    const { ladderOf } = await import('./ladder-files.ts');
    const parsed = ladderOf(this.#files, path);
    if (parsed.kind === 'Invalid') return { kind: 'NoLadder', message: parsed.message };
    this.#ladder = parsed.ladder;
    return { kind: 'Ladder', count: parsed.ladder.length };
  }

  #explain(message: string, duplicate: DuplicateObject | undefined): Answer {
    if (this.#plan?.kind !== 'Kustomize') return { kind: 'Explanation', message, notes: [] };
    const { resources, originals, rewritten, kustomization } = this.#plan;
    const texts = [...rewritten.values(), stringify([kustomization.fields]), ...this.#patches];
    const sources = { files: this.#files, resources, originals, texts };
    return {
      kind: 'Explanation',
      message: this.redacted(withoutSecrets(message, sources)),
      notes: explainFailure(this.#files, resources, duplicate).map((note) => this.redacted(note)),
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

/** Files that are being decrypted. */
interface Decrypting {
  readonly dialog: KeyDialog;
  readonly end: Promise<Answer>;
}

/** The end, or the keys that are wanted before it. */
async function nextOf({ dialog, end }: Decrypting): Promise<Answer> {
  const wanted = dialog.next().then((entries): Answer => ({ kind: 'KeysWanted', entries }));
  return await Promise.race([end, wanted]);
}

let session = new BuildSession();

async function answer(question: Question): Promise<Answer> {
  if (question.kind === 'Reset') {
    session = new BuildSession();
    return { kind: 'Done' };
  }
  try {
    return await session.answer(question);
  } catch (error) {
    if (isDecryptionError(error)) {
      const { message, operation, detail } = error;
      const retry = error instanceof DecryptionError ? 'Useless' : 'Useful';
      return { kind: 'Undecryptable', message, operation, detail, retry };
    }
    const message = session.redacted(error instanceof Error ? error.message : String(error));
    return { kind: error instanceof TerminalError ? 'Refused' : 'Broken', message };
  }
}

parentPort?.on('message', (question: Question) => {
  // An answer that cannot be sent ends the thread, and with it the build.
  answer(question).then(
    (answered) => parentPort?.postMessage(answered),
    (error: unknown) => {
      throw error;
    },
  );
});
