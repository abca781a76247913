import { tmpdir } from 'node:os';
import type { BuildResult } from './build/build.ts';
import { BuildCache, type BuildInputs } from './build/build-cache.ts';
import { Builder } from './build/builder.ts';
import { DecryptionError } from './build/sops/decryption-error.ts';
import type { Config } from './config/config.ts';
import { during, OperationError } from './controller/failure.ts';
import type { BuildInput, BuildSteps } from './controller/prepare-stage.ts';
import type { ArtifactFiles } from './core/objects/artifact-files.ts';
import { applyHelmHookPolicy } from './core/objects/helm-hooks.ts';
import { describeObject } from './core/objects/identity.ts';
import { sweepTemporaryDirectories } from './kubernetes/temporary-directories.ts';
import { ArtifactCache } from './sources/artifact-cache.ts';
import { ArtifactFetcher } from './sources/fetch.ts';
import type { Stage } from './types/stages.ts';

/** From a pinned artifact to the objects of a stage. */
export class StageBuilder implements BuildSteps {
  readonly #fetcher: ArtifactFetcher;
  readonly #artifacts: ArtifactCache;
  readonly #builder: Builder;
  readonly #results = new BuildCache();
  readonly #decryptionDirectory: string;

  constructor({
    allowedArtifactHosts,
    decryptionDirectory,
    kustomizeBinary,
  }: Pick<Config, 'allowedArtifactHosts' | 'decryptionDirectory' | 'kustomizeBinary'>) {
    const fetcher = new ArtifactFetcher({ allowedArtifactHosts });
    this.#fetcher = fetcher;
    this.#artifacts = new ArtifactCache(
      async (location, signal) => await fetcher.fetch(location, signal),
    );
    this.#decryptionDirectory = decryptionDirectory;
    this.#builder = new Builder({ kustomizeBinary, decryptionDirectory });
  }

  /** Removes what processes that were ended by force have left on the disk. */
  async sweep(): Promise<void> {
    await sweepTemporaryDirectories(tmpdir());
    await sweepTemporaryDirectories(this.#decryptionDirectory);
  }

  async fetch(input: BuildInput, signal: AbortSignal): Promise<void> {
    const inputs = inputsOf(input);
    if (!this.#results.has(inputs)) await this.#fetch(inputs, signal);
  }

  async build(input: BuildInput, signal: AbortSignal): ReturnType<BuildSteps['build']> {
    const inputs = inputsOf(input);
    const build = async (shared: AbortSignal): Promise<BuildResult> => {
      const source = async (): Promise<ArtifactFiles> => await this.#fetch(inputs, shared);
      const building = this.#builder.build(source, { ...inputs, signal: shared });
      return await during('build', building.catch(nameOperation));
    };
    const { objects, warnings, secrets } = await this.#results.get(inputs, build, signal);
    const { stage } = input;
    // The hook policy is applied to what is cached: it costs nothing, and needs no part in the key.
    const { applied, hooks } = applyHelmHookPolicy(objects, stage.applyHelmHookResources);
    const hookWarnings = hooks.length === 0 ? [] : [hookWarning(hooks.map(describeObject), stage)];
    return { objects: applied, warnings: [...warnings, ...hookWarnings], secrets };
  }

  async close(): Promise<void> {
    await Promise.all([this.#fetcher.close(), this.#builder.close()]);
  }

  async #fetch({ artifact }: BuildInputs, signal: AbortSignal): Promise<ArtifactFiles> {
    return await during('fetch artifact', this.#artifacts.get(artifact, signal));
  }
}

function inputsOf({ artifact: { url, digest }, stage, variables, keys }: BuildInput): BuildInputs {
  const { path, patches = [] } = stage;
  return { artifact: { url, digest }, path, patches, variables, keys };
}

/** Decryption is part of a build, and is told apart where it fails. */
function nameOperation(error: unknown): never {
  throw error instanceof DecryptionError ? new OperationError(error.operation, error) : error;
}

function hookWarning(names: readonly string[], { applyHelmHookResources }: Stage): string {
  const fate =
    applyHelmHookResources === false
      ? 'left out'
      : 'applied like other objects, not at the times that Helm would';
  return `objects annotated helm.sh/hook are ${fate}: ${names.slice(0, 10).join(', ')}`;
}
