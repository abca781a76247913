import { expect } from 'chai';
import type { ActionWait } from '../../../../src/core/actions/acting.ts';
import { actionAt, lookedAtAction } from '../../../../src/core/actions/attempts.ts';
import { describeActing } from '../../../../src/core/actions/describe.ts';
import { settleActions } from '../../../../src/core/actions/settle-actions.ts';
import type { RunProgress } from '../../../../src/core/run.ts';
import { instant } from '../../../../src/core/time.ts';
import type { Action } from '../../../../src/types/stages.ts';

const target = { apiVersion: 'v1', kind: 'Secret', name: 'login' };
const wait: Action = {
  name: 'until',
  wait: { target, expr: 'has(metadata.labels)', timeout: '1m' },
};
const awaited = { kind: 'Expression', target, expression: 'has(metadata.labels)' } as const;

/** A run that waits in the action, from the time 0 on. */
function waiting(): RunProgress {
  const phase: ActionWait = { kind: 'Awaiting', awaited, looks: 0, nextLook: instant(0) };
  const startedAt = instant(0);
  const acting = { hook: 'pre', action: 'until', attempt: 1, startedAt, phase } as const;
  return {
    id: 'run',
    generation: 1,
    spec: { stages: [{ name: 'app', sourceRef: { name: 'app' }, actions: { pre: [wait] } }] },
    attempt: 1,
    purpose: 'Rollout',
    pinned: [],
    startedAt,
    requestedAt: undefined,
    stages: [
      {
        name: 'app',
        changes: { created: 0, configured: 0, recreated: 0, unchanged: 0, skipped: 0 },
        step: { kind: 'Acting', ...acting },
      },
    ],
    prune: 'Pending',
    outcome: undefined,
  };
}

describe('what a look at a wait found', () => {
  const secrets = new Set(['correct horse']);
  const message = 'Secret/team/login: the server quotes correct horse and Y29ycmVjdCBob3JzZQ==';
  const said = 'Secret/team/login: the server quotes [redacted] and [redacted]';
  const look = { kind: 'NotYet', message, awaited } as const;

  it('quotes no value of a Secret, neither while it waits nor when its time is over', () => {
    const run = lookedAtAction(waiting(), 0, look, { now: instant(1000), news: 'Polled', secrets });
    const at = actionAt(run, 0);
    expect(at?.step.phase).to.have.property('found', said);
    expect(at && describeActing(at.step))
      .to.be.a('string')
      .that.includes(said);

    const late = lookedAtAction(run, 0, look, { now: instant(60_000), news: 'Polled', secrets });
    const over = settleActions(late, { now: instant(60_000), attempt: 'None' });
    expect(JSON.stringify(over)).to.include('not done within 1m').and.include(said);
    expect(JSON.stringify(over)).not.to.match(/correct horse|Y29y/);
  });
});
