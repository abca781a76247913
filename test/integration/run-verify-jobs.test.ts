import { expect } from 'chai';
import type { KubernetesObject } from '../../src/types/kubernetes.ts';
import { configMap } from '../objects.ts';
import { useController } from '../playground.ts';
import { afterLooks } from '../reconciles.ts';
import { phasesOf, type TestNamespace } from '../test-namespace.ts';

function job(name: string, spec: Record<string, unknown> = {}): KubernetesObject {
  const containers = [{ name: 'migrate', image: 'registry.example.com/migrate:1' }];
  const template = { spec: { restartPolicy: 'Never', containers } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { ...spec, template } };
}

const startTime = '2026-01-01T12:00:00Z';

/** Writes of a Job what its controller would, which does not run here. */
async function report(shop: TestNamespace, name: string, status: object): Promise<void> {
  await shop.untilObject(job(name));
  const reference = { apiVersion: 'batch/v1', kind: 'Job', namespace: shop.name, name };
  const patch = { type: 'Merge', body: { status }, subresource: 'status' } as const;
  await shop.client.patch(reference, patch, shop.call);
}

function condition(type: string): object {
  return { type, status: 'True', reason: type, message: type, lastTransitionTime: startTime };
}

describe('a stage with a Job', () => {
  // What was deleted by hand stays deleted, or nobody would see what a missing Job means.
  const stand = useController({ flags: ['--drift-watch=false'] });

  async function begin(spec: Record<string, unknown> = {}): Promise<TestNamespace> {
    const shop = await stand.namespace();
    await shop.publish('migrate', 'v1', [job('migrate', spec)]);
    await shop.publish('app', 'v1', [configMap('app')]);
    await shop.createStageSet(['migrate', 'app']);
    return shop;
  }

  it('[gap] is not ready while the Job has merely started, and is once it is complete', async () => {
    const shop = await begin();
    await afterLooks(stand.controller, 2, async () => {
      await report(shop, 'migrate', { startTime, active: 1 });
    });
    expect(phasesOf(await shop.untilPhase('migrate', 'Verifying'))).to.deep.equal([
      'Verifying',
      'Pending',
    ]);
    expect(await shop.configMapNames()).to.deep.equal([]);
    const complete = [condition('SuccessCriteriaMet'), condition('Complete')];
    await report(shop, 'migrate', {
      active: 0,
      succeeded: 1,
      completionTime: '2026-01-01T12:01:00Z',
      conditions: complete,
    });
    await shop.untilReady('v1');
  });

  it('[gap] fails at once when the Job has failed', async () => {
    const shop = await begin();
    await report(shop, 'migrate', { startTime, active: 1 });
    await report(shop, 'migrate', {
      active: 0,
      failed: 1,
      conditions: [condition('FailureTarget'), condition('Failed')],
    });
    expect(await shop.untilReason('StageFailed')).to.include(
      `Job/${shop.name}/migrate: 0 of 1 completions, 1 failed`,
    );
  });

  it('[gap] is ready when a Job with a time to live is gone', async () => {
    const shop = await begin({ ttlSecondsAfterFinished: 0 });
    await shop.untilPhase('migrate', 'Verifying');
    await shop.delete(job('migrate'));
    await shop.patch(job('migrate'), { metadata: { finalizers: null } }).catch(() => undefined);
    await shop.untilReady('v1');
  });

  it('is not ready when a Job without one is gone', async () => {
    const shop = await stand.namespace();
    await shop.publish('migrate', 'v1', [job('migrate')]);
    await shop.createStageSet([{ name: 'migrate', timeout: '3s' }], { retryInterval: '1h' });
    await shop.untilPhase('migrate', 'Verifying');
    await shop.delete(job('migrate'));
    await shop.patch(job('migrate'), { metadata: { finalizers: null } }).catch(() => undefined);
    expect(await shop.untilReason('StageProgressing')).to.include(
      `Job/${shop.name}/migrate: not found`,
    );
  });
});
