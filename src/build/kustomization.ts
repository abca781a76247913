import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { decodeText, readYaml, stringify } from '../core/objects/yaml.ts';
import { manifestError, type SourcePosition } from '../core/objects/yaml-position.ts';
import { isJsonObject } from '../core/validate/json-object.ts';
import type { JsonObject } from '../types/kubernetes.ts';
import { kustomizationIn } from './build-directory.ts';
import {
  type Fields,
  mappingsOf,
  refuseUnknownFields,
  textOf,
  textsOf,
} from './kustomization-fields.ts';
import {
  checkPlugin,
  type FieldReference,
  generatorReferences,
  inlineDocuments,
  withInlineJson,
} from './plugins.ts';
import { References } from './references.ts';

/** Fields of a kustomization that load nothing. */
const harmless = [
  'apiVersion',
  'kind',
  'metadata',
  'namePrefix',
  'nameSuffix',
  'namespace',
  'commonLabels',
  'labels',
  'commonAnnotations',
  'images',
  'imageTags',
  'replicas',
  'vars',
  'sortOptions',
  'generatorOptions',
  'buildMetadata',
];
const resourceFields = ['resources', 'bases'];
const fileFields = ['crds', 'configurations'];
const patchFields = ['patches', 'patchesJson6902'];
const generatorLists = ['configMapGenerator', 'secretGenerator'];
const pluginFields = ['generators', 'transformers', 'validators'];
const helmFields = ['helmCharts', 'helmGlobals', 'helmChartInflationGenerator'];

const knownFields: ReadonlySet<string> = new Set([
  ...harmless,
  ...resourceFields,
  ...fileFields,
  ...patchFields,
  ...generatorLists,
  ...pluginFields,
  'components',
  'openapi',
  'patchesStrategicMerge',
  'replacements',
]);
const patchKeys = new Set(['path', 'patch', 'target', 'options']);
const replacementKeys = new Set(['path', 'source', 'targets']);
const openapiKeys = new Set(['path', 'version']);
const generatorKeys = new Set([
  'namespace',
  'name',
  'behavior',
  'type',
  'files',
  'envs',
  'env',
  'literals',
  'options',
]);

/** A kustomization's largest file: it is read in one piece. */
const maxKustomizationBytes = 1024 * 1024;

/**
 * Follows kustomizations through an artifact and checks every reference in them. What kustomize then
 * gets to see is not the artifact but what is collected here: files that are referred to, and each
 * kustomization and plugin configuration as JSON, written anew from what was checked, so that no
 * difference between two YAML readers can smuggle a reference past the check.
 */
export class KustomizationWalk {
  readonly #files: ArtifactFiles;
  readonly #references: References;
  readonly #visited = new Set<string>();
  /** Files that are used as they are. */
  readonly originals = new Set<string>();
  /** Files that are written anew, by path. */
  readonly rewritten = new Map<string, string>();
  /** Files that are resources: where an object can be defined. */
  readonly resources = new Set<string>();

  constructor(files: ArtifactFiles) {
    this.#files = files;
    this.#references = new References(files);
  }

  /**
   * Checks the kustomization of a directory and all that it leads to.
   *
   * @returns the fields of the kustomization.
   * @throws TerminalError naming file, field and reference of what is not allowed.
   */
  visit(directory: string, referredBy: string): JsonObject {
    const path = kustomizationIn(this.#files, directory);
    if (path === undefined) {
      throw manifestError(
        { file: referredBy },
        `the directory ${directory || '.'} has no kustomization`,
      );
    }
    if (this.#visited.has(path)) return {};
    this.#visited.add(path);
    const { fields, at } = this.#read(path);
    const checked = this.#check({ fields, at, prefix: '' }, directory);
    this.rewritten.set(path, stringify([checked]));
    return checked;
  }

  #read(path: string): { fields: JsonObject; at: SourcePosition } {
    const content = this.#files.get(path) ?? new Uint8Array();
    if (content.byteLength > maxKustomizationBytes) {
      throw manifestError(
        { file: path },
        `is larger than ${maxKustomizationBytes} bytes; split it`,
      );
    }
    const [document, ...more] = [...readYaml(decodeText(content, path), path, 'Kubernetes')];
    if (document === undefined) return { fields: {}, at: { file: path } };
    const [second] = more;
    if (second !== undefined) throw manifestError(second.at, 'is a second document; keep one');
    if (!isJsonObject(document.value)) throw manifestError(document.at, 'is not a kustomization');
    return { fields: document.value, at: { file: path } };
  }

  #check(kustomization: Fields, directory: string): JsonObject {
    const { fields, at } = kustomization;
    for (const name of helmFields) {
      if (fields[name] === undefined) continue;
      throw manifestError(at, `${name} is not supported: render the chart into the artifact`);
    }
    refuseUnknownFields(kustomization, knownFields);
    this.#followResources(kustomization, directory);
    this.#followFiles(kustomization, directory);
    const checked: JsonObject = { ...fields };
    for (const name of pluginFields) {
      if (fields[name] === undefined) continue;
      checked[name] = this.#followPlugins(kustomization, name, directory);
    }
    if (fields['patchesStrategicMerge'] !== undefined) {
      const patches = textsOf(kustomization, 'patchesStrategicMerge');
      checked['patchesStrategicMerge'] = withInlineJson(patches, at);
    }
    return checked;
  }

