import { expect } from 'chai';
import { milliseconds } from '../../../../src/core/time.ts';
import { deferred } from '../../../../src/kubernetes/wait.ts';
import { BoundedPlanning } from '../../../../src/server/aggregated/plan/bounded-planning.ts';
import type { PlanRequest } from '../../../../src/server/aggregated/plan/planning.ts';
import { StatusError } from '../../../../src/server/aggregated/status-error.ts';
import type { StagePlanStatus } from '../../../../src/types/generated/subresources.stages.metio.wtf.v1.ts';
import { caught } from '../../../integration/objects.ts';

describe('planning a few at a time', () => {
  const call = { signal: new AbortController().signal };
  const status: StagePlanStatus = {
    digest: '',
    verdict: 'UpToDate',
    message: '',
    holds: [],
    stages: [],
  };
  const one = { most: 1, mostOfOneUser: 1 };

  const requestOf = (user: string): PlanRequest => ({
    object: { apiVersion: 'v1', kind: 'StageSet', metadata: { name: 'shop' } },
    suppose: {},
    stages: undefined,
    dryRun: 'All',
    user,
  });

  it('tells to come again who has waited for long, and goes on with the others', async () => {
    const slow = deferred<StagePlanStatus>();
    const planning = { plan: async () => await slow.promise };
    const bounded = new BoundedPlanning(planning, one, milliseconds(10));
    const first = bounded.plan(requestOf('ann'), call);
    const refusal = await caught(bounded.plan(requestOf('bob'), call));
    expect(refusal).to.be.instanceOf(StatusError);
    expect((refusal as StatusError).toStatus()).to.deep.include({
      code: 429,
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 2 },
    });
    slow.resolve(status);
    expect(await first).to.equal(status);
    expect(await bounded.plan(requestOf('bob'), call)).to.equal(status);
  });

  it('has the place free again after a plan that failed', async () => {
    const planning = { plan: async () => await Promise.reject(new Error('no')) };
    const bounded = new BoundedPlanning(planning, one);
    for (let turn = 0; turn < 3; turn += 1) {
      expect(String(await caught(bounded.plan(requestOf('ann'), call)))).to.equal('Error: no');
    }
  });
});
