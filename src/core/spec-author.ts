import type { JsonObject } from '../types/kubernetes.ts';
import type { StageSet } from '../types/stages.ts';
import { canonicalJson } from './canonical-json.ts';
import { digestOf } from './hash.ts';
import { type Requester, readRequester } from './requested-by.ts';
import { isJsonObject } from './validate/json-object.ts';

/**
 * The annotation in which the mutating webhook notes who made the spec what it is, where the spec asks
 * for it (`spec.version.approvals.excludeSpecAuthor`): a JSON object of `{spec, user, uid, groups}`, the
 * first being a digest. What a user writes there is overwritten.
 */
export const specChangedByAnnotation = 'stages.metio.wtf/spec-changed-by';

/** Who made a spec what it is. */
export interface SpecAuthor {
  /** Of the spec that they made, so that a note about another one says nothing. */
  readonly digest: string;
  readonly requester: Requester;
}

/** The last user who changed the spec; undefined where nobody vouches for one. */
export function specAuthorOf({ metadata, spec }: StageSet): Requester | undefined {
  const author = readSpecAuthor(metadata.annotations?.[specChangedByAnnotation]);
  if (author === undefined || spec === undefined) return undefined;
  return author.digest === specDigest(spec) ? author.requester : undefined;
}

/** Sixteen hex digits that change with the spec, but for `suspend`: who pauses it is not its author. */
export function specDigest(spec: object): string {
  const fields = Object.entries(spec).filter(([name]) => name !== 'suspend');
  return digestOf(Object.fromEntries(fields)).slice(0, 16);
}

/** Whether a spec asks for the note; anything at all may be in the place of the spec. */
export function asksForSpecAuthor(spec: unknown): boolean {
  const version = isJsonObject(spec) ? spec['version'] : undefined;
  const approvals = isJsonObject(version) ? version['approvals'] : undefined;
  return isJsonObject(approvals) && approvals['excludeSpecAuthor'] === true;
}

/** The note in an annotation's text; undefined for what is none. */
export function readSpecAuthor(text: string | undefined): SpecAuthor | undefined {
  const note = parsed(text);
  const digest = note['spec'];
  const requester = readRequester(note);
  return typeof digest === 'string' && requester !== undefined ? { digest, requester } : undefined;
}

/** The text of the note, the same for equal notes. */
export function writeSpecAuthor({ digest, requester }: SpecAuthor): string {
  return canonicalJson({ spec: digest, ...requester });
}

function parsed(text: string | undefined): JsonObject {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
