import { expect } from 'chai';
import { describeHealth, type ReportedHealth } from '../../../../src/core/health/summary.ts';

function report(name: string, status: ReportedHealth['status'], message: string): ReportedHealth {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'default', name };
  return { object, status, message };
}

describe('many health results in one line', () => {
  it('names what is not ready, failed objects first', () => {
    const reports = [
      report('web', 'InProgress', '1 of 3 replicas updated'),
      report('api', 'Current', '2 of 2 replicas ready'),
      report('db', 'Failed', 'no progress within its deadline'),
    ];
    expect(describeHealth(reports)).to.equal(
      '2 of 3 not ready: Deployment/default/db: no progress within its deadline; ' +
        'Deployment/default/web: 1 of 3 replicas updated',
    );
  });

  it('names five and counts the rest', () => {
    const reports = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) =>
      report(name, 'NotFound', 'not found'),
    );
    expect(describeHealth(reports)).to.equal(
      '7 of 7 not ready: Deployment/default/a: not found; Deployment/default/b: not found; ' +
        'Deployment/default/c: not found; Deployment/default/d: not found; ' +
        'Deployment/default/e: not found; and 2 more',
    );
  });

  it('leaves out the namespace of a cluster-scoped object', () => {
    const object = { apiVersion: 'v1', kind: 'Namespace', name: 'shop' };
    expect(describeHealth([{ object, status: 'Terminating', message: 'being deleted' }])).to.equal(
      '1 of 1 not ready: Namespace/shop: being deleted',
    );
  });

  it('stays on one line', () => {
    expect(describeHealth([report('web', 'Unknown', 'cannot\nread   it')])).to.equal(
      '1 of 1 not ready: Deployment/default/web: cannot read it',
    );
  });

  it('says when all are ready', () => {
    expect(describeHealth([report('web', 'Current', 'ready')])).to.equal('all 1 ready');
  });
});
