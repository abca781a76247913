import type { RunProgress } from '../core/run.ts';
import type { Stage, StageSet } from '../types/stages.ts';
import type { StageSetMemory } from './memory.ts';

/** A stage of a run that is being carried out. */
export interface StageAt {
  readonly stageSet: StageSet;
  readonly memory: StageSetMemory;
  readonly run: RunProgress;
  readonly index: number;
  readonly stage: Stage;
}

/** The stage whose actions are carried out. */
export type ActionPlace = Pick<StageAt, 'stageSet' | 'stage'>;
