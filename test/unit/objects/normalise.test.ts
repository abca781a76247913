import { expect } from 'chai';
import { applyHelmHookPolicy } from '../../../src/core/objects/helm-hooks.ts';
import { normalise } from '../../../src/core/objects/normalise.ts';
import { readManifests } from '../../../src/core/objects/parse.ts';
import type { KubernetesObject } from '../../../src/types/kubernetes.ts';

const object = (yaml: string): KubernetesObject => {
  const [manifest] = readManifests([['a.yaml', Buffer.from(yaml)]], 'Kustomize').manifests;
  return manifest!.object;
};

const expectNormalised = (before: string, after: string): void => {
  expect(normalise(object(before))).to.deep.equal(object(after));
};

describe('normalising objects', () => {
  it('writes down the protocol of Service ports', () => {
    const service = (ports: string): string =>
      `{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: ${ports}}}`;
    expectNormalised(
      service('[{port: 80}, {port: 53, protocol: UDP}, {port: 81, protocol: ""}]'),
      service('[{port: 80, protocol: TCP}, {port: 53, protocol: UDP}, {port: 81, protocol: TCP}]'),
    );
  });

  const pods: Record<string, (pod: string) => string> = {
    Pod: (pod) => `{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: ${pod}}`,
    Deployment: (pod) =>
      `{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {template: {spec: ${pod}}}}`,
    StatefulSet: (pod) =>
      `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {template: {spec: ${pod}}}}`,
    Job: (pod) =>
      `{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {template: {spec: ${pod}}}}`,
    CronJob: (pod) =>
      `{apiVersion: batch/v1, kind: CronJob, metadata: {name: a}, spec: {jobTemplate: {spec: {template: {spec: ${pod}}}}}}`,
  };
  for (const [kind, of] of Object.entries(pods)) {
    it(`writes down the protocol of the container ports of a ${kind}`, () => {
      expectNormalised(
        of(
          '{initContainers: [{name: i, ports: [{containerPort: 1}]}], containers: [{name: c, ports: [{containerPort: 2}]}, {name: d}]}',
        ),
        of(
          '{initContainers: [{name: i, ports: [{containerPort: 1, protocol: TCP}]}], containers: [{name: c, ports: [{containerPort: 2, protocol: TCP}]}, {name: d}]}',
        ),
      );
    });
  }

  it('leaves a custom resource of a familiar name alone', () => {
    const foreign =
      '{apiVersion: example.com/v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 80}]}}';
    expectNormalised(foreign, foreign);
  });

  it('moves stringData over data', () => {
    expectNormalised(
      '{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: b2xk, b: Yg==}, stringData: {a: new, c: "ü"}}',
      '{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: bmV3, b: Yg==, c: w7w=}}',
    );
  });

  it('names the key but not the value of stringData that is not text', () => {
    const secret = '{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {pin: 1234}}';
    expect(() => normalise(object(secret))).to.throw(
      'Secret/a: stringData.pin must be text; put the value in quotes',
    );
  });

  it('takes away what only a server says', () => {
    expectNormalised(
      '{apiVersion: example.com/v1, kind: Toy, metadata: {name: a, creationTimestamp: null}, spec: {a: 1}, status: {b: 2}}',
      '{apiVersion: example.com/v1, kind: Toy, metadata: {name: a}, spec: {a: 1}}',
    );
  });

  it('keeps the status of a CRD', () => {
    const crd =
      '{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, status: {b: 2}}';
    expectNormalised(crd, crd);
  });

  it('leaves RBAC roles exactly as they are', () => {
    const role =
      '{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: a, creationTimestamp: null}, rules: []}';
    expectNormalised(role, role);
  });

  it('does not change its input', () => {
    const before = object(
      '{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {a: b}}',
    );
    normalise(before);
    expect(before['stringData']).to.deep.equal({ a: 'b' });
  });
});

describe('Helm hooks', () => {
  const hook = object(
    '{apiVersion: v1, kind: Pod, metadata: {name: hook, annotations: {helm.sh/hook: test}}}',
  );
  const weight = object(
    '{apiVersion: v1, kind: Pod, metadata: {name: pod, annotations: {helm.sh/hook-weight: "1"}}}',
  );

  it('are applied by default, and named', () => {
    expect(applyHelmHookPolicy([hook, weight], undefined)).to.deep.equal({
      applied: [hook, weight],
      hooks: [hook],
    });
  });

  it('are left out where the stage says so', () => {
    expect(applyHelmHookPolicy([hook, weight], false)).to.deep.equal({
      applied: [weight],
      hooks: [hook],
    });
  });
});
