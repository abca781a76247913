import type { JsonObject } from '../types/kubernetes.ts';
import type { StageSet } from '../types/stages.ts';
import { isJsonObject } from './validate/json-object.ts';

/**
 * The annotation in which the mutating webhook notes who set others: a JSON object of
 * `{value, user, uid, groups, revision}` by the name of the annotation. What a user writes there is
 * overwritten.
 */
export const requestedByAnnotation = 'stages.metio.wtf/requested-by';

/** A user as the API server authenticated them. */
export interface Requester {
  readonly user: string;
  readonly uid?: string;
  /** At most 32. */
  readonly groups?: readonly string[];
}

/** Who set an annotation, with the value that they set. */
export type RequesterNotes = ReadonlyMap<string, RequesterNote>;

export interface RequesterNote {
  readonly value: string;
  readonly requester: Requester;
  /** The revision that they were shown of the stage which the annotation names. */
  readonly revision?: string;
}

/**
 * Who set the annotation to the value that it has now; undefined where nobody vouches for one. A note
 * about another value says nothing.
 */
export function requesterOf({ metadata }: StageSet, annotation: string): Requester | undefined {
  return noteOn(metadata, annotation)?.requester;
}

/** The note about the annotation as it is now. */
export function noteOn(
  { annotations }: StageSet['metadata'],
  annotation: string,
): RequesterNote | undefined {
  const note = readNotes(annotations?.[requestedByAnnotation]).get(annotation);
  return note?.value === annotations?.[annotation] ? note : undefined;
}

/** The notes in an annotation's text; what is no note is passed over. */
export function readNotes(text: string | undefined): RequesterNotes {
  const notes = new Map<string, RequesterNote>();
  for (const [annotation, note] of Object.entries(parsed(text))) {
    if (!isJsonObject(note)) continue;
    const { value, revision } = note;
    const requester = readRequester(note);
    if (typeof value !== 'string' || requester === undefined) continue;
    const shown = typeof revision === 'string' ? { revision } : {};
    notes.set(annotation, { value, requester, ...shown });
  }
  return notes;
}

/** The requester that a note names by `user`, `uid` and `groups`; undefined where it names none. */
export function readRequester({ user, uid, groups }: JsonObject): Requester | undefined {
  if (typeof user !== 'string') return undefined;
  const named = Array.isArray(groups)
    ? groups.filter((group): group is string => typeof group === 'string').slice(0, mostGroups)
    : [];
  return {
    user,
    ...(typeof uid === 'string' ? { uid } : {}),
    ...(named.length === 0 ? {} : { groups: named }),
  };
}

export const mostGroups = 32;

function parsed(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
