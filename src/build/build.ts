import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TerminalError } from '../core/errors.ts';
import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { stringify } from '../core/objects/yaml.ts';
import type { Duration } from '../core/time.ts';
import type { SealedDataKey } from '../types/key-services.ts';
import type { KubernetesObject } from '../types/kubernetes.ts';
import type { StagePatch } from '../types/stages.ts';
import { firstFailing } from './blame.ts';
import { parentOf } from './build-directory.ts';
import { type KustomizeResult, runKustomize } from './kustomize.ts';
import { describeFailure, duplicateIn, warningsOf } from './kustomize-errors.ts';
import type { ManifestWorker } from './manifest-worker.ts';
import type { Answer, Question } from './messages.ts';
import type { BuildSettings } from './plan.ts';
import { filePortions } from './portions.ts';
import { seal } from './seal.ts';
import type { KeyOutcome } from './sops/key-dialog.ts';
import type { KeyEntries } from './sops/key-entries.ts';
import { refuseDisk } from './sops/memory-directory.ts';
import { withStagePatches } from './stage-patches.ts';
import { inWorkDirectory, writeFiles } from './work-directory.ts';

export interface BuildResult {
  /** Normalised objects, each there once. They are frozen: whoever wants to change one copies it. */
  readonly objects: readonly KubernetesObject[];
  readonly warnings: readonly string[];
  /** Values that were decrypted for it; no message may quote them. */
  readonly secrets: readonly string[];
  /** Memory that the objects and values take, estimated. */
  readonly bytes: number;
}

type KustomizePlan = Extract<Answer, { kind: 'Kustomize' }>;

export interface BuildLimits {
  readonly kustomizeBinary: string;
  readonly timeout: Duration;
  readonly maxOutputBytes: number;
  readonly temporaryDirectory: string;
  /** Where the files are put when some of them were decrypted: it must be in memory. */
  readonly decryptionDirectory: string;
}

/** What files are decrypted with. */
export interface Decryption {
  /** Private keys. */
  readonly keys: KeyEntries;
  /** Has key services open what these do not; undefined where none is asked. */
  readonly openKeys: OpenKeys | undefined;
}

type OpenKeys = (entries: readonly SealedDataKey[]) => Promise<KeyOutcome[]>;

/** Where kustomize is run: the artifact's files, and an empty home. */
interface Workplace {
  readonly root: string;
  readonly home: string;
}

type OnOutput = (chunk: Buffer) => Promise<void>;

const maxNotes = 4;

/** One build, from its files to its objects, with a worker of its own. */
export class Build {
  readonly #worker: ManifestWorker;
  #files: ArtifactFiles;
  readonly #limits: BuildLimits;
  readonly #signal: AbortSignal;
  #secrets: readonly string[] = [];
  #place: 'Anywhere' | 'Memory' = 'Anywhere';

  constructor(
    worker: ManifestWorker,
    files: ArtifactFiles,
    limits: BuildLimits,
    signal: AbortSignal,
  ) {
    this.#worker = worker;
    this.#files = files;
    this.#limits = limits;
    this.#signal = signal;
  }

