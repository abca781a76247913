import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { normalise } from '../core/objects/normalise.ts';
import {
  type Manifest,
  type Manifests,
  readManifests,
  refuseDuplicates,
} from '../core/objects/parse.ts';
import { stringify } from '../core/objects/yaml.ts';
import type { JsonObject, KubernetesObject } from '../types/kubernetes.ts';
import type { StagePatch } from '../types/stages.ts';
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
import { type ReadPatch, reachOf, readPatches } from './patch-reach.ts';
import {
  needsKustomizeText,
  readKustomizeOutput,
  substituteManifests,
  type Variables,
} from './post-build.ts';

/** How a directory is built. */
export type BuildPlan = ObjectsPlan | KustomizePlan;

/** What a build is made of, besides the files. */
export interface BuildSettings {
  /** Directory of the artifact, as a stage names it; the root where it is absent or empty. */
  readonly path: string | undefined;
  readonly patches: readonly StagePatch[];
  readonly variables: Variables;
}

interface GeneratedSettings {
  readonly patches: readonly ReadPatch[];
  readonly variables: Variables;
}

/** All is read. */
interface ObjectsPlan {
  readonly kind: 'Objects';
  readonly objects: readonly KubernetesObject[];
  readonly warnings: readonly string[];
}

/** kustomize must be run. */
interface KustomizePlan {
  readonly kind: 'Kustomize';
  /** What needs no kustomize. */
  readonly read: readonly Manifest[];
  /** Files that it needs as they are in the artifact. */
  readonly originals: readonly string[];
  /** Files that it gets with other content, by path; the kustomization itself is not among them. */
  readonly rewritten: ReadonlyMap<string, string>;
  /** The kustomization, without the patches of the stage. */
  readonly kustomization: { readonly path: string; readonly fields: JsonObject };
  /** Files in which objects can be defined. */
  readonly resources: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Decides how to build a directory of an artifact (part A 4.2 to 4.4). Plain manifests are read here;
 * where there is a kustomization, where patches come in, and where a manifest is written so that
 * readers disagree about it, kustomize is asked.
 *
 * @throws TerminalError for whatever keeps the directory from being built.
 */
export function planBuild(files: ArtifactFiles, settings: BuildSettings): BuildPlan {
  const patches = readPatches(settings.patches);
  const directory = buildDirectory(files, settings.path);
  refuseEmptyDirectory(files, directory);
  return kustomizationIn(files, directory) === undefined
    ? planGenerated(files, directory, { ...settings, patches })
    : planExisting(files, directory, patches);
}

/** The objects of a build, from what was read before and from the output of kustomize. */
export function readOutput(
  output: Uint8Array,
  read: readonly Manifest[],
  variables: Variables,
): KubernetesObject[] {
  return finished([...read, ...readKustomizeOutput(output, variables)]);
}

function planExisting(
  files: ArtifactFiles,
  directory: string,
  patches: readonly ReadPatch[],
): BuildPlan {
  const walk = new KustomizationWalk(files);
  const path = kustomizationIn(files, directory) ?? '';
  const fields = walk.visit(directory, directory);
  if (!isEmpty(fields)) return kustomizePlan(walk, { path, fields }, []);
  // kustomize calls this an error, part A 4.3 an empty stage.
  if (patches.length === 0) return { kind: 'Objects', objects: [], warnings: [] };
  return kustomizePlan(walk, { path, fields: { ...fields, resources: [] } }, []);
}

/**
 * No kustomization: every manifest below becomes a resource, and so do nested kustomizations. Those
 * can rename what other files refer to, so that kustomize must see all of them; without any it gets
 * only what needs it, as it takes minutes for thousands of objects.
 */
function planGenerated(
  files: ArtifactFiles,
  directory: string,
  settings: GeneratedSettings,
): BuildPlan {
  const { manifestPaths, nested, warnings } = contentOf(files, directory);
  const read = manifestPaths.map((path) => readOne(files, path));
  refuseDuplicates(read.flatMap(({ manifests }) => manifests));
  const { ours, others } = divide(read, nested.length > 0, settings);
  const ourManifests = substituteManifests(ours, settings.variables);
  if (nested.length + others.length + settings.patches.length === 0) {
    return { kind: 'Objects', objects: finished(ourManifests), warnings };
  }
  const walk = new KustomizationWalk(files);
  const path = inside(directory, kustomizationNames[0] ?? '');
  for (const child of nested) walk.visit(child, path);
  for (const file of others) addResource(walk, file);
  const resources = [...nested, ...others.map((file) => file.path)].map((resource) =>
    relativeTo(directory, resource),
  );
  const fields = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources,
  };
  return { ...kustomizePlan(walk, { path, fields }, warnings), read: ourManifests };
}

/** What we build ourselves, and what kustomize gets: whole files, or some of their manifests. */
function divide(
  read: readonly ReadFile[],
  hasNested: boolean,
  { patches, variables }: GeneratedSettings,
): { ours: Manifest[]; others: ResourceFile[] } {
  const reach = hasNested ? 'Everything' : reachOf(patches);
  if (reach === 'Everything') {
    return {
      ours: [],
      others: read
        .filter(({ unusual, manifests }) => unusual || manifests.length > 0)
        .map((file) => ({ ...file, whole: true })),
    };
  }
  const ours: Manifest[] = [];
  const others: ResourceFile[] = [];
  for (const file of read) {
    const isForKustomize = (manifest: Manifest): boolean =>
      file.unusual || reach(manifest.object) || needsKustomizeText(manifest, variables);
    const manifests = file.manifests.filter(isForKustomize);
    ours.push(...file.manifests.filter((manifest) => !isForKustomize(manifest)));
    if (file.unusual || manifests.length > 0) {
      others.push({ ...file, manifests, whole: file.unusual });
    }
  }
  return { ours, others };
}

interface ReadFile extends Manifests {
  readonly path: string;
}

function readOne(files: ArtifactFiles, path: string): ReadFile {
  const content = files.get(path) ?? new Uint8Array();
  return { path, ...readManifests([[path, content]], 'Kustomize') };
}

/** A file that kustomize gets, with some of its manifests or as a whole. */
interface ResourceFile extends ReadFile {
  readonly whole: boolean;
}

/** kustomize reads neither arrays nor uppercase names; what is no JSON it gets as it is. */
function addResource(walk: KustomizationWalk, { path, manifests, whole }: ResourceFile): void {
  walk.resources.add(path);
  if (!whole || /\.json$/i.test(path)) {
    walk.rewritten.set(path, stringify(manifests.map(({ object }) => object)));
  } else {
    walk.originals.add(path);
  }
}

function kustomizePlan(
  walk: KustomizationWalk,
  kustomization: KustomizePlan['kustomization'],
  warnings: readonly string[],
): KustomizePlan {
  const rewritten = new Map(walk.rewritten);
  rewritten.delete(kustomization.path);
  return {
    kind: 'Kustomize',
    read: [],
    originals: [...walk.originals].filter((path) => !walk.rewritten.has(path)),
    rewritten,
    kustomization,
    resources: [...walk.resources],
    warnings,
  };
}

/** Manifests and nested kustomizations of a directory that has no kustomization itself. */
export function contentOf(
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

function finished(manifests: readonly Manifest[]): KubernetesObject[] {
  refuseDuplicates(manifests);
  return manifests.map(({ object }) => normalise(object));
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
