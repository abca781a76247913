import type { JsonObject } from '../../types/kubernetes.ts';
import { promoteAnnotation, stageToPromote } from '../gates/promote-annotation.ts';
import { isJsonObject } from '../validate/json-object.ts';
import { fieldOf, metadataOf } from './request.ts';

/** Of a revision in a note; longer ones are the text of somebody who plays. */
const longestRevision = 1024;

/**
 * The revision of a stage that whoever sets an annotation was shown: where it promotes a stage, the
 * one that is at its gates by the status, else the one that was to be delivered last. Undefined where
 * that cannot be told, and for other annotations.
 */
export function shownRevision(
  annotation: string,
  value: string,
  object: JsonObject | null | undefined,
): string | undefined {
  const stage = annotation === promoteAnnotation ? stageToPromote(value) : undefined;
  if (stage === undefined) return undefined;
  const revision = revisionAtGates(stage, object) ?? revisionWanted(stage, object);
  return revision === undefined || revision.length > longestRevision ? undefined : revision;
}

function revisionAtGates(stage: string, object: JsonObject | null | undefined): string | undefined {
  const entry = itemsOf(fieldOf(object, 'status'), 'stages').find(({ name }) => name === stage);
  const phase = fieldOf(entry, 'promotionState')['phase'];
  return typeof phase === 'string' && phase !== 'Promoted'
    ? textAt(entry, 'appliedRevision')
    : undefined;
}

function revisionWanted(stage: string, object: JsonObject | null | undefined): string | undefined {
  const own = textAt(metadataOf(object), 'namespace') ?? '';
  const sources = itemsOf(fieldOf(object, 'spec'), 'stages').map((item) => {
    const { kind, name, namespace } = fieldOf(item, 'sourceRef');
    const where = typeof namespace === 'string' && namespace !== '' ? namespace : own;
    return { stage: item['name'], kind, key: `${where}/${String(name)}` };
  });
  const source = sources.find((one) => one.stage === stage);
  if (source === undefined) return undefined;
  // Sources of two kinds and one name share an entry, which is of either.
  if (sources.some(({ key, kind }) => key === source.key && kind !== source.kind)) return undefined;
  return textAt(fieldOf(fieldOf(object, 'status'), 'lastAttemptedRevisions'), source.key);
}

function itemsOf(object: JsonObject, field: string): JsonObject[] {
  const value = object[field];
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function textAt(object: JsonObject | undefined, field: string): string | undefined {
  const value = object?.[field];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
