import type { KubernetesObject } from '../types/kubernetes.ts';

/**
 * `Created` and `Configured` were written, `Recreated` after the live object was deleted for it;
 * `Unchanged` was found as desired; `Skipped` was there and is not to be changed.
 */
type ApplyOutcome = 'Created' | 'Configured' | 'Recreated' | 'Unchanged' | 'Skipped';

export interface AppliedObject {
  /** As the server has it now. Of an object that was not written this may be its metadata only. */
  readonly live: KubernetesObject;
  readonly completeness: 'Object' | 'Metadata';
  readonly outcome: ApplyOutcome;
}