  #followResources(kustomization: Fields, directory: string): void {
    const { at } = kustomization;
    for (const name of [...resourceFields, 'components']) {
      for (const [index, reference] of textsOf(kustomization, name).entries()) {
        const field = `${name}[${index}]`;
        const target = this.#references.resolve(reference, { field, at, directory });
        if (target.kind === 'Directory') {
          this.visit(target.path, at.file);
        } else if (name === 'components') {
          throw manifestError(
            at,
            `${field} refers to the file ${reference}; components are directories`,
          );
        } else {
          this.originals.add(target.path);
          this.resources.add(target.path);
        }
      }
    }
  }

  #followFiles(kustomization: Fields, directory: string): void {
    const { at } = kustomization;
    for (const { field, reference } of fileReferences(kustomization)) {
      this.originals.add(this.#references.resolveFile(reference, { field, at, directory }));
    }
  }

  /** A list of generators or transformers, inline ones as JSON and files written anew. */
  #followPlugins(kustomization: Fields, name: string, directory: string): string[] {
    const { at } = kustomization;
    return textsOf(kustomization, name).map((entry, index) => {
      const field = `${name}[${index}]`;
      const inline = inlineDocuments(entry, at);
      if (inline !== undefined) return this.#checkPlugins(inline, at, directory);
      const path = this.#references.resolveFile(entry, { field, at, directory });
      const text = decodeText(this.#files.get(path) ?? new Uint8Array(), path);
      const documents = [...readYaml(text, path, 'Kustomize')].map(({ value }) => value);
      if (!documents.every(isJsonObject)) throw manifestError({ file: path }, 'is not a plugin');
      const checked = this.#checkPlugins(documents, { file: path }, directory);
      this.rewritten.set(path, checked);
      return entry;
    });
  }

  #checkPlugins(plugins: readonly JsonObject[], at: SourcePosition, directory: string): string {
    const checked = plugins.map((plugin) => checkPlugin(plugin, at));
    for (const { field, reference } of checked.flatMap(({ references }) => references)) {
      this.originals.add(this.#references.resolveFile(reference, { field, at, directory }));
    }
    return stringify(checked.map(({ configuration }) => configuration));
  }
}

/** References to single files, of all fields but resources and plugins. */
function* fileReferences(kustomization: Fields): Generator<FieldReference> {
  const { at } = kustomization;
  for (const name of fileFields) {
    for (const [index, reference] of textsOf(kustomization, name).entries()) {
      yield { field: `${name}[${index}]`, reference };
    }
  }
  for (const name of patchFields) yield* pathsIn(mappingsOf(kustomization, name), patchKeys);
  yield* pathsIn(mappingsOf(kustomization, 'replacements'), replacementKeys);
  const openapi = kustomization.fields['openapi'];
  if (isJsonObject(openapi)) {
    yield* pathsIn([{ fields: openapi, at, prefix: 'openapi.' }], openapiKeys);
  } else if (openapi !== undefined && openapi !== null) {
    throw manifestError(at, 'openapi must be a mapping');
  }
  for (const name of generatorLists) {
    for (const generator of mappingsOf(kustomization, name)) {
      refuseUnknownFields(generator, generatorKeys);
      yield* generatorReferences(generator);
    }
  }
  for (const [index, reference] of textsOf(kustomization, 'patchesStrategicMerge').entries()) {
    if (inlineDocuments(reference, at) !== undefined) continue;
    yield { field: `patchesStrategicMerge[${index}]`, reference };
  }
}

function* pathsIn(
  entries: readonly Fields[],
  known: ReadonlySet<string>,
): Generator<FieldReference> {
  for (const entry of entries) {
    refuseUnknownFields(entry, known);
    const reference = textOf(entry, 'path');
    if (reference !== undefined && reference !== '') {
      yield { field: `${entry.prefix}path`, reference };
    }
  }
}
