import type { AdmissionRequest } from '../../types/generated/admission.k8s.io.v1.ts';
import type { JsonObject } from '../../types/kubernetes.ts';
import { type Annotations, keptNotes, notesOf, requesterFrom } from '../request-notes.ts';
import { type RequesterNotes, readNotes, requestedByAnnotation } from '../requested-by.ts';
import { fieldOf, isByController, metadataOf } from './request.ts';
import type { AdmissionSettings } from './settings.ts';
import { shownRevision } from './shown-revision.ts';

/**
 * The notes that an object must carry after this request. The controller asks for nothing: it may
 * take notes away, and else they stay.
 */
export function wantedNotes(
  request: AdmissionRequest,
  settings: AdmissionSettings,
): RequesterNotes {
  const { object, oldObject, operation, userInfo } = request;
  const after = annotationsOf(object);
  const isUpdate = operation === 'UPDATE';
  const stored = isUpdate ? readNotes(noteText(oldObject)) : undefined;
  if (stored !== undefined && isByController(request, settings)) {
    return keptNotes(stored, readNotes(noteText(object)));
  }
  return notesOf({
    before:
      stored === undefined ? undefined : { annotations: annotationsOf(oldObject), notes: stored },
    after,
    requester: requesterFrom(userInfo),
    shown: (annotation, value) => shownRevision(annotation, value, oldObject),
  });
}

/** The text of an object's note. */
export function noteText(object: JsonObject | null | undefined): string | undefined {
  const text = annotationsOf(object)[requestedByAnnotation];
  return typeof text === 'string' ? text : undefined;
}

/** All annotations of an object, whatever they are. */
export function annotationsOf(object: JsonObject | null | undefined): Annotations {
  return fieldOf(metadataOf(object), 'annotations');
}
