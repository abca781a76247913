/** One stage's artifact, fixed for the length of a run. */
export interface PinnedArtifact {
  /** `namespace/name` of the source object, as `status.lastAppliedRevisions` is keyed. */
  readonly source: string;
  readonly url: string;
  readonly revision: string;
  /** `sha256:<hex>` over the compressed bytes. */
  readonly digest: string;
}
