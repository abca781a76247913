import { expect } from 'chai';
import { readMade, withMade } from '../../../../src/core/actions/action-marks.ts';
import { type ActionLedger, leftBehind } from '../../../../src/core/actions/ledger.ts';
import type { Stage } from '../../../../src/types/stages.ts';

const stage: Stage = {
  name: 'app',
  sourceRef: { name: 'app' },
  actions: { pre: [{ name: 'migrate', job: { sourceRef: { name: 'jobs' } } }] },
};

function ledger(done: readonly string[], running: string): ActionLedger {
  return {
    revision: 'v1',
    done,
    version: undefined,
    versionDone: [],
    lifetimeDone: [],
    interrupted: [],
    resumed: { hook: 'pre', name: running, revision: 'v1', attempt: 1, startedAt: 'then' },
    token: undefined,
  };
}

describe('what the process before left behind', () => {
  it('is of the action that is on record as done', () => {
    expect(leftBehind(stage, ledger(['migrate'], 'migrate'))).to.equal('migrate');
  });

  it('is of an action that is no longer in the spec', () => {
    expect(leftBehind(stage, ledger([], 'gone'))).to.equal('gone');
  });

  it('is nothing of an action that is gone on with', () => {
    expect(leftBehind(stage, ledger([], 'migrate'))).to.equal(undefined);
  });

  it('is named by the Job, with uids, and nothing else is believed', () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'work' } };
    const settings = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: 'shop',
      name: 'settings',
      uid: '1',
    };
    expect(readMade(withMade(job, [settings]))).to.deep.equal([settings]);
    expect(readMade(job)).to.deep.equal([]);
    const nameless = withMade(job, [{ ...settings, uid: '' }]);
    expect(readMade(nameless)).to.deep.equal([]);
    const annotations = { 'stages.metio.wtf/made': 'no JSON' };
    expect(readMade({ ...job, metadata: { name: 'work', annotations } })).to.deep.equal([]);
  });
});
