import type { AdmissionRequest } from '../../types/generated/admission.k8s.io.v1.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import { canonicalJson } from '../canonical-json.ts';
import { requesterFrom } from '../request-notes.ts';
import {
  asksForSpecAuthor,
  readSpecAuthor,
  specChangedByAnnotation,
  specDigest,
  writeSpecAuthor,
} from '../spec-author.ts';
import { fieldOf, isSpecKept } from './request.ts';
import { annotationsOf } from './requester-notes.ts';

/**
 * The text of the note that an object must carry after this request, of who made its spec what it is:
 * whoever makes the request that changes it, and whoever was noted before while it stays. Undefined
 * where the spec does not ask for a note, or where the API server names nobody.
 *
 * @param spec as it will be stored
 */
export function wantedSpecAuthor(request: AdmissionRequest, spec: JsonObject): string | undefined {
  if (!asksForSpecAuthor(spec)) return undefined;
  if (isSpecKept(request)) return specAuthorText(request.oldObject);
  const requester = requesterFrom(request.userInfo);
  return requester === undefined
    ? undefined
    : writeSpecAuthor({ digest: specDigest(spec), requester });
}

/** The text of an object's note. */
function specAuthorText(object: JsonObject | null | undefined): string | undefined {
  const text = annotationsOf(object)[specChangedByAnnotation];
  return typeof text === 'string' ? text : undefined;
}

/**
 * Whether an object names somebody as the author of its spec who is not. A note about another spec is
 * none: it is left over from before, and believed by nobody.
 */
export function forgesSpecAuthor(request: AdmissionRequest): boolean {
  const spec = fieldOf(request.object, 'spec');
  const note = readSpecAuthor(specAuthorText(request.object));
  if (note === undefined || note.digest !== specDigest(spec)) return false;
  const wanted = readSpecAuthor(wantedSpecAuthor(request, spec));
  // Where nothing is asked for, nothing is believed either.
  if (!asksForSpecAuthor(spec)) return false;
  return wanted === undefined || canonicalJson(wanted) !== canonicalJson(note);
}
