import { TerminalError } from '../core/errors.ts';
import type { ArtifactFiles } from '../core/objects/artifact-files.ts';
import { readYaml } from '../core/objects/yaml.ts';
import { isJsonObject } from '../core/validate/json-object.ts';
import type { JsonObject } from '../types/kubernetes.ts';

/** Shorter values are part of ordinary words: blanking them out would blank out messages. */
const shortest = 4;

/** What of a build may be a secret: where its Secrets come from. */
export interface SecretSources {
  readonly files: ArtifactFiles;
  /** Paths of manifests. */
  readonly resources: readonly string[];
  /** Other files that kustomize gets, among them those of generators. */
  readonly originals: readonly string[];
  /** Texts of kustomizations, plugins and patches. */
  readonly texts: readonly string[];
}

/** A message without the values of Secrets, in which kustomize may have repeated them. */
export function withoutSecrets(message: string, sources: SecretSources): string {
  const values = [...secretValues(sources)].filter((value) => value.length >= shortest);
  // A longer one may contain a shorter one.
  return [...new Set(values)]
    .sort((one, other) => other.length - one.length)
    .reduce((text, value) => text.replaceAll(value, '…'), message);
}

function* secretValues({ files, resources, originals, texts }: SecretSources): Generator<string> {
  for (const path of resources) yield* valuesIn(textOf(files, path));
  for (const text of texts) yield* valuesIn(text);
  for (const path of originals) {
    if (!resources.includes(path) && isSmall(files, path)) yield* linesOf(textOf(files, path));
  }
}

/** Files for one line of which a message has room. */
function isSmall(files: ArtifactFiles, path: string): boolean {
  return (files.get(path)?.byteLength ?? 0) <= 64 * 1024;
}

function textOf(files: ArtifactFiles, path: string): string {
  return Buffer.from(files.get(path) ?? []).toString('utf8');
}

/** Lines of a file of variables, and their values. */
function* linesOf(text: string): Generator<string> {
  for (const line of text.split(/\r?\n/)) {
    yield line.trim();
    yield line.slice(line.indexOf('=') + 1).trim();
  }
}

function* valuesIn(text: string): Generator<string> {
  if (!/secret/i.test(text)) return;
  try {
    for (const { value } of readYaml(text, 'manifest', 'Kustomize')) yield* valuesOf(value);
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
  }
}

/** Values of Secrets and of what generates them, at any depth: Lists, patches and plugins. */
function* valuesOf(value: unknown): Generator<string> {
  if (Array.isArray(value)) {
    for (const item of value as unknown[]) yield* valuesOf(item);
  } else if (typeof value === 'string' && /[{:]/.test(value)) {
    yield* valuesIn(value);
  } else if (isJsonObject(value)) {
    yield* ownValuesOf(value);
    for (const member of Object.values(value)) yield* valuesOf(member);
  }
}

function* ownValuesOf({ kind, data, stringData, literals }: JsonObject): Generator<string> {
  if (kind === 'Secret') {
    for (const text of textsIn(stringData)) yield text;
    for (const text of textsIn(data)) {
      yield text;
      yield Buffer.from(text, 'base64').toString('utf8');
    }
  }
  for (const text of textsIn(literals)) {
    yield text;
    yield text.slice(text.indexOf('=') + 1);
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).filter((member) => typeof member === 'string');
}
