import { lookBy, pauseBetweenLooks } from '../core/look-by.ts';
import type { RunProgress } from '../core/run.ts';
import type { RunSettings } from '../core/settings.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { after, type Clock } from '../core/time.ts';
import { stageSetProblems } from '../core/validate/stage-set.ts';
import type { CallOptions } from '../kubernetes/transport.ts';
import type { StageSet } from '../types/stages.ts';
import type { ActionEffects } from './action-effects.ts';
import type { AskedDependencies, Dependencies } from './dependencies.ts';
import type { DriftWatch } from './drift-watch.ts';
import type { StageSetMemory } from './memory.ts';
import type { RunRecorder } from './run-recorder.ts';
import type { Sources } from './sources.ts';

/** One StageSet, as a pass comes to it. */
interface Sight {
  readonly key: string;
  readonly stageSet: StageSet;
  readonly problems: Snapshot['problems'];
  readonly memory: StageSetMemory;
  /** What was asked of dependencies in this pass. */
  readonly asked: AskedDependencies;
}

interface Observers {
  readonly dependencies: Dependencies;
  readonly sources: Sources;
  readonly drift: DriftWatch;
  readonly actions: ActionEffects;
  readonly recorder: RunRecorder;
  readonly settings: RunSettings;
  readonly clock: Clock;
}

/** The world as one StageSet's decision sees it. */
export async function takeSnapshot(
  sight: Sight,
  observers: Observers,
  call: CallOptions,
): Promise<Snapshot> {
  const { key, stageSet, problems, memory, asked } = sight;
  const { clock, dependencies, settings, sources, drift, recorder } = observers;
  const spec = stageSet.spec ?? { stages: [] };
  const idle = stageSet.metadata.deletionTimestamp !== undefined || spec.suspend === true;
  const graph = idle ? new Map() : await dependencies.observe(stageSet, asked, call);
  const observedSources = idle ? [] : await sources.observe(stageSet, call);
  const now = clock();
  return {
    now,
    settings,
    stageSet,
    spec,
    problems: problems.length > 0 ? problems : stageSetProblems(stageSet),
    dependencies: graph,
    sources: observedSources,
    run: withNews(sight, observers),
    reassert: memory.reassert,
    building: memory.build?.ended === false,
    attempt: attemptIn(memory),
    answers: memory.answers,
    versions: memory.versions,
    asking: memory.asking?.ended === false,
    drift: drift.seen(key, now),
    advances: recorder.advancesOf(stageSet, memory),
    teardown: memory.teardown,
  };
}

/** A change of what is waited for brings the next look forward, but not close to the last one. */
function withNews({ key, memory }: Sight, { drift, actions }: Observers): RunProgress | undefined {
  const { run, lookedAt } = memory;
  if (run === undefined) return run;
  const acting = run.stages.some(({ step }) => step.kind === 'Acting');
  const news = acting ? actions.hasNews(key) : drift.hasNews(key);
  return news ? lookBy(run, after(lookedAt, pauseBetweenLooks(run))) : run;
}

function attemptIn({ attempt }: StageSetMemory): Snapshot['attempt'] {
  if (attempt === undefined) return 'None';
  return attempt.ended ? 'Ended' : 'UnderWay';
}
