import { Builder } from './build/builder.ts';
import type { Config } from './config/config.ts';
import { during } from './controller/failure.ts';
import type { BuildStage } from './controller/prepare-stage.ts';
import { applyHelmHookPolicy } from './core/objects/helm-hooks.ts';
import { describeObject } from './core/objects/identity.ts';
import { ArtifactCache } from './sources/artifact-cache.ts';
import { ArtifactFetcher } from './sources/fetch.ts';
import type { Stage } from './types/stages.ts';

/** From a pinned artifact to the objects of a stage; decryption and patches will stand in between. */
export class StageBuilder {
  readonly #fetcher: ArtifactFetcher;
  readonly #artifacts: ArtifactCache;
  readonly #builder: Builder;

  constructor({ allowedArtifactHosts, kustomizeBinary }: Config) {
    const fetcher = new ArtifactFetcher({ allowedArtifactHosts });
    this.#fetcher = fetcher;
    this.#artifacts = new ArtifactCache(
      async (location, signal) => await fetcher.fetch(location, signal),
    );
    this.#builder = new Builder({ kustomizeBinary });
  }

  readonly build: BuildStage = async ({ artifact, stage, variables }, signal) => {
    const { url, digest } = artifact;
    const files = await during('fetch artifact', this.#artifacts.get({ url, digest }, signal));
    const order = { path: stage.path, variables, signal };
    const { objects, warnings } = await during('build', this.#builder.build(files, order));
    const { applied, hooks } = applyHelmHookPolicy(objects, stage.applyHelmHookResources);
    const hookWarnings = hooks.length === 0 ? [] : [hookWarning(hooks.map(describeObject), stage)];
    return { objects: [...applied], warnings: [...warnings, ...hookWarnings] };
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
