import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parse } from 'yaml';
import { existingKinds } from '../../../../src/core/health/existing-kinds.ts';
import { missingHealth } from '../../../../src/core/health/job.ts';
import type { ObjectHealth } from '../../../../src/core/health/object-health.ts';
import { healthNeedsRead, objectHealth } from '../../../../src/core/health/status.ts';
import { instant } from '../../../../src/core/time.ts';
import type { KubernetesObject } from '../../../../src/types/kubernetes.ts';

/**
 * An object as a cluster could hold it and its health. `status` was confirmed with kstatus v0.37.2
 * (sigs.k8s.io/cli-utils) but where `kstatus` names what that says instead.
 */
interface HealthCase extends ObjectHealth {
  it: string;
  object: KubernetesObject;
  kstatus?: string;
}

const folder = new URL('cases/', import.meta.url);
const now = instant(Date.parse('2026-01-01T00:00:00Z'));

describe('the health of an object', () => {
  for (const file of readdirSync(folder)) {
    describe(`in ${file}`, () => {
      const cases = parse(readFileSync(new URL(file, folder), 'utf8')) as HealthCase[];
      for (const { it: title, object, status, message } of cases) {
        it(title, () => {
          expect(objectHealth(object, now)).to.deep.equal({ status, message });
        });
      }
    });
  }

  it('cuts what a controller writes at length', () => {
    const object = {
      apiVersion: 'example.com/v1',
      kind: 'Database',
      metadata: { name: 'main' },
      status: { conditions: [{ type: 'Ready', status: 'False', message: 'x'.repeat(30_000) }] },
    };
    expect(objectHealth(object, now).message).to.equal(`${'x'.repeat(500)}...`);
  });

  it('leaves the end of the scheduling window to the time of the look', () => {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', creationTimestamp: '2026-01-01T00:00:00Z' },
      status: {
        phase: 'Pending',
        conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }],
      },
    };
    expect(objectHealth(pod, instant(now + 14_999)).status).to.equal('InProgress');
    expect(objectHealth(pod, instant(now + 15_000)).status).to.equal('Failed');
  });
});

describe('a kind whose existence is its health', () => {
  it('needs no read', () => {
    expect(healthNeedsRead({ apiVersion: 'v1', kind: 'ConfigMap' })).to.equal(false);
    expect(healthNeedsRead({ apiVersion: 'v1', kind: 'Secret' })).to.equal(false);
    expect(
      healthNeedsRead({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' }),
    ).to.equal(false);
  });

  it('is told by its metadata alone', () => {
    for (const key of existingKinds) {
      const [group, kind] = key.split('/') as [string, string];
      const apiVersion = group === '' ? 'v1' : `${group}/v1`;
      const object = { apiVersion, kind, metadata: { name: 'x', generation: 4 } };
      expect(objectHealth(object, now).status, key).to.equal('Current');
    }
  });

  it('is never one whose status may change', () => {
    for (const [apiVersion, kind] of [
      ['apps/v1', 'Deployment'],
      ['batch/v1', 'Job'],
      ['v1', 'Namespace'],
      ['v1', 'Service'],
      ['v1', 'PersistentVolumeClaim'],
      ['policy/v1', 'PodDisruptionBudget'],
      ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
      ['example.com/v1', 'ConfigMap'],
      ['example.com/v1', 'Role'],
    ] as const) {
      expect(healthNeedsRead({ apiVersion, kind }), kind).to.equal(true);
    }
  });
});

describe('an applied object that is not there', () => {
  it('is not found', () => {
    const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' }, spec: {} };
    expect(missingHealth(job)).to.deep.equal({ status: 'NotFound', message: 'not found' });
  });

  it('has succeeded when it is a Job that removes itself', () => {
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'migrate' },
      spec: { ttlSecondsAfterFinished: 0 },
    };
    expect(missingHealth(job)).to.deep.equal({
      status: 'Current',
      message: 'finished and removed after its time to live',
    });
  });

  it('is not found when a custom resource is called Job', () => {
    const job = {
      apiVersion: 'example.com/v1',
      kind: 'Job',
      metadata: { name: 'migrate' },
      spec: { ttlSecondsAfterFinished: 0 },
    };
    expect(missingHealth(job).status).to.equal('NotFound');
  });
});
