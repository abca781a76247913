/** Flux's request for a reconcile: any new value forces one (part A 2.2). */
export const requestedAtAnnotation = 'reconcile.fluxcd.io/requestedAt';

/** Annotations whose change wakes the controller although the spec did not change (part A 2.1). */
export const wakingAnnotations: readonly string[] = [
  requestedAtAnnotation,
  'stages.metio.wtf/reconcile-stage',
  'stages.metio.wtf/approved-version',
  'stages.metio.wtf/rollback-to',
  'stages.metio.wtf/promote',
  'stages.metio.wtf/update-now',
  'stages.metio.wtf/budget-override',
  'stages.metio.wtf/reset-scope',
];

/** Annotations by which a person asks for something, or takes something upon themselves (part A 2.2). */
export const requestAnnotations: readonly string[] = [
  ...wakingAnnotations,
  'stages.metio.wtf/skip-image-verification',
];
