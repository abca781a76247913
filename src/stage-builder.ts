import { tmpdir } from 'node:os';
import type { BuildResult } from './build/build.ts';
import { BuildCache, type BuildInputs } from './build/build-cache.ts';
import { Builder } from './build/builder.ts';
import type { Config } from './config/config.ts';
import { during } from './controller/failure.ts';
import type { BuildInput, BuildSteps } from './controller/prepare-stage.ts';
import type { ArtifactFiles } from './core/objects/artifact-files.ts';
import { applyHelmHookPolicy } from './core/objects/helm-hooks.ts';
import { describeObject } from './core/objects/identity.ts';
import { sweepTemporaryDirectories } from './kubernetes/temporary-directories.ts';
import { ArtifactCache } from './sources/artifact-cache.ts';
import { ArtifactFetcher } from './sources/fetch.ts';
import type { Stage } from './types/stages.ts';

/** From a pinned artifact to the objects of a stage; decryption will stand in between. */
export class StageBuilder implements BuildSteps {
  readonly #fetcher: ArtifactFetcher;
  readonly #artifacts: ArtifactCache;
  readonly #builder: Builder;
  readonly #results = new BuildCache();

  constructor({
    allowedArtifactHosts,
    kustomizeBinary,
  }: Pick<Config, 'allowedArtifactHosts' | 'kustomizeBinary'>) {
    const fetcher = new ArtifactFetcher({ allowedHosts: allowedArtifactHosts });
    this.#fetcher = fetcher;
    this.#artifacts = new ArtifactCache(
      async (location, signal) => await fetcher.fetch(location, signal),
    );
    this.#builder = new Builder({ kustomizeBinary });
  }

  /** Removes what processes that were ended by force have left on the disk. */
  async sweep(): Promise<void> {
    await sweepTemporaryDirectories(tmpdir());
  }

  async fetch(input: BuildInput, signal: AbortSignal): Promise<void> {
    const inputs = inputsOf(input);
    if (!this.#results.has(inputs)) await this.#fetch(inputs, signal);
  }

  async build(input: BuildInput, signal: AbortSignal): ReturnType<BuildSteps['build']> {
    const inputs = inputsOf(input);
    const build = async (shared: AbortSignal): Promise<BuildResult> => {
      const source = async (): Promise<ArtifactFiles> => await this.#fetch(inputs, shared);
      return await during('build', this.#builder.build(source, { ...inputs, signal: shared }));
    };
    const { objects, warnings } = await this.#results.get(inputs, build, signal);
    const { stage } = input;
    // The hook policy is applied to what is cached: it costs nothing, and needs no part in the key.
    const { applied, hooks } = applyHelmHookPolicy(objects, stage.applyHelmHookResources);
    const hookWarnings = hooks.length === 0 ? [] : [hookWarning(hooks.map(describeObject), stage)];
    return { objects: applied, warnings: [...warnings, ...hookWarnings] };
  }

  async close(): Promise<void> {
    await Promise.all([this.#fetcher.close(), this.#builder.close()]);
  }

  async #fetch({ artifact }: BuildInputs, signal: AbortSignal): Promise<ArtifactFiles> {
    return await during('fetch artifact', this.#artifacts.get(artifact, signal));
  }
}

function inputsOf({ artifact: { url, digest }, stage, variables }: BuildInput): BuildInputs {
  return { artifact: { url, digest }, path: stage.path, patches: stage.patches ?? [], variables };
}

function hookWarning(names: readonly string[], { applyHelmHookResources }: Stage): string {
  const fate =
    applyHelmHookResources === false
      ? 'left out'
      : 'applied like other objects, not at the times that Helm would';
  return `objects annotated helm.sh/hook are ${fate}: ${names.slice(0, 10).join(', ')}`;
}