  /** @param decryption of files first; undefined where nothing is to be decrypted */
  async run(settings: BuildSettings, decryption: Decryption | undefined): Promise<BuildResult> {
    for (const portion of filePortions(this.#files)) {
      await this.#ask({ kind: 'Files', files: portion }, 'Done');
    }
    if (decryption !== undefined) await this.#decrypt(settings.path, decryption);
    const plan = await this.#ask({ kind: 'Plan', settings }, 'Objects', 'Kustomize');
    if (plan.kind === 'Objects') return await this.#result(plan.count, plan.warnings);
    const warnings = [...plan.warnings, ...(await this.#kustomize(plan, settings.patches))];
    const { count } = await this.#ask({ kind: 'Read' }, 'Objects');
    return await this.#result(count, warnings);
  }

  async #decrypt(path: string | undefined, { keys, openKeys }: Decryption): Promise<void> {
    const keyServices = openKeys === undefined ? 'NotAsked' : 'Asked';
    const question = { kind: 'Decrypt', path, keys: [...keys], keyServices } as const;
    let answer = await this.#ask(question, 'Decrypted', 'KeysWanted');
    while (answer.kind === 'KeysWanted') {
      const outcomes = (await openKeys?.(answer.entries)) ?? [];
      answer = await this.#ask({ kind: 'Keys', outcomes }, 'Decrypted', 'KeysWanted');
    }
    const { count, values } = answer;
    const files = new Map(this.#files);
    for (let received = 0; received < count; ) {
      const portion = await this.#ask({ kind: 'NextFiles' }, 'Files');
      for (const [name, content] of portion.files) files.set(name, content);
      received += portion.files.length;
    }
    this.#files = files;
    this.#secrets = values;
    this.#place = count > 0 ? 'Memory' : 'Anywhere';
  }

  async #result(count: number, warnings: readonly string[]): Promise<BuildResult> {
    const objects: KubernetesObject[] = [];
    const secrets = this.#secrets;
    let bytes = seal(secrets);
    while (objects.length < count) {
      const portion = (await this.#ask({ kind: 'Next' }, 'Portion')).objects;
      for (const object of portion) bytes += seal(object);
      objects.push(...portion);
    }
    return { objects: Object.freeze(objects), warnings, secrets, bytes };
  }

  /** Runs kustomize, whose output goes to the worker. @returns its warnings. */
  async #kustomize(plan: KustomizePlan, patches: readonly StagePatch[]): Promise<string[]> {
    const { temporaryDirectory, decryptionDirectory } = this.#limits;
    const inMemory = this.#place === 'Memory';
    if (inMemory) await refuseDisk(decryptionDirectory);
    const parent = inMemory ? decryptionDirectory : temporaryDirectory;
    return inWorkDirectory(parent, async (directory) => {
      const place = { root: join(directory, 'artifact'), home: join(directory, 'home') };
      await writeFiles(place.root, this.#filesFor(plan), this.#signal);
      await writeFiles(place.home, [['.empty', '']], this.#signal);
      const { succeeded, stderr } = await this.#attempt(plan, patches, place, async (chunk) => {
        await this.#ask({ kind: 'Output', chunk }, 'Done');
      });
      if (!succeeded) throw await this.#failure(plan, patches, place, stderr);
      return warningsOf(stderr, place.root);
    });
  }

  async #attempt(
    { kustomization: { path, fields } }: KustomizePlan,
    patches: readonly StagePatch[],
    { root, home }: Workplace,
    onOutput: OnOutput,
  ): Promise<KustomizeResult> {
    const text = stringify([withStagePatches(fields, patches)]);
    await rm(join(root, path), { force: true });
    await writeFiles(root, [[path, text]], this.#signal);
    const { kustomizeBinary: binary, timeout, maxOutputBytes } = this.#limits;
    return await runKustomize({
      binary,
      directory: join(root, parentOf(path)),
      home,
      timeout,
      maxOutputBytes,
      signal: this.#signal,
      onOutput,
    });
  }

  *#filesFor(plan: KustomizePlan): Generator<readonly [string, string | Uint8Array]> {
    yield* plan.rewritten;
    for (const path of plan.originals) {
      const content = this.#files.get(path);
      if (content !== undefined) yield [path, content];
    }
  }

  /** What kustomize has failed at: the artifact, or the first patch of the stage that it refuses. */
  async #failure(
    plan: KustomizePlan,
    patches: readonly StagePatch[],
    place: Workplace,
    stderr: string,
  ): Promise<TerminalError> {
    const { count, said } = await firstFailing(patches.length, stderr, async (some) => {
      const result = await this.#attempt(plan, patches.slice(0, some), place, ignore);
      return result.succeeded ? undefined : result.stderr;
    });
    const { message, notes } = await this.#ask(
      {
        kind: 'Explain',
        message: describeFailure(said, place.root),
        duplicate: count > 0 ? undefined : duplicateIn(said),
      },
      'Explanation',
    );
    if (count > 0) return failed(`patches[${count - 1}]: ${message}`);
    return failed([message, ...notes.slice(0, maxNotes)].join('; '));
  }

  #ask<Kind extends Answer['kind']>(
    question: Question,
    ...expected: Kind[]
  ): Promise<Extract<Answer, { kind: Kind }>> {
    return this.#worker.ask(question, expected, this.#limits.timeout, this.#signal);
  }
}

async function ignore(): Promise<void> {
  // The output of an attempt that only has to fail or not.
}

function failed(message: string): TerminalError {
  return new TerminalError(message, { reason: 'StageFailed' });
}
