import type { SealedDataKey } from '../types/key-services.ts';
import type { JsonObject, KubernetesObject } from '../types/kubernetes.ts';
import type { Migration } from '../types/stages.ts';
import type { DuplicateObject } from './kustomize-errors.ts';
import type { BuildSettings } from './plan.ts';
import type { DecryptionOperation } from './sops/decryption-error.ts';
import type { KeyOutcome } from './sops/key-dialog.ts';

/**
 * What the main thread asks a worker, one question at a time, and what it answers. Files and objects
 * go over in portions: copying them all at once would stop the main thread as parsing them would.
 */
export type Question =
  /** More files of the artifact to build from. */
  | { readonly kind: 'Files'; readonly files: readonly (readonly [string, Uint8Array])[] }
  /** Decrypt those of the files that the build of a directory needs. */
  | {
      readonly kind: 'Decrypt';
      readonly path: string | undefined;
      readonly keys: readonly (readonly [entry: string, content: Uint8Array])[];
      /** Whether key services may be asked for what these keys do not open. */
      readonly keyServices: 'Asked' | 'NotAsked';
    }
  /** What became of the keys that were wanted. */
  | { readonly kind: 'Keys'; readonly outcomes: readonly KeyOutcome[] }
  /** The next of the files that were decrypted. */
  | { readonly kind: 'NextFiles' }
  | { readonly kind: 'Plan'; readonly settings: BuildSettings }
  /** More of kustomize's output. */
  | { readonly kind: 'Output'; readonly chunk: Uint8Array }
  /** The output is complete. */
  | { readonly kind: 'Read' }
  /** The next objects of the result. */
  | { readonly kind: 'Next' }
  /** A failure of kustomize without secret values, and what our own reading adds to it. */
  | {
      readonly kind: 'Explain';
      readonly message: string;
      readonly duplicate: DuplicateObject | undefined;
    }
  /** Read the files as migrations, which is no build. */
  | { readonly kind: 'Ladder'; readonly path: string | undefined }
  /** The next of the migrations. */
  | { readonly kind: 'NextMigrations' }
  /** Forget all of this build. */
  | { readonly kind: 'Reset' };

export type Answer =
  | { readonly kind: 'Done' }
  /** Decrypting goes on once a key service was asked to open these. */
  | { readonly kind: 'KeysWanted'; readonly entries: readonly SealedDataKey[] }
  /** How many files were, and the values in them. */
  | { readonly kind: 'Decrypted'; readonly count: number; readonly values: readonly string[] }
  | { readonly kind: 'Files'; readonly files: readonly (readonly [string, Uint8Array])[] }
  | { readonly kind: 'Objects'; readonly count: number; readonly warnings: readonly string[] }
  | {
      readonly kind: 'Kustomize';
      readonly kustomization: { readonly path: string; readonly fields: JsonObject };
      readonly originals: readonly string[];
      readonly rewritten: readonly (readonly [string, string])[];
      readonly warnings: readonly string[];
    }
  | { readonly kind: 'Portion'; readonly objects: readonly KubernetesObject[] }
  | { readonly kind: 'Ladder'; readonly count: number }
  | { readonly kind: 'NoLadder'; readonly message: string }
  | { readonly kind: 'Migrations'; readonly migrations: readonly Migration[] }
  | { readonly kind: 'Explanation'; readonly message: string; readonly notes: readonly string[] }
  | {
      readonly kind: 'Undecryptable';
      readonly message: string;
      readonly operation: DecryptionOperation;
      readonly detail: string | undefined;
      readonly retry: 'Useful' | 'Useless';
    }
  /** The artifact is at fault. */
  | { readonly kind: 'Refused'; readonly message: string }
  /** We are. */
  | { readonly kind: 'Broken'; readonly message: string };
