import type { KubernetesObject } from '../types/kubernetes.ts';
import type { DuplicateObject } from './kustomize-errors.ts';

/**
 * What the main thread asks a worker, one question at a time, and what it answers. Files and objects
 * go over in portions: copying them all at once would stop the main thread as parsing them would.
 */
export type Question =
  /** More files of the artifact to build from. */
  | { readonly kind: 'Files'; readonly files: readonly (readonly [string, Uint8Array])[] }
  | {
      readonly kind: 'Plan';
      readonly path: string | undefined;
      readonly variables: ReadonlyMap<string, string>;
    }
  /** More of kustomize's output. */
  | { readonly kind: 'Output'; readonly chunk: Uint8Array }
  /** The output is complete. */
  | { readonly kind: 'Read' }
  /** The next objects of the result. */
  | { readonly kind: 'Next' }
  /** What our own reading adds to a failure of kustomize. */
  | { readonly kind: 'Explain'; readonly duplicate: DuplicateObject | undefined }
  /** Forget all of this build. */
  | { readonly kind: 'Reset' };

export type Answer =
  | { readonly kind: 'Done' }
  | { readonly kind: 'Objects'; readonly count: number; readonly warnings: readonly string[] }
  | {
      readonly kind: 'Kustomize';
      readonly directory: string;
      readonly originals: readonly string[];
      readonly rewritten: readonly (readonly [string, string])[];
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'Portion'; readonly objects: readonly KubernetesObject[] }
  | { readonly kind: 'Explanation'; readonly notes: readonly string[] }
  /** The artifact is at fault. */
  | { readonly kind: 'Refused'; readonly message: string }
  /** We are. */
  | { readonly kind: 'Broken'; readonly message: string };
