import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { normalise } from '../core/objects/normalise.ts';
import {
  type Manifest,
  type Manifests,
  readManifests,
  refuseDuplicates,
} from '../core/objects/parse.ts';
import { substitute } from '../core/objects/substitution.ts';
import { stringify, stringifyBlocks } from '../core/objects/yaml.ts';
import type { JsonObject, KubernetesObject } from '../types/kubernetes.ts';
import {
  buildDirectory,
  filesBelow,
  inside,
  isManifestName,
  kustomizationIn,
  kustomizationNames,
  parentOf,
  refuseEmptyDirectory,
} from './build-directory.ts';
import { KustomizationWalk } from './kustomization.ts';

/** How a directory is built. */
export type BuildPlan = ObjectsPlan | KustomizePlan;

/** All is read. */
interface ObjectsPlan {
  readonly kind: 'Objects';
  readonly objects: readonly KubernetesObject[];
  readonly warnings: readonly string[];
}

/** kustomize must be run. */
interface KustomizePlan {
  readonly kind: 'Kustomize';
  /** Where kustomize is run, relative to the artifact. */
  readonly directory: string;
  /** What needs no kustomize. */
  readonly read: readonly Manifest[];
  /** Files that it needs as they are in the artifact. */
  readonly originals: readonly string[];
  /** Files that it gets with other content, by path. */
  readonly rewritten: ReadonlyMap<string, string>;
  /** Files in which objects can be defined. */
  readonly resources: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Decides how to build a directory of an artifact (part A 4.2 to 4.4). Plain manifests are read here;
 * where there is a kustomization, and where a manifest is written so that readers disagree about it,
 * kustomize is asked.
 *
 * @throws TerminalError for whatever keeps the directory from being built.
 */
export function planBuild(
  files: ArtifactFiles,
  path: string | undefined,
  variables: ReadonlyMap<string, string> = new Map(),
): BuildPlan {
  const directory = buildDirectory(files, path);
  refuseEmptyDirectory(files, directory);
  return kustomizationIn(files, directory) === undefined
    ? planGenerated(files, directory, variables)
    : planExisting(files, directory);
}

/** The objects of a build, from what was read before and from the output of kustomize. */
export function readOutput(
  output: Uint8Array,
  read: readonly Manifest[],
  variables: ReadonlyMap<string, string>,
): KubernetesObject[] {
  const { manifests } = readManifests([['the output of kustomize', output]], 'Kustomize');
  return finished([...read, ...manifests], variables);
}

function planExisting(files: ArtifactFiles, directory: string): BuildPlan {
  const walk = new KustomizationWalk(files);
  const kustomization = walk.visit(directory, directory);
  // kustomize calls this an error, part A 4.3 an empty stage.
  if (isEmpty(kustomization)) return { kind: 'Objects', objects: [], warnings: [] };
  return kustomizePlan(directory, walk, []);
}

/**
 * No kustomization: every manifest below becomes a resource, and so do nested kustomizations. Those
 * can rename what other files refer to, so that kustomize must see all of them; without any it gets
 * only the files that need it, as it takes minutes for thousands of objects.
 */
function planGenerated(
  files: ArtifactFiles,
  directory: string,
  variables: ReadonlyMap<string, string>,
): BuildPlan {
  const { manifestPaths, nested, warnings } = contentOf(files, directory);
  const read = manifestPaths.map((path) => readOne(files, path));
  refuseDuplicates(read.flatMap(({ manifests }) => manifests));
  const [ours, others] =
    nested.length > 0
      ? [[], read.filter(({ unusual, manifests }) => unusual || manifests.length > 0)]
      : [read.filter(({ unusual }) => !unusual), read.filter(({ unusual }) => unusual)];
  const ourManifests = ours.flatMap(({ manifests }) => manifests);
  if (nested.length + others.length === 0) {
    return { kind: 'Objects', objects: finished(ourManifests, variables), warnings };
  }
  const walk = new KustomizationWalk(files);
  const name = inside(directory, kustomizationNames[0] ?? '');
  for (const child of nested) walk.visit(child, name);
  for (const file of others) addResource(walk, file);
  const resources = [...nested, ...others.map(({ path }) => path)].map((path) =>
    relativeTo(directory, path),
  );
  walk.rewritten.set(
    name,
    stringify([
      { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization', resources },
    ]),
  );
  return { ...kustomizePlan(directory, walk, warnings), read: ourManifests };
}

interface ReadFile extends Manifests {
  readonly path: string;
}

function readOne(files: ArtifactFiles, path: string): ReadFile {
  const content = files.get(path) ?? new Uint8Array();
  return { path, ...readManifests([[path, content]], 'Kustomize') };
}

/** kustomize reads neither arrays nor uppercase names; what is no JSON it gets as it is. */
function addResource(walk: KustomizationWalk, { path, manifests }: ReadFile): void {
  walk.resources.add(path);
  if (/\.json$/i.test(path)) {
    walk.rewritten.set(path, stringify(manifests.map(({ object }) => object)));
  } else {
    walk.originals.add(path);
  }
}

function kustomizePlan(
  directory: string,
  walk: KustomizationWalk,
  warnings: readonly string[],
): KustomizePlan {
  return {
    kind: 'Kustomize',
    directory,
    read: [],
    originals: [...walk.originals].filter((path) => !walk.rewritten.has(path)),
    rewritten: walk.rewritten,
    resources: [...walk.resources],
    warnings,
  };
}

/** Manifests and nested kustomizations of a directory that has no kustomization itself. */
function contentOf(
  files: ArtifactFiles,
  directory: string,
): { manifestPaths: string[]; nested: string[]; warnings: string[] } {
  const all = filesBelow(files, directory);
  const roots = all.filter(isKustomization).map(parentOf);
  const nested = [...new Set(roots)].filter(
    (root) => !roots.some((other) => other !== root && root.startsWith(`${other}/`)),
  );
  const manifestPaths: string[] = [];
  const warnings: string[] = [];
  for (const path of all) {
    if (!isManifestName(path) || nested.some((root) => path.startsWith(`${root}/`))) continue;
    const twin = path.replace(/\.json$/i, '.yaml');
    if (twin !== path && files.has(twin)) {
      warnings.push(`${path} is ignored, since ${twin} is there too; remove one of them`);
    } else {
      manifestPaths.push(path);
    }
  }
  return { manifestPaths, nested, warnings };
}

function finished(
  built: readonly Manifest[],
  variables: ReadonlyMap<string, string>,
): KubernetesObject[] {
  const manifests = variables.size === 0 ? built : substituted(built, variables);
  refuseDuplicates(manifests);
  return manifests.map(({ object }) => normalise(object));
}

/** The manifests with their text once more read, after variables have been put into it. */
function substituted(
  built: readonly Manifest[],
  variables: ReadonlyMap<string, string>,
): readonly Manifest[] {
  const text = stringifyBlocks(built.map(({ object }) => object));
  const content = new TextEncoder().encode(substitute(text, variables));
  return readManifests([['the built manifests', content]], 'Kustomize').manifests;
}

/** Whether a kustomization says nothing, in kustomize's understanding. */
function isEmpty(kustomization: JsonObject): boolean {
  return Object.entries(kustomization).every(
    ([name, value]) => name === 'apiVersion' || name === 'kind' || value === null,
  );
}

function isKustomization(path: string): boolean {
  return kustomizationNames.includes(path.slice(path.lastIndexOf('/') + 1));
}

function relativeTo(directory: string, path: string): string {
  return directory === '' ? path : path.slice(directory.length + 1);
}
