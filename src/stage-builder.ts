import { tmpdir } from 'node:os';
import type { BuildResult } from './build/build.ts';
import { BuildCache, type BuildInputs } from './build/build-cache.ts';
import { Builder, type BuilderOptions } from './build/builder.ts';
import { LadderCache } from './build/ladder-cache.ts';
import { isDecryptionError } from './build/sops/decryption-error.ts';
import type { Config } from './config/config.ts';
import { during, OperationError } from './controller/failure.ts';
import type {
  BuildInput,
  BuildSteps,
  WantedFiles,
  WantedLadder,
} from './controller/prepare-stage.ts';
import type { ArtifactFiles } from './core/objects/artifact-files.ts';
import { applyHelmHookPolicy } from './core/objects/helm-hooks.ts';
import { describeObject } from './core/objects/identity.ts';
import type { ParsedLadder } from './core/version/parse-ladder.ts';
import { FairLimit } from './kubernetes/fair-limit.ts';
import { sweepTemporaryDirectories } from './kubernetes/temporary-directories.ts';
import { ArtifactCache } from './sources/artifact-cache.ts';
import { ArtifactFetcher, type ArtifactLocation } from './sources/fetch.ts';
import type { KeyOpener, KeyOpeners } from './types/key-services.ts';
import type { Stage } from './types/stages.ts';

/** They wait for servers, which may hang; a namespace alone has at most half of them. */
const maxDownloads = 32;

type StageBuilderConfig = Pick<
  Config,
  'allowedArtifactHosts' | 'decryptionDirectory' | 'kustomizeBinary'
>;

/** What is fetched and built for everybody in the process. */
interface Stock {
  readonly fetcher: ArtifactFetcher;
  readonly artifacts: ArtifactCache;
  readonly downloads: FairLimit;
  readonly results: BuildCache;
  readonly ladders: LadderCache;
  /** Undefined asks no key services. */
  readonly keyOpeners: KeyOpeners | undefined;
}

/** From a pinned artifact to the objects of a stage. */
export class StageBuilder implements BuildSteps {
  readonly #config: StageBuilderConfig;
  readonly #stock: Stock;
  readonly #builder: Builder;
  readonly #others: StageBuilder[] = [];

  constructor(
    config: StageBuilderConfig,
    keyOpeners?: KeyOpeners,
    stock: Stock = openStock(config, keyOpeners),
    limits: Pick<BuilderOptions, 'concurrency'> = {},
  ) {
    this.#config = config;
    this.#stock = stock;
    const { decryptionDirectory, kustomizeBinary } = config;
    this.#builder = new Builder({ kustomizeBinary, decryptionDirectory, ...limits });
  }

