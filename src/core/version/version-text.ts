import type { KubernetesObject } from '../../types/kubernetes.ts';
import type { Stage, VersionSource } from '../../types/stages.ts';
import type { ArtifactFiles } from '../objects/artifact-files.ts';
import { type JsonPathPart, parseJsonPathTemplate, textAt } from '../objects/json-path.ts';
import { isProblem } from '../problem.ts';
import { cut, shapeOf } from '../validate/field-path.ts';
import { notVersion } from './ladder.ts';
import { parseVersion } from './semver.ts';

/** A version as it is written, without blanks around it, or why there is none. */
export type VersionText = { readonly kind: 'Version'; readonly version: string } | InvalidVersion;

interface InvalidVersion {
  readonly kind: 'Invalid';
  readonly reason: 'InvalidVersion';
  readonly message: string;
}

/** Where the version of a StageSet is to be read. Stages are told by their positions. */
export type VersionRoute =
  | VersionText
  /** From the objects that a stage renders. */
  | {
      readonly kind: 'FromObject';
      readonly stage: number;
      readonly source: NonNullable<VersionSource['fromObject']>;
    }
  /** From the files of a stage's artifact, all of it and not only the stage's path. */
  | {
      readonly kind: 'FromArtifact';
      readonly stage: number;
      readonly source: NonNullable<VersionSource['fromArtifact']>;
    };

/** The way to the version of a StageSet (part B 2.1). */
export function versionRoute(
  { value = '', fromObject, fromArtifact }: VersionSource,
  stages: readonly Pick<Stage, 'name'>[],
): VersionRoute {
  if (fromObject !== undefined) {
    const { stage = '' } = fromObject;
    const index = stage === '' ? 0 : stages.findIndex(({ name }) => name === stage);
    if (index === -1) return unknownStage('fromObject', stage);
    return { kind: 'FromObject', stage: index, source: fromObject };
  }
  if (fromArtifact !== undefined) {
    const { stage } = fromArtifact;
    const index = stages.findIndex(({ name }) => name === stage);
    if (index === -1) return unknownStage('fromArtifact', stage);
    return { kind: 'FromArtifact', stage: index, source: fromArtifact };
  }
  const version = value.trim();
  if (parseVersion(version) !== undefined) return { kind: 'Version', version };
  return invalid(`spec.version.value ${notVersion(version)}`);
}

function unknownStage(field: string, stage: string): InvalidVersion {
  return invalid(`spec.version.${field}.stage is ${cut(stage)}, and no stage is called so`);
}

const defaultLabel = 'app.kubernetes.io/version';

/** The version in the first object of that kind and name among those that the stage renders. */
export function versionFromObjects(
  source: NonNullable<VersionSource['fromObject']>,
  objects: readonly KubernetesObject[],
): VersionText {
  const { kind, name, apiVersion = '', fieldPath = '' } = source;
  const described = `${apiVersion === '' ? '' : `${cut(apiVersion)} `}${cut(kind)} ${cut(name)}`;
  const object = objects.find(
    (each) =>
      each.kind === kind &&
      each.metadata.name === name &&
      (apiVersion === '' || each.apiVersion === apiVersion),
  );
  if (object === undefined) {
    return invalid(`the stage renders no ${described}; correct spec.version.fromObject`);
  }
  if (fieldPath.trim() === '') return versionFromLabel(object, described);
  const path = parseJsonPathTemplate(fieldPath);
  const field = 'spec.version.fromObject.fieldPath';
  if (isProblem(path)) return invalid(`${field} ${path.problem}`);
  if (isSecret(object) && !isOfMetadata(path)) {
    return invalid(
      `${field} reads a Secret, whose values are never shown; use a field of its metadata`,
    );
  }
  const text = textAt(path, object);
  if (typeof text !== 'string') return invalid(`${field} ${text.problem}, in ${described}`);
  return versionOf(text, `${field} of ${described}`);
}

function versionFromLabel({ metadata }: KubernetesObject, described: string): VersionText {
  const text = metadata.labels?.[defaultLabel];
  if (text === undefined) {
    return invalid(`${described} has no label ${defaultLabel}; add it, or set fieldPath`);
  }
  return versionOf(text, `label ${defaultLabel} of ${described}`);
}

function isSecret({ apiVersion, kind }: KubernetesObject): boolean {
  return apiVersion === 'v1' && kind === 'Secret';
}

/** Whether all that a template leads to is metadata. */
function isOfMetadata(parts: readonly JsonPathPart[]): boolean {
  return parts.every(
    (part) => typeof part === 'string' || part.expression.startsWith('$["metadata"]'),
  );
}

/** Bytes of a file with a version and blanks around it: a version has 256 characters at most. */
const mostBytes = 1024;

/** The version in a file of an artifact, by its exact path. */
export function versionFromFiles(
  { path }: NonNullable<VersionSource['fromArtifact']>,
  files: ArtifactFiles,
): VersionText {
  const content = files.get(path);
  if (content === undefined) {
    return invalid(`the artifact has no file ${cut(path)}; correct spec.version.fromArtifact.path`);
  }
  const where = `file ${cut(path)} of the artifact`;
  if (content.byteLength > mostBytes) {
    return invalid(
      `${where} has ${content.byteLength} bytes; it must have a version and nothing else`,
    );
  }
  return versionOf(new TextDecoder().decode(content), where);
}

/** What is no version is not shown: it may be anything, a secret in the wrong place as well. */
function versionOf(text: string, where: string): VersionText {
  const version = text.trim();
  if (parseVersion(version) !== undefined) return { kind: 'Version', version };
  return invalid(`${where} has ${shapeOf(version)}, which is no semantic version such as 2.0.0`);
}

function invalid(message: string): InvalidVersion {
  return { kind: 'Invalid', reason: 'InvalidVersion', message };
}
