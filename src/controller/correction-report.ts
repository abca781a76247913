import type { AppliedObject } from '../apply/applied-object.ts';
import type { BeforeWrite } from '../apply/read-before.ts';
import { identityOf } from '../core/objects/identity.ts';
import { intervalOf } from '../core/schedule.ts';
import type { RunSettings } from '../core/settings.ts';
import type { Clock } from '../core/time.ts';
import { storeKey } from '../kubernetes/store.ts';
import type { Stage, StageSet } from '../types/stages.ts';
import type { DriftWatch } from './drift-watch.ts';
import { type Contested, driftOf, type Reporter } from './reporter.ts';

/** What came of the objects of a correction. */
export interface Corrected {
  /** Prefix of the objects in the memory of what was applied. */
  readonly scope: string;
  readonly applied: readonly AppliedObject[];
  readonly before: BeforeWrite;
}

/**
 * Counts what a correction looked at, so that somebody who writes against us again and again is left
 * alone for longer each time; tells of those whose writes had to be corrected.
 */
export function recordCorrections(
  { stageSet, stage }: { readonly stageSet: StageSet; readonly stage: Stage },
  { scope, applied, before }: Corrected,
  {
    drift,
    reporter,
    settings,
    clock,
  }: { drift: DriftWatch; reporter: Reporter; settings: RunSettings; clock: Clock },
): void {
  const key = storeKey(stageSet.metadata.namespace, stageSet.metadata.name);
  const longest = intervalOf(stageSet.spec ?? { stages: [] }, settings);
  const contested: Contested[] = [];
  for (const object of applied) {
    const id = `${scope}|${identityOf(object.live)}`;
    const { pause } = drift.corrected(key, id, clock(), longest);
    if (pause === undefined || object.outcome === 'Unchanged') continue;
    contested.push({ what: driftOf(object, before), pause });
  }
  reporter.contested(stageSet, stage.name, contested);
}