  /**
   * Builds for others: it takes what is fetched or built already, but has turns of its own, so that
   * neither waits for the other. Downloads are shared, since many of them fit beside each other.
   */
  beside(limits: Required<Pick<BuilderOptions, 'concurrency'>>): BuildSteps {
    const [results, ladders] = [this.#stock.results.beside(), this.#stock.ladders.beside()];
    const stock = { ...this.#stock, results, ladders };
    const other = new StageBuilder(this.#config, stock.keyOpeners, stock, limits);
    this.#others.push(other);
    return other;
  }

  /** Removes what processes that were ended by force have left on the disk. */
  async sweep(): Promise<void> {
    await sweepTemporaryDirectories(tmpdir());
    await sweepTemporaryDirectories(this.#config.decryptionDirectory);
  }

  async fetch(input: BuildInput, signal: AbortSignal): Promise<void> {
    const { inputs } = this.#partsOf(input);
    if (this.#stock.results.has(inputs)) return;
    await this.#download(inputs.artifact, input.tenant, signal);
  }

  async files(
    { artifact, tenant, paths }: WantedFiles,
    signal: AbortSignal,
  ): Promise<ArtifactFiles> {
    const all = await this.#download(locationOf(artifact), tenant, signal);
    return new Map([...all].filter(([path]) => paths.includes(path)));
  }

  async ladder(
    { artifact, tenant, path }: WantedLadder,
    signal: AbortSignal,
  ): Promise<ParsedLadder> {
    const location = locationOf(artifact);
    const { ladders } = this.#stock;
    if (!ladders.has(location, path)) await this.#download(location, tenant, signal);
    return await ladders.get(
      location,
      path,
      async (shared) => {
        const source = async (): Promise<ArtifactFiles> => await this.#fetch(location, shared);
        return await this.#builder.readLadder(source, path, { tenant, signal: shared });
      },
      signal,
    );
  }

  async build(input: BuildInput, signal: AbortSignal): ReturnType<BuildSteps['build']> {
    const { tenant } = input;
    const { inputs, keyOpener } = this.#partsOf(input);
    const build = async (shared: AbortSignal): Promise<BuildResult> => {
      const source = async (): Promise<ArtifactFiles> => await this.#fetch(inputs.artifact, shared);
      const order = { ...inputs, keyOpener, tenant, signal: shared };
      const building = this.#builder.build(source, order);
      return await during('build', building.catch(nameOperation));
    };
    const { objects, warnings, secrets } = await this.#stock.results.get(inputs, build, signal);
    const { stage } = input;
    // The hook policy is applied to what is cached: it costs nothing, and needs no part in the key.
    const { applied, hooks } = applyHelmHookPolicy(objects, stage.applyHelmHookResources);
    const hookWarnings = hooks.length === 0 ? [] : [hookWarning(hooks.map(describeObject), stage)];
    return { objects: applied, warnings: [...warnings, ...hookWarnings], secrets };
  }

  async close(): Promise<void> {
    const others = this.#others.map(async (other) => await other.close());
    await Promise.all([this.#stock.fetcher.close(), this.#builder.close(), ...others]);
  }

  #partsOf(input: BuildInput): {
    readonly inputs: BuildInputs;
    readonly keyOpener: KeyOpener | undefined;
  } {
    const { artifact, stage, variables, keys, account } = input;
    const { path, patches = [] } = stage;
    const keyOpener = keys === undefined ? undefined : this.#stock.keyOpeners?.of(account);
    const keyIdentity = keyOpener?.identity;
    const inputs: BuildInputs = {
      artifact: locationOf(artifact),
      path,
      patches,
      variables,
      keys,
      keyIdentity,
    };
    return { inputs, keyOpener };
  }

  /**
   * Each of those who share a download has a place of its own in line: whoever has many there must not
   * hold up another one who waits for the same artifact.
   */
  async #download(
    location: ArtifactLocation,
    tenant: string,
    signal: AbortSignal,
  ): Promise<ArtifactFiles> {
    await this.#stock.downloads.enter(tenant, signal);
    try {
      return await this.#fetch(location, signal);
    } finally {
      this.#stock.downloads.leave(tenant);
    }
  }

  async #fetch(location: ArtifactLocation, signal: AbortSignal): Promise<ArtifactFiles> {
    return await during('fetch artifact', this.#stock.artifacts.get(location, signal));
  }
}

function locationOf({ url, digest }: ArtifactLocation): ArtifactLocation {
  return { url, digest };
}

function openStock(
  { allowedArtifactHosts }: StageBuilderConfig,
  keyOpeners: KeyOpeners | undefined,
): Stock {
  const fetcher = new ArtifactFetcher({ allowedHosts: allowedArtifactHosts });
  const artifacts = new ArtifactCache(
    async (location, signal) => await fetcher.fetch(location, signal),
  );
  const downloads = new FairLimit(maxDownloads, 'ForNewcomers');
  const [results, ladders] = [new BuildCache(), new LadderCache()];
  return { fetcher, artifacts, downloads, results, ladders, keyOpeners };
}

/** Decryption is part of a build, and is told apart where it fails. */
function nameOperation(error: unknown): never {
  throw isDecryptionError(error) ? new OperationError(error.operation, error) : error;
}

function hookWarning(names: readonly string[], { applyHelmHookResources }: Stage): string {
  const fate =
    applyHelmHookResources === false
      ? 'left out'
      : 'applied like other objects, not at the times that Helm would';
  return `objects annotated helm.sh/hook are ${fate}: ${names.slice(0, 10).join(', ')}`;
}
