import { chmod, copyFile, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '../progress.ts';
import type { Binary, Versions } from './binaries.ts';
import { go } from './go.ts';

/** How one binary is built. */
export interface Recipe {
  /** Folder beside this file with go.mod and go.sum. */
  module: string;
  /** What keeps the requirements there: imports alone, or a program of our own. */
  source: 'tools.go' | 'main.go';
  package: string;
  /** Values for `-ldflags -X`: without them a build of ours reports no version. */
  stamps: Record<string, string>;
}

export interface BuildOptions {
  /** Empty directory on the same file system as `into`, ours alone. */
  scratch: string;
  into: string;
  progress: Progress;
  signal?: AbortSignal;
}

const progressEvery = 5_000;

/** Builds one of a cluster's binaries at its pinned version; see {@link buildFrom}. */
export async function buildBinary(
  binary: Binary,
  options: BuildOptions & { versions: Versions },
): Promise<void> {
  const { module, ...recipe } = recipeOf(binary, options.versions);
  const version = options.versions[module];
  await buildFrom({ name: binary, version, module, source: 'tools.go', ...recipe }, options);
}

/**
 * Builds one binary from the Go module proxy at the pinned version and puts it into `into` by a
 * rename, so that nobody ever sees half a file. Nothing is written beside the pins: they are
 * copied to `scratch` first.
 *
 * @throws Error when Go is missing, too old, cannot reach its proxy or fails; it says what to do
 */
export async function buildFrom(
  recipe: Recipe & { name: string; version: string },
  options: BuildOptions,
): Promise<void> {
  const { name: binary, version } = recipe;
  // Folders of their own: the module and the binary of etcd have the same name.
  const module = join(options.scratch, 'modules', recipe.module);
  await mkdir(module, { recursive: true });
  for (const file of ['go.mod', 'go.sum', recipe.source]) {
    await copyFile(join(import.meta.dirname, recipe.module, file), join(module, file));
  }
  const purpose = `build of ${binary} ${version}`;
  const output = join(options.scratch, 'built', binary);
  const report = reportOn(purpose, options.progress);
  try {
    await go(purpose, [...buildFlags(recipe), '-o', output, recipe.package], {
      cwd: module,
      signal: options.signal,
      onErrorLine: report.onLine,
    });
  } finally {
    report.end();
  }
  await chmod(output, 0o755);
  await rename(output, join(options.into, binary));
}

function buildFlags(recipe: Recipe): string[] {
  const stamps = Object.entries(recipe.stamps).map(([name, value]) => `-X ${name}=${value}`);
  return [
    'build',
    '-v',
    // Each compiler of Kubernetes takes up to a gigabyte: two at once are enough for any laptop.
    '-p=2',
    '-mod=readonly',
    '-trimpath',
    '-buildvcs=false',
    `-ldflags=${['-s -w', ...stamps].join(' ')}`,
  ];
}

function recipeOf(
  binary: Binary,
  versions: Versions,
): Pick<Recipe, 'package' | 'stamps'> & { module: keyof Versions } {
  switch (binary) {
    case 'etcd':
      return { module: 'etcd', package: 'go.etcd.io/etcd/server/v3', stamps: {} };
    case 'kustomize':
      return {
        module: 'kustomize',
        package: 'sigs.k8s.io/kustomize/kustomize/v5',
        stamps: { 'sigs.k8s.io/kustomize/api/provenance.version': versions.kustomize },
      };
    case 'kube-apiserver':
    case 'kube-controller-manager':
    case 'kubectl':
      return {
        module: 'kubernetes',
        package: `k8s.io/kubernetes/cmd/${binary}`,
        stamps: kubernetesStamps(versions.kubernetes),
      };
  }
}

/** What kube-apiserver, kubectl and the others say that they are; `version` with its leading `v`. */
export function kubernetesStamps(version: string): Record<string, string> {
  const [major = '', minor = ''] = version.replace(/^v/, '').split('.');
  return {
    'k8s.io/component-base/version.gitVersion': version,
    'k8s.io/component-base/version.gitMajor': major,
    'k8s.io/component-base/version.gitMinor': minor,
    'k8s.io/component-base/version.gitTreeState': 'archive',
  };
}

/** Says every few seconds how far a build is: `go build -v` names each package it compiles. */
function reportOn(
  purpose: string,
  progress: Progress,
): { onLine: (line: string) => void; end: () => void } {
  const started = Date.now();
  let downloads = 0;
  let packages = 0;
  progress(`${purpose} from the Go module proxy (the first time takes minutes)`);
  const timer = setInterval(() => {
    progress(`${purpose}: ${status()}`);
  }, progressEvery);
  const status = (): string =>
    `${downloads} modules fetched, ${packages} packages compiled, ${Math.round((Date.now() - started) / 1000)} s`;
  return {
    onLine: (line) => {
      if (line.startsWith('go: downloading')) {
        downloads += 1;
      } else if (!line.startsWith('go:') && !line.startsWith('#')) {
        packages += 1;
      }
    },
    end: () => {
      clearInterval(timer);
      progress(`${purpose}: ended, ${status()}`);
    },
  };
}
