import { requestAnnotations } from './annotations.ts';
import { canonicalJson } from './canonical-json.ts';
import {
  mostGroups,
  type Requester,
  type RequesterNote,
  type RequesterNotes,
  readNotes,
} from './requested-by.ts';

/** Annotations of an object, or what stands in their place. */
export type Annotations = Readonly<Record<string, unknown>>;

/** What the notes of a request follow from. */
export interface NotedRequest {
  /** Undefined for a request that creates. */
  readonly before:
    | { readonly annotations: Annotations; readonly notes: RequesterNotes }
    | undefined;
  readonly after: Annotations;
  /** Undefined where the API server names nobody: nobody can be noted then. */
  readonly requester: Requester | undefined;
  /** The revision that the requester was shown of what an annotation with this value is about. */
  readonly shown?: (annotation: string, value: string) => string | undefined;
}

/**
 * Who asks for what with this request: whoever makes it, for each annotation that it sets or changes;
 * whoever was noted before, for each that it leaves as it was. Nobody else can vouch for anything.
 */
export function notesOf({ before, after, requester, shown }: NotedRequest): RequesterNotes {
  const notes = new Map<string, RequesterNote>();
  for (const annotation of requestAnnotations) {
    const value = after[annotation];
    if (typeof value !== 'string') continue;
    const kept = before?.annotations[annotation] === value;
    const vouching = kept
      ? before.notes.get(annotation)
      : noteOf(value, requester, shown?.(annotation, value));
    if (vouching?.value === value) notes.set(annotation, vouching);
  }
  return notes;
}

/** The notes that are in both, as the first has them. */
export function keptNotes(notes: RequesterNotes, still: RequesterNotes): RequesterNotes {
  return new Map([...notes].filter(([annotation]) => still.has(annotation)));
}

/** Annotations about which an object's notes say another thing than they should, or too much. */
export function forgedNotes(text: string | undefined, wanted: RequesterNotes): string[] {
  return [...readNotes(text)]
    .filter(([annotation, note]) => {
      const right = wanted.get(annotation);
      return right === undefined || canonicalJson(right) !== canonicalJson(note);
    })
    .map(([annotation]) => annotation);
}

/** The text of the note, the same for equal notes; undefined where there is nothing to note. */
export function writeNotes(notes: RequesterNotes): string | undefined {
  if (notes.size === 0) return undefined;
  const entries = [...notes].map(([annotation, { value, requester, revision }]) => [
    annotation,
    { value, ...requester, ...(revision === undefined ? {} : { revision }) },
  ]);
  return canonicalJson(Object.fromEntries(entries));
}

/** A requester as notes keep them: not all groups, and what is empty left out. */
export function requesterFrom({
  username = '',
  uid = '',
  groups = [],
}: {
  readonly username?: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
}): Requester | undefined {
  if (username === '') return undefined;
  return {
    user: username,
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups: groups.slice(0, mostGroups) }),
  };
}

function noteOf(
  value: string,
  requester: Requester | undefined,
  revision: string | undefined,
): RequesterNote | undefined {
  if (requester === undefined) return undefined;
  return { value, requester, ...(revision === undefined ? {} : { revision }) };
}
