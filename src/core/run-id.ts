import { digestOf } from './hash.ts';

/** What a run tries to make real: the parts that its id depends on, and nothing else. */
export interface RunIdentity {
  /** uid of the StageSet. */
  readonly uid: string;
  readonly generation: number;
  /** In the order of the spec. */
  readonly stages: readonly {
    readonly name: string;
    readonly revision: string;
    readonly digest: string;
  }[];
  /** Undefined for a StageSet without versions. */
  readonly desiredVersion: string | undefined;
}

/**
 * Id of the run for a snapshot: equal for any two observers of the same one. It is the first 16 hex
 * digits of the SHA-256 over the UTF-8 bytes of this JSON, without white space, with the keys in
 * this order and without `version` when there is none:
 *
 *     {"generation":3,"stages":[{"digest":"sha256:...","name":"dev","revision":"..."}],
 *      "uid":"...","version":"1.2.0"}
 */
export function runId({ uid, generation, stages, desiredVersion }: RunIdentity): string {
  const snapshot = {
    generation,
    stages: stages.map(({ name, revision, digest }) => ({ name, revision, digest })),
    uid,
    version: desiredVersion,
  };
  return digestOf(snapshot).slice(0, 16);
}
