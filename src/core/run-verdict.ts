import { describeActing } from './actions/describe.ts';
import { describeRemaining } from './recreation.ts';
import type { Verdict } from './rest.ts';
import type { RunProgress, StageStep } from './run.ts';
import { describeWait } from './waits.ts';

/** What Ready says while a run goes on: nothing new when the snapshot has been judged before. */
export function underWay(run: RunProgress): Verdict | undefined {
  if (run.purpose !== 'Rollout') return undefined;
  const index = run.stages.findIndex(({ step }) => step.kind !== 'Ready');
  const stage = run.stages[index];
  const where =
    stage === undefined
      ? 'deleting what is no longer wanted'
      : `stage ${index + 1} of ${run.stages.length} (${stage.name}): ${doing(stage.step)}`;
  return { status: 'Unknown', reason: 'Progressing', message: `Rolling out, ${where}` };
}

function doing(step: StageStep): string {
  switch (step.kind) {
    case 'Pending':
      return 'building';
    case 'Applying':
      return 'applying';
    case 'Recreating':
      return `replacing objects, waiting for ${describeRemaining(step)} to be gone`;
    case 'Establishing':
    case 'Verifying':
      return describeWait(step);
    case 'Acting':
      return describeActing(step);
    case 'Verified':
    case 'AtGates':
      return 'healthy, at its gates';
    case 'Ready':
      return 'ready';
    case 'Failed':
      return 'failed';
  }
}

/** What Ready says about a run; undefined leaves it as it is. */
export function verdictOf(run: RunProgress): Verdict | undefined {
  switch (run.outcome?.kind) {
    case undefined:
      return underWay(run);
    case 'Succeeded': {
      const message = `Applied and verified ${run.stages.length} stage(s)`;
      return { status: 'True', reason: 'Succeeded', message };
    }
    case 'Progressing':
      return { status: 'False', reason: 'StageProgressing', message: run.outcome.message };
    case 'Held': {
      const { reason, message, deployed } = run.outcome.hold;
      if (deployed === true) {
        return { status: 'True', reason: 'Succeeded', message: `Deployed; ${message}` };
      }
      return { status: 'False', reason, message };
    }
    case 'Failed': {
      const { stage, failure } = run.outcome;
      const where = stage === undefined ? '' : `Stage ${stage}: `;
      const message = `${where}${failure.operation}: ${failure.message}`;
      return { status: 'False', reason: failure.reason, message };
    }
  }
}
