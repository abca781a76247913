import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TerminalError } from '../core/errors.ts';
import { type ArtifactFiles, contentSize } from '../core/objects/artifact-files.ts';
import { type Duration, seconds } from '../core/time.ts';
import { InFlightLimit } from '../kubernetes/in-flight-limit.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import { runKustomize } from './kustomize.ts';
import { describeFailure, duplicateIn, warningsOf } from './kustomize-errors.ts';
import { ManifestWorker } from './manifest-worker.ts';
import type { Answer, Question } from './messages.ts';
import { planBuild } from './plan.ts';
import { inWorkDirectory, writeFiles } from './work-directory.ts';

export interface BuilderOptions {
  /** Name or path of the kustomize program. */
  readonly kustomizeBinary?: string;
  /** Longest time for one kustomize, and for reading the manifests of one build. */
  readonly timeout?: Duration;
  /** Most that one kustomize may write. */
  readonly maxOutputBytes?: number;
  /** Builds at the same time; others wait for their turn. */
  readonly concurrency?: number;
  /** Where kustomize's files are put; the system's default. */
  readonly temporaryDirectory?: string;
}

export interface BuildOrder {
  /** Directory of the artifact, as a stage names it; the root where it is absent or empty. */
  readonly path: string | undefined;
  /** For the expressions in what is built (part A 4.5); none leave them as they are. */
  readonly variables?: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
}

export interface BuildResult {
  /** Normalised objects in the order of their manifests; each is there once. */
  readonly objects: KubernetesObject[];
  readonly warnings: string[];
}

type KustomizePlan = Extract<Answer, { kind: 'Kustomize' }>;

/**
 * Bytes that are read on the main thread: about a dozen milliseconds of YAML at worst, less than it
 * takes to hand them over, and most stages need no thread then.
 */
const smallArtifact = 4 * 1024;
const filesPerPortion = 500;
const bytesPerPortion = 1024 * 1024;
const maxNotes = 4;

/**
 * Turns the files of an artifact into objects. Manifests are read on worker threads and
 * kustomizations by the kustomize program; the main thread only hands things over.
 */
export class Builder {
  readonly #options: Required<BuilderOptions>;
  readonly #slots: InFlightLimit;
  readonly #idle: ManifestWorker[] = [];
  #closed = false;

