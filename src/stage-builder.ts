import { tmpdir } from 'node:os';
import { BuildCache } from './build/build-cache.ts';
import { Builder } from './build/builder.ts';
import type { Config } from './config/config.ts';
import { during } from './controller/failure.ts';
import type { BuildStage } from './controller/prepare-stage.ts';
import type { ArtifactFiles } from './core/objects/artifact-files.ts';
import { applyHelmHookPolicy } from './core/objects/helm-hooks.ts';
import { describeObject } from './core/objects/identity.ts';
import { sweepTemporaryDirectories } from './kubernetes/temporary-directories.ts';
import { ArtifactCache } from './sources/artifact-cache.ts';
import { ArtifactFetcher } from './sources/fetch.ts';
import type { Stage } from './types/stages.ts';

/** From a pinned artifact to the objects of a stage; decryption will stand in between. */
export class StageBuilder {
  readonly #fetcher: ArtifactFetcher;
  readonly #artifacts: ArtifactCache;
  readonly #builder: Builder;
  readonly #results = new BuildCache();

  constructor({ allowedArtifactHosts, kustomizeBinary }: Config) {
    const fetcher = new ArtifactFetcher({ allowedArtifactHosts });
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

  readonly build: BuildStage = async ({ artifact, stage, variables }, signal) => {
    const { url, digest } = artifact;
    const settings = { path: stage.path, patches: stage.patches ?? [], variables };
    const { objects, warnings } = await this.#results.get(
      { ...settings, artifact: { url, digest } },
      async (shared) => {
        const fetch = async (): Promise<ArtifactFiles> =>
          await during('fetch artifact', this.#artifacts.get({ url, digest }, shared));
        const order = { ...settings, signal: shared };
        return await during('build', this.#builder.build(fetch, order));
      },
      signal,
    );
    // The hook policy is applied to what is cached: it costs nothing, and needs no part in the key.
    const { applied, hooks } = applyHelmHookPolicy(objects, stage.applyHelmHookResources);
    const hookWarnings = hooks.length === 0 ? [] : [hookWarning(hooks.map(describeObject), stage)];
    return { objects: applied, warnings: [...warnings, ...hookWarnings] };
  };

  async close(): Promise<void> {
    await Promise.all([this.#fetcher.close(), this.#builder.close()]);
  }
}

function hookWarning(names: readonly string[], { applyHelmHookResources }: Stage): string {
  const fate =
    applyHelmHookResources === false
      ? 'left out'
      : 'applied like other objects, not at the times that Helm would';
  return `objects annotated helm.sh/hook are ${fate}: ${names.slice(0, 10).join(', ')}`;
}
