import { access, constants, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What a cluster and its tests run; every one is a single static executable. */
export const binaries = [
  'kube-apiserver',
  'etcd',
  'kube-controller-manager',
  'kubectl',
  'kustomize',
] as const;
export type Binary = (typeof binaries)[number];

/** What an envtest archive holds (kubebuilder's convention). */
export const envtestBinaries: readonly Binary[] = ['kube-apiserver', 'etcd', 'kubectl'];

/** The pinned versions, each with its leading `v`. */
export interface Versions {
  kubernetes: string;
  etcd: string;
  kustomize: string;
}

/** The pins, read from the go.mod files beside this one: they are written down nowhere else. */
export async function pinnedVersions(): Promise<Versions> {
  const [kubernetes, etcd, kustomize] = await Promise.all([
    requiredVersion('kubernetes', 'k8s.io/kubernetes'),
    requiredVersion('etcd', 'go.etcd.io/etcd/server/v3'),
    requiredVersion('kustomize', 'sigs.k8s.io/kustomize/kustomize/v5'),
  ]);
  return { kubernetes, etcd, kustomize };
}

/** The version of a module that `folder/go.mod` beside this file requires, with its leading `v`. */
export async function requiredVersion(folder: string, module: string): Promise<string> {
  const file = join(import.meta.dirname, folder, 'go.mod');
  const lines = (await readFile(file, 'utf8')).split('\n');
  for (const line of lines) {
    const [path, version] = line
      .replace(/^require\s/, '')
      .trim()
      .split(/\s+/);
    if (path === module && version !== undefined) {
      return version;
    }
  }
  throw new Error(`${file}: does not require ${module}`);
}

/** Node's platform and architecture in Go's words. */
export function platform(): { os: string; arch: string } {
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  return { os: process.platform, arch };
}

/** Those of `wanted` that `directory` holds as executable files. */
export async function presentIn(
  directory: string,
  wanted: readonly Binary[] = binaries,
): Promise<Binary[]> {
  const present = await Promise.all(
    wanted.map(async (binary) => isExecutable(join(directory, binary))),
  );
  return wanted.filter((_, index) => present[index]);
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
