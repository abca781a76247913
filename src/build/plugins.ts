import { readYaml, stringify } from '../core/objects/yaml.ts';
import { manifestError, type SourcePosition } from '../core/objects/yaml-position.ts';
import { isJsonObject } from '../core/validate/json-object.ts';
import type { JsonObject } from '../types/kubernetes.ts';
import {
  type Fields,
  mappingsOf,
  refuseOtherSpellings,
  textOf,
  textsOf,
} from './kustomization-fields.ts';

/** A reference in a field. */
export interface FieldReference {
  readonly field: string;
  readonly reference: string;
}

/** Fields of ConfigMap and Secret generators that load files, here and in kustomizations. */
const generatorFields = ['files', 'envs', 'env'];

/**
 * The built-in plugins, each with those of its fields that load files. Helm and every plugin that is
 * a program or a container are left out, as nothing of an artifact is ever run.
 */
const plugins: ReadonlyMap<string, readonly string[]> = new Map<string, readonly string[]>([
  ['AnnotationsTransformer', []],
  ['ConfigMapGenerator', generatorFields],
  ['HashTransformer', []],
  ['IAMPolicyGenerator', []],
  ['ImageTagTransformer', []],
  ['LabelTransformer', []],
  ['NamespaceTransformer', []],
  ['PatchJson6902Transformer', ['path']],
  ['PatchStrategicMergeTransformer', ['paths']],
  ['PatchTransformer', ['path']],
  ['PrefixSuffixTransformer', []],
  ['PrefixTransformer', []],
  ['ReplacementTransformer', ['replacements']],
  ['ReplicaCountTransformer', []],
  ['SecretGenerator', generatorFields],
  ['SuffixTransformer', []],
  ['ValueAddTransformer', ['targetFilePath']],
]);

/** The mappings that a text consists of, or undefined when it is no such text but a path. */
export function inlineDocuments(text: string, at: SourcePosition): JsonObject[] | undefined {
  if (!/[:{]/.test(text)) return undefined;
  const values = [...readYaml(text, at.file, 'Kustomize')].map(({ value }) => value);
  return values.length > 0 && values.every(isJsonObject) ? values : undefined;
}

/**
 * A list of paths and inline documents with the documents as JSON. kustomize tries each entry as a
 * path or URL first, and JSON is neither: `https://host/x?a: b` would be both a URL and a mapping.
 */
export function withInlineJson(texts: readonly string[], at: SourcePosition): string[] {
  return texts.map((text) => {
    const documents = inlineDocuments(text, at);
    return documents === undefined ? text : stringify(documents);
  });
}

/** A plugin's configuration as kustomize gets it, and what it refers to. */
export interface CheckedPlugin {
  readonly configuration: JsonObject;
  readonly references: readonly FieldReference[];
}

/** @throws TerminalError for a plugin that is not built in. */
export function checkPlugin(plugin: JsonObject, at: SourcePosition): CheckedPlugin {
  const { apiVersion, kind } = plugin;
  const loading =
    apiVersion === 'builtin' && typeof kind === 'string' ? plugins.get(kind) : undefined;
  if (loading === undefined || typeof kind !== 'string') {
    throw manifestError(
      at,
      `the plugin ${String(apiVersion)} ${String(kind)} is not allowed: only kustomize's built-in ` +
        'generators and transformers are run, neither programs, containers nor Helm',
    );
  }
  const fields: Fields = { fields: plugin, at, prefix: `${kind}.` };
  refuseOtherSpellings(fields, ['apiVersion', 'kind', ...loading]);
  const references = loading.flatMap((name) => referencesIn(fields, name));
  const configuration = loading.includes('paths')
    ? { ...plugin, paths: withInlineJson(textsOf(fields, 'paths'), at) }
    : plugin;
  return { configuration, references };
}

/** The references of a ConfigMap or Secret generator, in a kustomization or as a plugin. */
export function generatorReferences(generator: Fields): FieldReference[] {
  return generatorFields.flatMap((name) => referencesIn(generator, name));
}

function referencesIn(fields: Fields, name: string): FieldReference[] {
  switch (name) {
    case 'files':
      return textsOf(fields, name).map((entry, index) => ({
        field: `${fields.prefix}${name}[${index}]`,
        // `key=path`, or the path alone.
        reference: entry.slice(entry.indexOf('=') + 1),
      }));
    case 'envs':
      return textsOf(fields, name).map((reference, index) => ({
        field: `${fields.prefix}${name}[${index}]`,
        reference,
      }));
    case 'paths':
      return textsOf(fields, name).flatMap((reference, index) =>
        inlineDocuments(reference, fields.at) === undefined
          ? [{ field: `${fields.prefix}${name}[${index}]`, reference }]
          : [],
      );
    case 'replacements':
      return mappingsOf(fields, name).flatMap((replacement) => {
        refuseOtherSpellings(replacement, ['path']);
        return referencesIn(replacement, 'path');
      });
    default: {
      const reference = textOf(fields, name);
      return reference === undefined ? [] : [{ field: `${fields.prefix}${name}`, reference }];
    }
  }
}