  constructor(options: BuilderOptions = {}) {
    this.#options = {
      kustomizeBinary: 'kustomize',
      timeout: seconds(60),
      maxOutputBytes: 64 * 1024 * 1024,
      concurrency: 2,
      temporaryDirectory: tmpdir(),
      ...options,
    };
    this.#slots = new InFlightLimit(this.#options.concurrency);
  }

  /**
   * Builds one directory of an artifact (part A 4.2 to 4.6).
   *
   * @throws TerminalError with reason `StageFailed` when the artifact must change, RetryableError
   * when the machine is at fault, the signal's reason when aborted.
   */
  async build(files: ArtifactFiles, order: BuildOrder): Promise<BuildResult> {
    const { path, signal, variables = new Map<string, string>() } = order;
    // A few bytes of text can become megabytes with variables in them.
    if (variables.size === 0 && contentSize(files) <= smallArtifact) {
      const plan = planBuild(files, path, variables);
      if (plan.kind === 'Objects') {
        return { objects: [...plan.objects], warnings: [...plan.warnings] };
      }
    }
    await this.#slots.enter(signal);
    try {
      const worker = this.#idle.pop() ?? new ManifestWorker();
      try {
        return await new Build(worker, files, this.#options, signal).run(path, variables);
      } finally {
        await this.#release(worker);
      }
    } finally {
      this.#slots.leave();
    }
  }

  /** Ends the idle workers; builds that are under way are ended by their signals. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map((worker) => worker.end()));
  }

  async #release(worker: ManifestWorker): Promise<void> {
    if (worker.ended) return;
    if (this.#closed) await worker.end();
    else if (await worker.reset()) this.#idle.push(worker);
  }
}

/** One build, from its files to its objects. */
class Build {
  readonly #worker: ManifestWorker;
  readonly #files: ArtifactFiles;
  readonly #options: Required<BuilderOptions>;
  readonly #signal: AbortSignal;

  constructor(
    worker: ManifestWorker,
    files: ArtifactFiles,
    options: Required<BuilderOptions>,
    signal: AbortSignal,
  ) {
    this.#worker = worker;
    this.#files = files;
    this.#options = options;
    this.#signal = signal;
  }

  async run(
    path: string | undefined,
    variables: ReadonlyMap<string, string>,
  ): Promise<BuildResult> {
    for (const portion of portions(this.#files)) {
      await this.#ask({ kind: 'Files', files: portion }, 'Done');
    }
    const plan = await this.#ask({ kind: 'Plan', path, variables }, 'Objects', 'Kustomize');
    const warnings = [...plan.warnings];
    if (plan.kind === 'Objects') return { objects: await this.#objects(plan.count), warnings };
    warnings.push(...(await this.#kustomize(plan)));
    const { count } = await this.#ask({ kind: 'Read' }, 'Objects');
    return { objects: await this.#objects(count), warnings };
  }

  async #objects(count: number): Promise<KubernetesObject[]> {
    const objects: KubernetesObject[] = [];
    while (objects.length < count) {
      objects.push(...(await this.#ask({ kind: 'Next' }, 'Portion')).objects);
    }
    return objects;
  }

  /** Runs kustomize, whose output goes to the worker. @returns its warnings. */
  async #kustomize(plan: KustomizePlan): Promise<string[]> {
    const { kustomizeBinary, timeout, maxOutputBytes, temporaryDirectory } = this.#options;
    return inWorkDirectory(temporaryDirectory, async (directory) => {
      const root = join(directory, 'artifact');
      const home = join(directory, 'home');
      await writeFiles(root, this.#filesFor(plan), this.#signal);
      await writeFiles(home, [['.empty', '']], this.#signal);
      const { succeeded, stderr } = await runKustomize({
        binary: kustomizeBinary,
        directory: join(root, plan.directory),
        home,
        timeout,
        maxOutputBytes,
        signal: this.#signal,
        onOutput: async (chunk) => {
          await this.#ask({ kind: 'Output', chunk }, 'Done');
        },
      });
      if (!succeeded) throw await this.#failure(stderr, root);
      return warningsOf(stderr);
    });
  }

  *#filesFor(plan: KustomizePlan): Generator<readonly [string, string | Uint8Array]> {
    yield* plan.rewritten;
    for (const path of plan.originals) {
      const content = this.#files.get(path);
      if (content !== undefined) yield [path, content];
    }
  }

  async #failure(stderr: string, root: string): Promise<TerminalError> {
    const question: Question = { kind: 'Explain', duplicate: duplicateIn(stderr) };
    const { notes } = await this.#ask(question, 'Explanation');
    const message = [describeFailure(stderr, root), ...notes.slice(0, maxNotes)].join('; ');
    return new TerminalError(message, { reason: 'StageFailed' });
  }

  #ask<Kind extends Answer['kind']>(
    question: Question,
    ...expected: Kind[]
  ): Promise<Extract<Answer, { kind: Kind }>> {
    return this.#worker.ask(question, expected, this.#options.timeout, this.#signal);
  }
}

function* portions(files: ArtifactFiles): Generator<(readonly [string, Uint8Array])[]> {
  let portion: (readonly [string, Uint8Array])[] = [];
  let bytes = 0;
  for (const [path, content] of files) {
    portion.push([path, content]);
    bytes += content.byteLength;
    if (portion.length < filesPerPortion && bytes < bytesPerPortion) continue;
    yield portion;
    portion = [];
    bytes = 0;
  }
  if (portion.length > 0) yield portion;
}
