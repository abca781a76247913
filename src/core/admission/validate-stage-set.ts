import type { AdmissionRequest } from '../../types/generated/admission.k8s.io.v1.ts';
import { type StageSet, stagesApiVersion } from '../../types/stages.ts';
import { groupOf } from '../objects/identity.ts';
import { forgedNotes } from '../request-notes.ts';
import { requestedByAnnotation } from '../requested-by.ts';
import { specChangedByAnnotation } from '../spec-author.ts';
import { admissionProblems } from '../validate/admission.ts';
import { entryOf } from '../validate/field-path.ts';
import type { FieldProblem } from '../validate/field-problem.ts';
import { parseStageSet } from '../validate/schema.ts';
import { isBeingDeleted, isSpecKept, isStored, nameOf } from './request.ts';
import { noteText, wantedNotes } from './requester-notes.ts';
import type { AdmissionSettings } from './settings.ts';
import { forgesSpecAuthor } from './spec-author-note.ts';
import { risksOf } from './stage-set-risks.ts';
import { allowed, invalid, type Verdict } from './verdict.ts';

/**
 * Whether a StageSet may be stored (part A 9.4). One that is being deleted always may, and so may one
 * whose spec is as it was but for `suspend`: what has become invalid since can be paused and annotated.
 * Nobody may put words about others into the note of who asked for what.
 */
export function validateStageSet(request: AdmissionRequest, settings: AdmissionSettings): Verdict {
  if (!isStored(request) || isBeingDeleted(request)) return allowed;
  const forged = forgeries(request, settings);
  if (isSpecKept(request)) return verdict(request, forged, []);
  const parsed = parseStageSet(request.object, { defaults: 'Apply' });
  if (!parsed.ok) return verdict(request, [...forged, ...parsed.problems], []);
  const stageSet = placed(parsed.value, request);
  const problems = [...forged, ...admissionProblems(stageSet, settings)];
  return verdict(request, problems, risksOf(stageSet.spec ?? { stages: [] }));
}

/** In case the mutating webhook was not asked, or another one came after it. */
function forgeries(request: AdmissionRequest, settings: AdmissionSettings): FieldProblem[] {
  const problems = forgedNotes(noteText(request.object), wantedNotes(request, settings)).map(
    (annotation) => ({
      path: entryOf('metadata.annotations', requestedByAnnotation),
      message:
        `says who set ${annotation.slice(0, 63)}, which only the admission webhook may note; ` +
        'remove the annotation',
    }),
  );
  if (!forgesSpecAuthor(request)) return problems;
  const message =
    'says who changed the spec, which only the admission webhook may note; remove the annotation';
  return [...problems, { path: entryOf('metadata.annotations', specChangedByAnnotation), message }];
}

/** The object with the namespace that it is stored in, which a manifest need not name. */
function placed(stageSet: StageSet, { namespace = '' }: AdmissionRequest): StageSet {
  const { metadata } = stageSet;
  return namespace === '' ? stageSet : { ...stageSet, metadata: { ...metadata, namespace } };
}

function verdict(
  request: AdmissionRequest,
  problems: readonly FieldProblem[],
  warnings: readonly string[],
): Verdict {
  if (problems.length === 0) return { kind: 'Allowed', warnings };
  const subject = { group: groupOf(stagesApiVersion), kind: 'StageSet', name: nameOf(request) };
  return { kind: 'Refused', refusal: invalid(subject, problems), warnings };
}
