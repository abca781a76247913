import type { StageSet } from '../../types/stages.ts';

/** Which stage is asked about. */
export interface NamedStage {
  readonly namespace: string;
  readonly stageSet: string;
  readonly stage: string;
}

/**
 * What other controllers are told of a stage (part B 7.2). It has no message: whoever reaches the
 * endpoint reads it, and a message may quote what a tenant wrote.
 */
export interface StageGate {
  /** Whether the recorded phase is Ready, at `revision`. */
  readonly ready: boolean;
  readonly namespace: string;
  readonly stageset: string;
  readonly stage: string;
  /** Empty for a stage that is not known. */
  readonly phase: string;
  /** The applied one; empty where none is. */
  readonly revision: string;
  /** What `ready` does not say. Left out for a stage that is not known. */
  readonly observed?: {
    /** Of the spec as it is now. */
    readonly generation: number;
    /** Of the spec that was carried out last; 0 for none. A lower one: the phase is of an older spec. */
    readonly observedGeneration: number;
    /** At which promotion gate the stage is; empty where it has none. */
    readonly promotion: string;
  };
}

/**
 * The gate of a stage: open while its recorded phase is Ready, closed for what is not known. The
 * phase stays Ready while a newer spec waits to be carried out, and is not yet Ready while a promotion
 * gate holds the stage; whoever must tell these cases apart looks at `observed`.
 *
 * @param stageSet undefined where there is none, or none could be read
 */
export function stageGate(named: NamedStage, stageSet: StageSet | undefined): StageGate {
  const entry = stageSet?.status?.stages?.find(({ name }) => name === named.stage);
  const about = {
    namespace: named.namespace,
    stageset: named.stageSet,
    stage: named.stage,
  };
  if (stageSet === undefined || entry === undefined) {
    return { ready: false, ...about, phase: '', revision: '' };
  }
  const { phase = '', appliedRevision = '', promotionState } = entry;
  return {
    ready: phase === 'Ready',
    ...about,
    phase,
    revision: appliedRevision,
    observed: {
      generation: stageSet.metadata.generation ?? 0,
      observedGeneration: stageSet.status?.observedGeneration ?? 0,
      promotion: promotionState?.phase ?? '',
    },
  };
}
