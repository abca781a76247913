import { tmpdir } from 'node:os';
import { type ArtifactFiles, contentSize } from '../core/objects/artifact-files.ts';
import { type Duration, seconds } from '../core/time.ts';
import { FairLimit } from '../kubernetes/fair-limit.ts';
import type { KeyOpener, SealedDataKey } from '../types/key-services.ts';
import { Build, type BuildResult } from './build.ts';
import { KeyErrand } from './key-errand.ts';
import { ManifestWorker } from './manifest-worker.ts';
import { type BuildSettings, planBuild } from './plan.ts';
import { type LadderResult, readLadder } from './read-ladder.ts';
import { seal } from './seal.ts';
import type { KeyEntries } from './sops/key-entries.ts';
import { Turn } from './turn.ts';

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
  /** Where they are put when some of them were decrypted: a directory in memory. */
  readonly decryptionDirectory?: string;
  /** Longest time that all key services together may take of one build. */
  readonly keyPatience?: Duration;
}

export interface BuildOrder extends Partial<BuildSettings> {
  /** Tenants take turns where builds wait for each other. */
  readonly tenant?: string;
  /** Private keys; without them nothing is decrypted. */
  readonly keys?: KeyEntries | undefined;
  /** Asks key services for what these keys do not open; without it none is asked. */
  readonly keyOpener?: KeyOpener | undefined;
  readonly signal: AbortSignal;
}

/**
 * Bytes that are read on the main thread: about a dozen milliseconds of YAML at worst, less than it
 * takes to hand them over, and most stages need no thread then.
 */
const smallArtifact = 4 * 1024;

interface LargeBuild {
  readonly settings: BuildSettings;
  readonly keys: KeyEntries | undefined;
  readonly keyOpener: KeyOpener | undefined;
  readonly tenant: string;
}

/** Builds that wait for key services; each of them keeps its files in memory. */
const mostWaiting = 16;

/**
 * Turns the files of an artifact into objects. Manifests are read on worker threads and
 * kustomizations by the kustomize program; the main thread only hands things over.
 */
export class Builder {
  readonly #options: Required<BuilderOptions>;
  readonly #slots: FairLimit;
  readonly #waiting = new FairLimit(mostWaiting, 'ForNewcomers');
  readonly #idle: ManifestWorker[] = [];
  #closed = false;

  constructor(options: BuilderOptions = {}) {
    this.#options = {
      kustomizeBinary: 'kustomize',
      timeout: seconds(60),
      maxOutputBytes: 64 * 1024 * 1024,
      concurrency: 2,
      temporaryDirectory: tmpdir(),
      decryptionDirectory: '/dev/shm',
      keyPatience: seconds(30),
      ...options,
    };
    this.#slots = new FairLimit(this.#options.concurrency, 'None');
  }

  /**
   * Builds one directory of an artifact (part A 4.2 to 4.6).
   *
   * @throws TerminalError with reason `StageFailed` when the artifact, the patches or the variables
   * must change, DecryptionError for files that cannot be decrypted, RetryableError when a key service
   * or the machine is at fault, the signal's reason when aborted.
   */
  async build(
    source: ArtifactSource,
    { signal, tenant = '', ...order }: BuildOrder,
  ): Promise<BuildResult> {
    const settings: BuildSettings = {
      path: order.path,
      patches: order.patches ?? [],
      variables: order.variables ?? new Map(),
    };
    const { keys, keyOpener } = order;
    // Cryptography in JavaScript takes its time.
    const small = keys === undefined ? buildSmall(await filesOf(source), settings) : undefined;
    return small ?? (await this.#buildLarge(source, { settings, keys, keyOpener, tenant }, signal));
  }

  async #buildLarge(
    source: ArtifactSource,
    { settings, keys, keyOpener, tenant }: LargeBuild,
    signal: AbortSignal,
  ): Promise<BuildResult> {
    return await this.#inTurn(source, tenant, signal, async (worker, files, turn) => {
      const errand = keyOpener && new KeyErrand(keyOpener, signal, this.#options.keyPatience);
      const openKeys =
        errand &&
        (async (entries: readonly SealedDataKey[]) =>
          await turn.without(async () => await errand.open(entries), signal));
      const decryption = keys === undefined ? undefined : { keys, openKeys };
      return await new Build(worker, files, this.#options, signal).run(settings, decryption);
    });
  }

  /**
   * The migrations in the files of an artifact below a path, or what is wrong with them (part B 2.7).
   *
   * @throws TerminalError where reading them takes too much time or memory, RetryableError when the
   * machine is at fault, the signal's reason when aborted.
   */
  async readLadder(
    source: ArtifactSource,
    path: string | undefined,
    { tenant, signal }: { readonly tenant: string; readonly signal: AbortSignal },
  ): Promise<LadderResult> {
    const { timeout } = this.#options;
    return await this.#inTurn(source, tenant, signal, async (worker, files) =>
      readLadder(worker, files, path, { timeout, signal }),
    );
  }

  /** Work with a thread and the files, which are gotten once it is the tenant's turn. */
  async #inTurn<Result>(
    source: ArtifactSource,
    tenant: string,
    signal: AbortSignal,
    work: (worker: ManifestWorker, files: ArtifactFiles, turn: Turn) => Promise<Result>,
  ): Promise<Result> {
    const turn = new Turn(this.#slots.slotsOf(tenant), this.#waiting.slotsOf(tenant));
    await turn.take(signal);
    try {
      const files = await filesOf(source);
      const worker = this.#idle.pop() ?? new ManifestWorker();
      try {
        return await work(worker, files, turn);
      } finally {
        await this.#release(worker);
      }
    } finally {
      turn.end();
    }
  }

  /** Ends the idle workers; builds that are under way are ended by their signals. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#idle.splice(0).map((worker) => worker.end()));
  }

  async #release(worker: ManifestWorker): Promise<void> {
    if (worker.ended) return;
    // More were there while others waited for key services.
    const enough = this.#idle.length >= this.#options.concurrency;
    if (this.#closed || enough) await worker.end();
    else if (await worker.reset()) this.#idle.push(worker);
  }
}

async function filesOf(source: ArtifactSource): Promise<ArtifactFiles> {
  return typeof source === 'function' ? await source() : source;
}

/**
 * The files, or where to get them, twice: whoever waits for a turn must not hold them in memory
 * meanwhile.
 */
type ArtifactSource = ArtifactFiles | (() => Promise<ArtifactFiles>);

/** A small and plain artifact, on this thread; undefined for every other one. */
function buildSmall(files: ArtifactFiles, settings: BuildSettings): BuildResult | undefined {
  if (contentSize(files) > smallArtifact || settings.patches.length > 0) return undefined;
  // What substitution makes of a small text can be large.
  if (settings.variables.size > 0 && mayHaveExpressions(files)) return undefined;
  const plan = planBuild(files, { ...settings, variables: new Map() });
  if (plan.kind === 'Kustomize') return undefined;
  const { objects, warnings } = plan;
  return { objects, warnings, secrets: [], bytes: seal(objects) };
}

/** An expression has a dollar sign, which can be hidden only behind a backslash. */
function mayHaveExpressions(files: ArtifactFiles): boolean {
  const [dollar, backslash] = [0x24, 0x5c];
  return [...files.values()].some(
    (content) => content.includes(dollar) || content.includes(backslash),
  );
}
